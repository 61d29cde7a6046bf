"""Idempotency keys: a request sent again under its key gets the first answer and stores nothing.

A retry of a client must not count twice, not even when the first sending was cut off by a kill. So
a key goes through three states on disk, in `doors.db`:

1. Before the append: an *intent* with the key's hash, the log's end at that moment, and the answer
   that will be given. It is on disk when the append begins.
2. The append. The hash stands in the meta of every entry, and all entries of a request are one
   commit, so the log itself says whether the request is stored.
3. After it: the intent is marked as done and the answer given.

An intent that is not done and whose request is not running is settled by reading the log from the
noted end on: is the hash there, the request is stored and its answer known; is it not, the key is
free. This is done at the start for all of them, and again for one whose append failed in a way
that leaves doubt. Records that were moved away by hand are no longer stored, so their key is free.

A key counts within one door and one token (or, without one, one property). Under another body it
is refused: the first answer would claim that this one is stored.
"""

import asyncio
import sqlite3
import threading
import zlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from playhead.clock import Clock
from playhead.config import Collect
from playhead.errors import InvalidRequest, OffsetGone, PlayheadError, RateLimited, SchemaTooNew
from playhead.log.base import Entry, Log
from playhead.log.database import connect, make_durable, read_error, write_error
from playhead.model.event import Meta
from playhead.observe import counter, logger

HEADER: Final = b"idempotency-key"
DATABASE_FILE: Final = "doors.db"
KEY_BYTES_MAX: Final = 256
ANSWERS_MAX_BYTES: Final = 256 << 20
"""Packed answers remembered, all together."""
NOT_ASKED: Final = frozenset({"key", "token", "wait"})
"""Parameters that change nothing of what is stored."""
BUSY_RETRY_S: Final = 1
FULL_RETRY_S: Final = 60
THREADS: Final = 2
"""One that waits for the disk, and one that may read the log."""
VERSION: Final = 1
_READ_RECORDS: Final = 1_000
_READ_BYTES: Final = 16 << 20
_NAMED: Final = b'"idempotency"'
_SCHEMA: Final = """
BEGIN;
CREATE TABLE keys (
  hash BLOB PRIMARY KEY, body_hash BLOB NOT NULL, made_at INTEGER NOT NULL, after INTEGER NOT NULL,
  stored_at INTEGER, status INTEGER NOT NULL, answer BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX keys_made_at ON keys (made_at);
PRAGMA user_version=1;
COMMIT;
"""
_TOTALS: Final = "SELECT count(*), coalesce(sum(length(answer)), 0) FROM keys"
_META = msgspec.json.Decoder(Meta)
_KEYS = counter("idempotency_keys", "Requests with a key, by what became of them.", ("outcome",))
_LOG = logger("collect")
_T = TypeVar("_T")


class Key(msgspec.Struct, frozen=True):
    """A key of one sender at one door, hashed, and the hash of the body that came with it."""

    hash: bytes
    body_hash: bytes

    @property
    def text(self) -> str:
        """Return what stands in the meta of the request's entries."""
        return self.hash.hex()


class Kept(msgspec.Struct, frozen=True):
    """An answer: status, JSON body, and the offset of the request's last entry in the log."""

    status: int
    body: bytes
    offset: int


def key_of(value: bytes, who: tuple[str, ...], query: bytes, body: bytes) -> Key:
    """Return the key of a request; a large body takes some ms.

    Args:
        value: The header.
        who: Door, property and token.
        query: The query string, part of the body here but for `NOT_ASKED`.
        body: The body, unpacked.

    Raises:
        InvalidRequest: The header is empty or longer than `KEY_BYTES_MAX`.
    """
    if not 0 < len(value) <= KEY_BYTES_MAX:
        raise InvalidRequest(
            f"An Idempotency-Key has 1 to {KEY_BYTES_MAX} bytes. Nothing was stored."
        )
    hashed = blake2b(msgspec.json.encode(who), digest_size=16)
    hashed.update(value)
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = sorted(pair for pair in pairs if pair[0] not in NOT_ASKED)
    content = blake2b(msgspec.json.encode(asked), digest_size=16)
    content.update(body)
    return Key(hashed.digest(), content.digest())


