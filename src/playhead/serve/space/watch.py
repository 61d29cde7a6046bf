"""Looks at the space: at once when somebody asks, and every hour for the rate."""

import asyncio
import math
from pathlib import Path
from typing import Final

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.log.base import Log
from playhead.log.offsets import Ledger
from playhead.log.segment import segment_firsts
from playhead.observe import gauge, logger
from playhead.process.retention import Gone, gone_of
from playhead.project.homes import folder_of, known_of
from playhead.serve.bookkeeping import manifests_of
from playhead.serve.space.items import Item, LogHeld, Owner, Table, items_of
from playhead.serve.space.outlook import (
    EVERY_MS,
    ITEMS_MAX,
    Outlook,
    Sample,
    base_of,
    outlook,
    per_day,
    read_samples,
    with_sample,
    write_samples,
)
from playhead.serve.space.walk import Walked, walk
from playhead.store.async_client import AsyncStoreClient

LOOK_MS: Final = 15_000
"""An answer may be so old: walking a large folder takes seconds."""
LOOK_SHARE: Final = 20
"""An answer is held so many times as long as looking took: never more than a part of a processor."""
TURN_S: Final = 60.0
SOON_S: Final = 5.0
"""Until the next turn where tables have no names: the store starts, as a rule."""
MISSED_MAX: Final = 12
"""After so many turns a sample is taken although tables have no names: the rate does not need them."""
TABLES_MAX: Final = 20_000
_TABLES: Final = (
    "SELECT database, name, toString(uuid), engine_full FROM system.tables"
    " WHERE engine LIKE '%MergeTree' AND database NOT IN ('system', 'INFORMATION_SCHEMA',"
    " 'information_schema') LIMIT {most:UInt32}"
)
_PARTS: Final = (
    "SELECT database, table, sum(rows), sum(bytes_on_disk), count(),"
    " toString(minIf(at, at > toDate(0))), toString(maxIf(until, until > toDate(0)))"
    " FROM (SELECT database, table, rows, bytes_on_disk,"
    r" match(partition, '^\\d{4}-\\d\\d-\\d\\d$') AS by_day,"
    " multiIf(by_day, toDateOrZero(partition), min_date > toDate(0), min_date, toDate(min_time)) AS at,"
    " multiIf(by_day, toDateOrZero(partition), max_date > toDate(0), max_date, toDate(max_time))"
    " AS until FROM system.parts WHERE active) GROUP BY database, table LIMIT {most:UInt32}"
)
_NO_DAY: Final = "1970-01-01"
_STATES: Final = {"ok": 0, "warn": 1, "low": 2}
_LOG = logger("space")
_FLOOR = gauge("disk_floor_bytes", "Below this much free disk nothing is taken.")
_WARNING = gauge("disk_warning_bytes", "Below this much free disk is a warning.")
_STATE = gauge("disk_state", "0 enough space, 1 a warning, 2 below the floor.")
_FULL = gauge(
    "disk_full_in_days", "Until the disk is full at the present rate; +Inf: not in sight."
)
_DATA = gauge("data_bytes", "What the data folder takes on disk; looked at every hour.")
_GROWTH = gauge("data_growth_bytes_per_day", "How fast the disk fills, whoever fills it.")
_GONE_ROWS = gauge("retention_removed_rows", "Rows removed because of a table's size.", ("table",))
_GONE_BYTES = gauge(
    "retention_removed_bytes", "Bytes removed because of a table's size.", ("table",)
)


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """What uses the space, at one time (UTC ms)."""

    at_ms: int
    data_bytes: int
    """The data folder, as `du` counts; the items of a store elsewhere are not in it."""
    items: list[Item]
    reason: str = ""
    """Why something is missing in it."""
    took_ms: int = 0


