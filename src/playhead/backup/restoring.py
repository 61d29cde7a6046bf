"""Restoring: everything into a draft inside the folder, verified; only then is it the data folder.

A restore that is cut off leaves the draft: a folder with one does not start, and is restored anew,
or, where all of it was verified, finished.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playhead.backup.manifest import (
    Entry,
    Manifest,
    Summary,
    read_manifest,
    read_summaries,
    read_summary,
)
from playhead.backup.pack import inside, make_folder, unpack
from playhead.backup.unfinished import DRAFT
from playhead.connect.buckets.bucket import Archive
from playhead.errors import (
    BackupDamaged,
    Conflict,
    DiskLow,
    NotFound,
    PlayheadError,
    StartupError,
)

WHOLE: Final = "whole"
"""In the draft once everything was verified: from there on it is only moved."""
_CONTENT: Final = "content"
_BLOBS: Final = "blobs"
GONE: Final = Path("run") / "restored"
OF_A_DISK: Final = "lost+found"
"""In the uppermost folder of a disk of its own, which counts as empty."""
FETCHED_AT_ONCE: Final = 4
MARGIN_BYTES: Final = 64 << 20
_LINK: Final = re.compile(r"store/metadata/[^/]+")
_LINKED: Final = re.compile(r"\.\./store/[0-9a-f]{3}/[0-9a-f-]{36}")
Told = Callable[[int, int], Awaitable[None]]


async def find_backup(archive: Archive, id_: str = "") -> Summary:
    """Return the backup of an id, or the newest; raises NotFound, and as `read_summary`."""
    if id_:
        return await read_summary(archive, id_)
    found = await read_summaries(archive)
    if not found:
        raise NotFound("There is no whole backup there.", hint="Look at the address.")
    return found[0]


async def restore(
    archive: Archive, summary: Summary, data_dir: Path, told: Told | None = None
) -> None:
    """Restore a backup into a folder that is empty or not there.

    Raises:
        Conflict: Something is in the folder; nothing was changed.
        DiskLow: There is no room for it.
        BackupDamaged: A file is not as it was written; nothing of it is left.
        BucketRefused: It cannot be read.
    """
    check_empty(data_dir)
    with _alone(data_dir):
        await _restore(archive, summary, data_dir, told)


async def _restore(archive: Archive, summary: Summary, data_dir: Path, told: Told | None) -> None:
    draft = data_dir / DRAFT
    if not (draft / WHOLE).exists():
        manifest = await read_manifest(archive, summary)
        try:
            await asyncio.to_thread(_begin, draft, summary)
            await _fetch(archive, manifest, draft, told)
            await asyncio.to_thread(_finish_draft, manifest, draft, summary.id)
        except PlayheadError:
            await asyncio.to_thread(_forget, draft)
            raise
        except OSError as error:
            await asyncio.to_thread(_forget, draft)
            raise StartupError(
                f"{data_dir} cannot be written: {error.strerror}. Nothing was restored."
            ) from error
    elif (other := (draft / WHOLE).read_text()) != summary.id:
        raise Conflict(
            f"The restore of {other} into {data_dir} was cut off when nearly done.",
            hint=f"Finish it: the same command with --backup {other}.",
        )
    await asyncio.to_thread(_move, data_dir)


def check_empty(data_dir: Path) -> None:
    """Return where a backup may be restored; a restore that was cut off may be repeated.

    Raises:
        Conflict: Something is in the folder.
    """
    if (data_dir / DRAFT / WHOLE).exists():  # some of it is in place already
        return
    there = data_dir.is_dir() and {path.name for path in data_dir.iterdir()} - {DRAFT, OF_A_DISK}
    if there or (data_dir.exists() and not data_dir.is_dir()):
        raise Conflict(
            f"{data_dir} is not empty; nothing was restored.",
            hint="Name a folder that is empty or not there, or move that one away.",
        )


@contextmanager
def _alone(data_dir: Path) -> Generator[None, None, None]:
    """Hold the folder; raises Conflict while another restore goes on, StartupError as `restore`."""
    try:
        make_folder(data_dir)
        held = os.open(data_dir, os.O_RDONLY)
    except OSError as error:
        raise StartupError(
            f"{data_dir} cannot be written: {error.strerror}. Nothing was restored."
        ) from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"Another restore into {data_dir} goes on; this one was not begun."
            ) from error
        yield
    finally:
        os.close(held)


def _begin(draft: Path, summary: Summary) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    for folder in (draft / _CONTENT, draft / _BLOBS):
        make_folder(folder)
    free, needed = shutil.disk_usage(draft).free, summary.content_bytes + MARGIN_BYTES
    if needed > free:
        raise DiskLow(
            f"The backup needs {needed:,} bytes, and {free:,} are free. Nothing was restored.",
            hint="Free space there, or restore into a folder on another disk.",
        )


def _forget(draft: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)


async def _fetch(archive: Archive, manifest: Manifest, draft: Path, told: Told | None) -> None:
    total = sum(entry.content_bytes for entry in manifest.entries)
    waiting = iter(manifest.entries)
    done = 0

    async def guarded(number: int) -> None:
        try:
            await fetcher(number)
        except BaseException:
            for _ in waiting:  # the others end with what they have in hand
                pass
            raise

    async def fetcher(number: int) -> None:
        nonlocal done
        for entry in waiting:
            blob = draft / _BLOBS / str(number)
            await _download(archive, entry, blob)
            target = draft / _CONTENT / inside(entry.root)
            written = await asyncio.to_thread(unpack, blob, entry.form, target)
            if written != entry.content_bytes:
                raise BackupDamaged(f"{entry.path} holds {written} bytes of {entry.content_bytes}.")
            done += written
            if told is not None:
                await told(done, total)

    # Not a group that cancels: a thread that unpacks goes on, and would write behind what is removed.
    ended = await asyncio.gather(*map(guarded, range(FETCHED_AT_ONCE)), return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error


async def _download(archive: Archive, entry: Entry, blob: Path) -> None:
    with blob.open("wb") as file:
        await verify(archive, entry, file.write)


async def verify(
    archive: Archive, entry: Entry, write: Callable[[bytes], object] | None = None
) -> None:
    """Read a blob and compare it with what was sent; raises BackupDamaged where it differs."""
    hashed = hashlib.sha256()
    try:
        async for chunk in archive.get(entry.path):
            hashed.update(chunk)
            if write is not None:
                await asyncio.to_thread(write, chunk)
    except NotFound:
        raise BackupDamaged(f"{entry.path} is missing ({entry.kind} {entry.root}).") from None
    if hashed.hexdigest() != entry.sha256:
        raise BackupDamaged(f"{entry.path} is not as it was sent ({entry.kind} {entry.root}).")


def _finish_draft(manifest: Manifest, draft: Path, id_: str) -> None:
    """Put links and folders in place, bring all of it to the disk, and mark the draft as whole."""
    for name, to in manifest.links:
        if not _LINK.fullmatch(name) or not _LINKED.fullmatch(to):
            raise BackupDamaged(
                f"The backup holds a link that is none of the store: '{name[:80]}'."
            )
        link = draft / _CONTENT / inside(name)
        make_folder(link.parent)
        link.symlink_to(to)
    for name in manifest.folders:
        make_folder(draft / _CONTENT / inside(name))
    shutil.rmtree(draft / _BLOBS)
    os.sync()
    (draft / WHOLE).write_text(id_)
    os.sync()


def _move(data_dir: Path) -> None:
    """Make the draft the data folder; again after a kill it goes on."""
    draft = data_dir / DRAFT
    for path in sorted((draft / _CONTENT).iterdir()):
        path.replace(data_dir / path.name)
    data_dir.chmod(0o700)
    # Away in one step: whoever sees no draft may start, and what is left of it is nobody's.
    gone = data_dir / GONE
    shutil.rmtree(gone, ignore_errors=True)
    make_folder(gone.parent)
    draft.rename(gone)
    os.sync()
    shutil.rmtree(gone, ignore_errors=True)