class Keys:
    """The keys of one data folder, in a SQLite file that the web process alone opens.

    Every change is on disk on return. Calls that touch the disk run in a thread.

    Args:
        path: The file; made at the first use, if it is missing.
        log: Where the doors append; only read here.
        config: `idempotency_ms`, `max_idempotency_keys`.
        clock: Time.

    What each call may raise besides: LogCorrupt, LogUnavailable, DiskLow where the file or the log
    cannot be read or written; SchemaTooNew where a newer release wrote the file.
    """

    def __init__(self, path: Path, log: Log, config: Collect, clock: Clock) -> None:
        self._path = path
        self._log = log
        self._keep_ms = config.idempotency_ms
        self._keys_max = config.max_idempotency_keys
        self._clock = clock
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._running: dict[bytes, asyncio.Future[Any]] = {}
        self._count = self._bytes = 0
        # Not the loop's own threads: a flood of keys must not hold up what else runs in those.
        self._threads = ThreadPoolExecutor(THREADS, "idempotency")

    async def once(self, key: Key, take: Callable[[], Awaitable[_T]]) -> _T:
        """Run a request, never two of the same key at a time; it ends even if its caller leaves.

        Raises:
            RateLimited: A request of this key is running.
        """
        if key.hash in self._running:
            _KEYS.labels("busy").inc()
            raise RateLimited(
                "A request with this Idempotency-Key is running. Nothing of this one was stored.",
                retry_after_s=BUSY_RETRY_S,
            )
        running = asyncio.ensure_future(take())
        self._running[key.hash] = running
        running.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(running)

    async def find(self, key: Key) -> Kept | None:
        """Return the first answer of a key; None if the key is free.

        Raises:
            InvalidRequest: The key came before with another body.
            LogUnavailable: It cannot be told at the moment.
        """
        kept = await self._run(self._find, key)
        if kept is not None:
            _KEYS.labels("repeated").inc()
        return kept

    async def append(
        self,
        key: Key,
        append: Callable[..., Awaitable[int]],
        entries: Sequence[Entry],
        answer: tuple[int, bytes],
    ) -> int:
        """Put the entries of a request into the log; return the offset of the first.

        Args:
            key: A free key; its text is in the meta of every entry.
            append: Puts them there, all or none.
            entries: At least one.
            answer: Status and JSON body that the request will get.

        Raises:
            RateLimited: As many keys as allowed are remembered; nothing was stored.
            PlayheadError, OSError: Nothing was stored, or `find` will tell.
        """
        await self._run(self._intend, key, answer)
        try:
            first = await append(*entries)
        except (PlayheadError, OSError):
            with suppress(PlayheadError):
                await self._run(self._find, key)  # frees it unless it is in the log
            raise
        try:
            await self._run(self._done, key.hash, first + len(entries) - 1)
        except PlayheadError as error:  # stored it is; `find` will see it in the log
            _LOG.warning("idempotency_key_not_marked", reason=error.message)
        _KEYS.labels("new").inc()
        return first

    def settle(self) -> int:
        """Look in the log for every intent that is not done; return how many there were.

        Called at the start, before any request: what a kill left open is closed here.
        """
        self._purge()
        rows = self._ask("SELECT hash, after FROM keys WHERE stored_at IS NULL", ())
        if rows:
            found = self._look({hashed for hashed, _ in rows}, min(after for _, after in rows))
            for hashed, _ in rows:
                self._close(hashed, found.get(hashed))
            _LOG.info("idempotency_keys_settled", open=len(rows), stored=len(found))
        return len(rows)

    def close(self) -> None:
        """Release the file."""
        self._threads.shutdown(wait=False)
        with self._mutex:
            self._release()

    async def _run(self, call: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def _ended(self, key: Key, done: "asyncio.Future[Any]") -> None:
        self._running.pop(key.hash, None)
        if not done.cancelled():
            done.exception()  # seen, so that it is not reported when the caller has left

    def _find(self, key: Key) -> Kept | None:
        rows = self._ask(
            "SELECT body_hash, after, stored_at, status, answer FROM keys"
            " WHERE hash = ? AND made_at >= ?",
            (key.hash, self._clock.now_ms() - self._keep_ms),
        )
        if not rows:
            return None
        body_hash, after, stored_at, status, answer = rows[0]
        if stored_at is None:
            stored_at = self._look({key.hash}, after).get(key.hash)
            self._close(key.hash, stored_at)
            if stored_at is None:
                return None
        if body_hash != key.body_hash:
            raise InvalidRequest(
                "This Idempotency-Key came before with another body. Nothing of this was stored.",
                hint="Make a new key for every new body; keep it only for sending the same again.",
            )
        return Kept(status, zlib.decompress(answer), stored_at)

    def _intend(self, key: Key, answer: tuple[int, bytes]) -> None:
        status, body = answer
        packed = zlib.compress(body, 1)
        self._purge()
        if self._count >= self._keys_max or self._bytes + len(packed) > ANSWERS_MAX_BYTES:
            raise RateLimited(
                "As many Idempotency-Keys as allowed are remembered (collect.max_idempotency_keys)."
                " Nothing of this request was stored.",
                retry_after_s=FULL_RETRY_S,
            )
        values = (key.hash, key.body_hash, self._clock.now_ms(), self._log.bounds().next)
        self._write("INSERT INTO keys VALUES (?, ?, ?, ?, NULL, ?, ?)", (*values, status, packed))
        with self._mutex:
            self._count += 1
            self._bytes += len(packed)

    def _done(self, hashed: bytes, offset: int) -> None:
        self._write("UPDATE keys SET stored_at = ? WHERE hash = ?", (offset, hashed))

    def _close(self, hashed: bytes, offset: int | None) -> None:
        """Mark an intent as done, or forget it where the log does not hold its request."""
        if offset is not None:
            self._done(hashed, offset)
            return
        self._forget("hash = ?", (hashed,))

    def _purge(self) -> None:
        """Forget what is older than the keys are kept."""
        self._forget("made_at < ?", (self._clock.now_ms() - self._keep_ms,))

    def _forget(self, which: str, values: tuple[object, ...]) -> None:
        # `which` is one of the two texts above, never a sender's.
        query = f"DELETE FROM keys WHERE {which} RETURNING length(answer)"  # noqa: S608
        gone = self._write(query, values)
        with self._mutex:
            self._count -= len(gone)
            self._bytes -= sum(size for (size,) in gone)

    def _look(self, hashes: set[bytes], offset: int) -> dict[bytes, int]:
        """Return the last offset in the log of each of these requests that is there."""
        names = {hashed.hex(): hashed for hashed in hashes}
        found: dict[bytes, int] = {}
        while True:
            try:
                records = self._log.read(offset, max_records=_READ_RECORDS, max_bytes=_READ_BYTES)
            except OffsetGone as gone:
                offset = gone.next_offset
                continue
            if not records:
                return found
            for record in records:
                if _NAMED in record.meta:
                    hashed = names.get(_META.decode(record.meta).idempotency)
                    if hashed is not None:
                        found[hashed] = record.offset
            offset = records[-1].offset + 1

    def _ask(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._mutex:
            try:
                return self._ready().execute(query, values).fetchall()
            except sqlite3.Error as error:
                self._release()
                raise read_error(error, self._path) from error

    def _write(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._mutex:
            try:
                return self._ready().execute(statement, values).fetchall()
            except sqlite3.Error as error:
                self._release()  # the next call opens it again
                raise write_error(error, self._path) from error

    def _ready(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = connect(self._path, mode="rwc")
            try:
                self._prepare(connection)
                (self._count, self._bytes) = connection.execute(_TOTALS).fetchone()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise SchemaTooNew(f"{self._path} has version {version}; this one reads {VERSION}.")
        connection.execute("PRAGMA journal_mode=WAL")
        make_durable(connection)
        if version == 0:
            connection.executescript(_SCHEMA)

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