class SpaceWatch:
    """What the web process knows of space. `run` is a task of it.

    Args:
        config: The settings.
        clock: The clock.
        store: The store.
        log: The log; only read.
        ledger: The worker's; only read.
    """

    def __init__(
        self, config: Config, clock: Clock, store: AsyncStoreClient, log: Log, ledger: Ledger
    ) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._log = log
        self._ledger = ledger
        self._turn = asyncio.Lock()
        self._space: Space | None = None
        self._missed = 0
        self._samples = read_samples(config.data_dir)

    def outlook(self) -> Outlook:
        """Return how the disk fares; quick."""
        return outlook(self._samples, self._config.data_dir, self._config, self._clock.now_ms())

    async def space(self) -> Space:
        """Return what uses the space, not older than `LOOK_MS`; callers at one time share one look."""
        async with self._turn:
            held = self._space
            holds_ms = _holds_ms(held) if held else 0
            if held is None or not 0 <= self._clock.now_ms() - held.at_ms < holds_ms:
                held = self._space = await self._look()
            return held

    async def gone(self) -> dict[str, Gone]:
        """Return what went of tables because of their size."""
        return gone_of(await asyncio.to_thread(self._ledger.notes))

    async def run(self) -> None:
        """Keep samples and gauges until cancelled."""
        while True:
            try:
                await self._keep_sample()
                await self._show()
            except Exception as error:  # noqa: BLE001 (the gauges must not stand still unsaid)
                _LOG.warning("space_not_looked_at", reason=repr(error))
            await asyncio.sleep(SOON_S if self._missed else TURN_S)

    async def _keep_sample(self) -> None:
        now_ms = self._clock.now_ms()
        last_ms = self._samples[-1].at_ms if self._samples else 0
        if 0 <= now_ms - last_ms < EVERY_MS:
            return
        space, now = await self.space(), self.outlook()
        if space.reason and self._missed < MISSED_MAX:
            self._missed += 1
            return
        self._missed = 0
        sample = Sample(
            at_ms=now_ms,
            free_bytes=now.free_bytes,
            total_bytes=now.total_bytes,
            data_bytes=space.data_bytes,
            items={} if space.reason else {one.id: one.bytes for one in space.items},
        )
        self._samples = with_sample(self._samples, sample)
        await asyncio.to_thread(write_samples, self._config.data_dir, self._samples)

    async def _show(self) -> None:
        now = await asyncio.to_thread(self.outlook)
        _FLOOR.set(now.floor_bytes)
        _WARNING.set(now.warning_bytes)
        _STATE.set(_STATES[now.state])
        _FULL.set(math.inf if now.full_in_days is None else now.full_in_days)
        _GROWTH.set(math.nan if now.growth_bytes_per_day is None else now.growth_bytes_per_day)
        _DATA.set(self._samples[-1].data_bytes if self._samples else math.nan)
        for table, gone in (await self.gone()).items():
            _GONE_ROWS.labels(table).set(gone.rows)
            _GONE_BYTES.labels(table).set(gone.bytes)

    async def _look(self) -> Space:
        now_ms, began_s = self._clock.now_ms(), self._clock.monotonic_s()
        reasons = []
        try:
            tables: list[Table] | None = await self._tables()
        except PlayheadError as error:
            tables = None
            reasons.append(f"The store does not answer, so tables have no names: {error.message}")
        folder = self._config.data_dir
        walked, owners = await asyncio.to_thread(_on_disk, folder)
        if not walked.is_whole:
            reasons.append(f"Only the first {walked.files:,} files were looked at.")
        try:
            held = await asyncio.to_thread(_held, self._log, folder / "log")
        except (PlayheadError, OSError) as error:
            held = LogHeld()
            reasons.append(f"The log cannot be read: {error}")
        items = items_of(walked, tables, held, self._config, owners)
        return Space(
            at_ms=now_ms,
            data_bytes=walked.bytes,
            items=items if reasons else self._with_growth(items, now_ms),
            reason=" ".join(reasons),
            took_ms=round((self._clock.monotonic_s() - began_s) * 1000),
        )

    async def _tables(self) -> list[Table]:
        most = {"most": TABLES_MAX}
        parts = {
            (str(row[0]), str(row[1])): row[2:]
            for row in (await self._store.rows(_PARTS, most)).rows
        }
        found = []
        for database, name, uuid, engine in (await self._store.rows(_TABLES, most)).rows:
            rows, size, count, oldest, newest = parts.get((database, name), (0, 0, 0, "", ""))
            found.append(Table(
                database=database, name=name, uuid=uuid, engine=engine, rows=int(rows),
                bytes=int(size), parts=int(count), oldest=_day(oldest), newest=_day(newest),
            ))  # fmt: skip
        return found

    def _with_growth(self, items: list[Item], now_ms: int) -> list[Item]:
        """Return items with their growth since the sample of a day ago, where that knew them."""
        base = base_of(self._samples, now_ms)
        if base is None or not base.items:
            return items
        since_ms = now_ms - base.at_ms
        # A use that a whole sample does not name began since; one that was cut off may be older.
        missing = 0 if len(base.items) < ITEMS_MAX else None
        grown: list[Item] = []
        for item in items:
            before = base.items.get(item.id, missing)
            growth = None if before is None else per_day(item.bytes - before, since_ms)
            grown.append(msgspec.structs.replace(item, growth_bytes_per_day=growth))
        return grown


def _holds_ms(held: Space) -> int:
    """Return how long an answer is held; one where something is missing not for its own sake."""
    return max(0 if held.reason else LOOK_MS, LOOK_SHARE * held.took_ms)


def _on_disk(folder: Path) -> tuple[Walked, dict[str, Owner]]:
    owners = {}
    for id_, manifest in manifests_of(folder):
        known = known_of(folder_of(folder, id_)) if id_ else None
        owners[id_] = Owner(known.name if known else id_, manifest)
    return walk(folder), owners


def _held(log: Log, folder: Path) -> LogHeld:
    bounds = log.bounds()
    first = log.read(bounds.first, max_records=1, max_bytes=1) if bounds.next else []
    return LogHeld(
        events=bounds.events_total - (log.events_before(bounds.first) if bounds.next else 0),
        segments=len(segment_firsts(folder)),
        oldest_ms=first[0].received_at if first else 0,
        newest_ms=bounds.newest_received_at,
    )


def _day(text: str) -> str | None:
    return None if text in {"", _NO_DAY} else text
