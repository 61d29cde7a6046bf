"""Making a backup: take the moment, send what is not there yet, and only then let it be seen."""

import asyncio
import hashlib
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from playhead import __version__
from playhead.backup.draft import Draft
from playhead.backup.folder import needed_bytes
from playhead.backup.manifest import (
    BLOBS,
    Entry,
    Manifest,
    Summary,
    marker_path,
    read_manifest,
    read_markers,
    read_summaries,
    write_manifest,
    write_marker,
    write_summary,
)
from playhead.backup.moment import Patience, Taken, take
from playhead.backup.pack import Pack, key_of, packed
from playhead.clock import Clock
from playhead.config import Config
from playhead.connect.buckets.bucket import Archive
from playhead.errors import BackupDamaged, DiskLow, InvalidRequest, NotFound
from playhead.log.database import write_error
from playhead.log.space import FreeSpace
from playhead.observe import counter, gauge, logger
from playhead.store.client import StoreClient
from playhead.store.location import embedded

MARK_EVERY_S: Final = 30.0
"""How often is written down what was sent: a backup that is cut off is not sent twice."""
Told = Callable[[int, int], Awaitable[None]]
"""Is told how many bytes of how many are settled."""
_LOG = logger("backup")
_SENT = counter("backup_sent_bytes", "Bytes of backups sent to where they are kept")
_NEWEST = gauge("backup_newest_at_ms", "The moment of the newest backup made by this process")


class Known:
    """What is there already, by name and, for what never changes in place, by stamp."""

    def __init__(self) -> None:
        self._by_key: dict[str, Entry] = {}
        self._by_stamp: dict[tuple[str, str, str], Entry] = {}

    def add(self, entries: tuple[Entry, ...], sizes: dict[str, int]) -> None:
        """Take in what a backup is made of, as far as it is there in its length; `sizes` by path."""
        for entry in entries:
            if sizes.get(entry.path) != entry.bytes:
                continue
            self._by_key[entry.key] = entry
            if entry.stamp:
                self._by_stamp[entry.kind, entry.root, entry.stamp] = entry

    def of(self, pack: Pack) -> tuple[str, Entry | None]:
        """Return a pack's name, and its entry where it is there; reads the files for the name."""
        found = self._by_stamp.get((pack.kind, pack.root, pack.stamp)) if pack.stamp else None
        if found is not None:
            return found.key, found
        key = key_of(pack)
        return key, self._by_key.get(key)


async def make_backup(
    config: Config, archive: Archive, clock: Clock, told: Told | None = None
) -> Summary:
    """Make a backup of the data folder; its server may run or not, its store must.

    Args:
        config: `data_dir` and `[backup]`.
        archive: Where it goes.
        clock: Time.
        told: Progress.

    Raises:
        Conflict: Another backup of this folder is being made.
        RowsUnsettled: Builds or rows on their way do not come to an end.
        DiskLow: There is no room for the copies, here or there.
        BucketRefused: It could not be sent; what was sent is not sent again.
    """
    if config.store.kind != "embedded":
        raise InvalidRequest(
            "The tables are on a ClickHouse server of its own, which this cannot back up.",
            hint="Use its BACKUP statement, and copy the data folder while Playhead is stopped.",
        )
    made = datetime.fromtimestamp(clock.now_ms() / 1_000, UTC)
    id_ = f"{made:%Y%m%dT%H%M%S}{made.microsecond // 1_000:03}Z-{secrets.token_hex(3)}"
    stop = threading.Event()
    draft = await asyncio.to_thread(Draft, config.data_dir, id_)
    try:
        patience = Patience(clock, config.backup.max_wait_ms / 1_000, stop)
        taken = await asyncio.to_thread(_take, config, draft, patience)
        return await Sending(config, archive, clock, told).run(id_, taken)
    finally:
        stop.set()  # a thread that still waits for others ends; what it takes is swept at the next start
        await asyncio.to_thread(draft.close)


def _take(config: Config, draft: Draft, patience: Patience) -> Taken:
    needed = needed_bytes(config.data_dir)
    floor = config.log.free_space_floor_bytes
    try:
        FreeSpace(config.data_dir, floor + needed, patience.clock).check()
    except DiskLow:
        raise DiskLow(
            f"A backup copies {needed:,} bytes first, and below them and the free-space floor"
            " nothing is left on the data folder's disk. No backup was made."
        ) from None
    store = StoreClient(embedded(config.data_dir))
    try:
        return take(config.data_dir, store, draft, patience)
    except OSError as error:
        raise write_error(error, draft.folder / "draft") from error
    finally:
        store.close()


