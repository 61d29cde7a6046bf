"""What is kept: checking backups, and removing the oldest with what only they held."""

from collections.abc import Callable
from typing import Final

import msgspec

from playhead.backup.manifest import (
    BACKUPS,
    BLOBS,
    Summary,
    read_ids,
    read_manifest,
    read_markers,
    read_summaries,
    remove_backup,
)
from playhead.backup.restoring import verify
from playhead.clock import Clock
from playhead.connect.buckets.bucket import Archive
from playhead.errors import BackupDamaged

LOOK_EVERY: Final = 50
"""So many files are removed before it is looked again whether a backup is being made."""
RUNNING_MS: Final = 86_400_000
"""What a backup has sent that is not whole is kept for so long, for it may still be running."""


class Pruned(msgspec.Struct, frozen=True):
    """What was removed; `waits` where files were kept because a backup is being made."""

    backups: list[str]
    files: int
    bytes: int
    waits: bool = False


class Checked(msgspec.Struct, frozen=True):
    """What a check of one backup found; `damaged` are sentences."""

    id: str
    files: int
    bytes: int
    damaged: list[str]


async def prune(archive: Archive, clock: Clock, *, keep: int) -> Pruned:
    """Remove all but the newest backups, and the files that none of the others holds.

    Raises:
        BucketRefused: Something could not be read or removed; what is left is whole.
        BackupDamaged: A backup that stays cannot be read: no file was removed.
    """
    found = await read_summaries(archive, strict=True)
    stay, gone = found[: max(1, keep)], found[max(1, keep) :]
    for one in gone:
        await remove_backup(archive, one.id)
    names = [one.id for one in gone]
    wanted: set[str] = set()
    for one in stay:
        wanted.update(entry.path for entry in (await read_manifest(archive, one)).entries)
    whole = {one.id for one in stay}
    unnamed = [
        file
        for folder in (BLOBS, BACKUPS)
        async for file in archive.listed(folder)
        if file.path not in wanted and not (folder == BACKUPS and file.path.split("/")[1] in whole)
    ]
    size = 0
    for number, file in enumerate(unnamed):
        if number % LOOK_EVERY == 0 and await _is_busy(archive, clock, whole):
            return Pruned(names, number, size, waits=True)
        await archive.remove(file.path)
        size += file.bytes
    return Pruned(names, len(unnamed), size)


async def _is_busy(archive: Archive, clock: Clock, known: set[str]) -> bool:
    """Return whether a backup is being made, or was, since its files were looked at.

    Markers first: one that ends in between has its summary when its marker is gone.
    """
    now_ms = clock.now_ms()
    if any(now_ms - one.at < RUNNING_MS for one in await read_markers(archive)):
        return True
    return not known.issuperset(await read_ids(archive))


async def check(
    archive: Archive,
    summary: Summary,
    *,
    quick: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> Checked:
    """Look whether everything a backup is made of is there and, unless `quick`, as it was sent."""
    manifest = await read_manifest(archive, summary)
    sizes = {file.path: file.bytes async for file in archive.listed(BLOBS)}
    damaged = []
    for number, entry in enumerate(manifest.entries):
        if sizes.get(entry.path) != entry.bytes:
            damaged.append(f"{entry.path} is missing or cut ({entry.kind} {entry.root}).")
        elif not quick:
            try:
                await verify(archive, entry)
            except BackupDamaged as error:
                damaged.append(error.message)
        if told is not None:
            told(number + 1, len(manifest.entries))
    size = sum(entry.bytes for entry in manifest.entries)
    return Checked(summary.id, len(manifest.entries), size, damaged)