class Sending:
    """Sends what was taken."""

    def __init__(
        self, config: Config, archive: Archive, clock: Clock, told: Told | None = None
    ) -> None:
        self._config = config
        self._archive = archive
        self._clock = clock
        self._told = told
        self._known = Known()
        self._entries: list[Entry] = []
        self._sent: list[Entry] = []
        self._source = source_of(config.data_dir)
        self._marked_s = clock.monotonic_s()

    async def run(self, id_: str, taken: Taken) -> Summary:
        """Send it, and let it be seen; raises as `make_backup`."""
        await self._look()
        total = sum(pack.bytes for pack in taken.packs)
        missing = await self._missing(taken.packs)
        self._check_room(sum(pack.bytes for pack, _ in missing))
        await write_marker(self._archive, self._source, self._clock.now_ms(), self._entries)
        await self._send(missing, total)
        await self._check_whole()
        manifest = Manifest(
            id=id_,
            entries=tuple(sorted(self._entries, key=lambda one: (one.kind, one.root, one.key))),
            links=tuple(taken.links),
            folders=tuple(taken.folders),
        )
        digest = await write_manifest(self._archive, manifest)
        summary = self._summary(id_, taken, total, digest)
        await write_summary(self._archive, summary)
        await self._archive.remove(marker_path(self._source))
        _NEWEST.set(taken.taken_at)
        return summary

    def _summary(self, id_: str, taken: Taken, total: int, digest: str) -> Summary:
        return Summary(
            id=id_,
            taken_at=taken.taken_at,
            ended_at=self._clock.now_ms(),
            release=__version__,
            source=self._source,
            position=taken.position,
            log_next=taken.log_next,
            tables=taken.tables,
            packs=len(self._entries),
            content_bytes=total,
            stored_bytes=sum(entry.bytes for entry in self._entries),
            sent_packs=len(self._sent),
            sent_bytes=sum(entry.bytes for entry in self._sent),
            held_ms=taken.held_ms,
            manifest_sha256=digest,
        )

    async def _look(self) -> None:
        """Learn what is there: of the newest backup, and of those that were cut off."""
        sizes = await self._sizes()
        for summary in await read_summaries(self._archive, most=1):
            try:
                self._known.add((await read_manifest(self._archive, summary)).entries, sizes)
            except (BackupDamaged, NotFound) as error:  # then everything is sent
                _LOG.warning("backup_not_read", id=summary.id, reason=error.message)
        for marker in await read_markers(self._archive):
            self._known.add(marker.entries, sizes)

    async def _sizes(self) -> dict[str, int]:
        return {file.path: file.bytes async for file in self._archive.listed(BLOBS)}

    async def _missing(self, packs: list[Pack]) -> list[tuple[Pack, str]]:
        """Return the packs that must be sent, with their names; note those that need not."""

        def look() -> list[tuple[Pack, str]]:
            missing = []
            for pack in packs:
                key, entry = self._known.of(pack)
                if entry is None:
                    missing.append((pack, key))
                else:  # its stamp may be new: a restored folder has other files of the same content
                    self._entries.append(msgspec.structs.replace(entry, stamp=pack.stamp))
            return missing

        return await asyncio.to_thread(look)

    def _check_room(self, needed: int) -> None:
        free = self._archive.free_bytes()
        if free is not None and needed > free:
            raise DiskLow(
                f"The backup needs up to {needed:,} bytes, and {free:,} are free where it goes."
                " No backup was made.",
                hint="Free space there, prune older backups, or name another place.",
            )

    async def _send(self, missing: list[tuple[Pack, str]], total: int) -> None:
        waiting = iter(missing)
        settled = total - sum(pack.bytes for pack, _ in missing)

        async def sender() -> None:
            nonlocal settled
            for pack, key in waiting:
                entry = await self._put(pack, key)
                self._entries.append(entry)
                self._sent.append(entry)
                settled += pack.bytes
                await self._mark()
                if self._told is not None:
                    await self._told(settled, total)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._config.backup.max_uploads):
                    group.create_task(sender())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _put(self, pack: Pack, key: str) -> Entry:
        hashed = hashlib.sha256()
        entry = Entry(
            kind=pack.kind, root=pack.root, key=key, form=pack.form, sha256="", bytes=0,
            content_bytes=pack.bytes, stamp=pack.stamp,
        )  # fmt: skip

        async def content() -> AsyncIterator[bytes]:
            chunks = packed(pack)
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                hashed.update(chunk)
                yield chunk

        written = await self._archive.put(entry.path, content())
        _SENT.inc(written)
        return msgspec.structs.replace(entry, sha256=hashed.hexdigest(), bytes=written)

    async def _mark(self) -> None:
        """Write down now and then what was sent."""
        now_s = self._clock.monotonic_s()
        if now_s - self._marked_s >= MARK_EVERY_S:
            self._marked_s = now_s
            await write_marker(self._archive, self._source, self._clock.now_ms(), self._entries)

    async def _check_whole(self) -> None:
        """Look once more: somebody may have removed what need not be sent again."""
        sizes = await self._sizes()
        gone = [one for one in self._entries if sizes.get(one.path) != one.bytes]
        if gone:
            raise BackupDamaged(
                f"{len(gone)} files of the backup are not there as they were sent, such as"
                f" {gone[0].path}. It does not count.",
                hint="Make it again; let nothing else remove files where backups are kept.",
            )


def source_of(data_dir: Path) -> str:
    """Return what stands for a data folder of a machine where its backups are kept."""
    name = f"{socket.gethostname()}\n{data_dir}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]
