"""Tables within their sizes and ages, on a real store: whole days go, the oldest first."""

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.clock import ManualClock
from playhead.config import Config, Data, Log, Retention
from playhead.errors import PlayheadError, StoreUnavailable
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.model import event_row
from playhead.process.retention import SizeKeeper, gone_of, size_limits
from playhead.process.worker import Worker
from playhead.record.tables import make_service_tables
from playhead.store.async_client import AsyncStoreClient
from playhead.store.client import StoreClient
from playhead.store.schema import days_kept, set_retention
from playhead.store.upkeep import SizeLimit, drop_expired, keep_sizes
from support.answering import NOW_MS, insert_views, view_row
from support.running_store import RunningStore, running_store

DAY_MS = 86_400_000
TODAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
ROWS = 200
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("sizes")) as running:
        yield running


@pytest.fixture
def client(store: RunningStore) -> StoreClient:
    for table in ("events", "views", "quarantine", "view_rollup_state"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")
    return store.client


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def insert_events(client: StoreClient, *ago: int) -> None:
    """Store some events of each day."""
    for days in ago:
        at_ms = NOW_MS - days * DAY_MS
        row: dict[str, Any] = dict.fromkeys(event_row.COLUMNS)
        rows = [
            list((row | {
                "view_key": f"default/{number}", "at": at_ms, "received_at": at_ms, "kind": "PLAY",
                "log_offset": number, "log_index": 0, "identity": number, "timestamp": at_ms,
            }).values())
            for number in range(ROWS)
        ]  # fmt: skip
        body = msgspec.json.Encoder().encode_lines(rows)
        client.insert("events", event_row.COLUMNS, body, token=f"sizes:{at_ms}:{id(rows)}")


def days_of(client: StoreClient, table: str) -> list[int]:
    """Return how many days ago each day of a table is, oldest first."""
    found = client.rows(
        "SELECT DISTINCT partition FROM system.parts WHERE active AND rows AND database = 'playhead'"
        " AND table = {table:String} ORDER BY partition",
        {"table": table},
    )
    return [(TODAY - date.fromisoformat(row[0])).days for row in found.rows]


def bytes_of(client: StoreClient, table: str) -> int:
    found = client.rows(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'playhead'"
        " AND table = {table:String}",
        {"table": table},
    )
    return int(found.rows[0][0])


def limit(bytes_max: int, *, stays: int = 1) -> SizeLimit:
    return SizeLimit(table="playhead.events", bytes_max=bytes_max, stays_from=day(stays))


def test_the_oldest_days_go_until_the_table_fits(client: StoreClient) -> None:
    insert_events(client, 4, 3, 2, 0)
    [removed] = keep_sizes(client, [limit(bytes_of(client, "events") * 6 // 10)])
    assert days_of(client, "events") == [2, 0]
    assert (removed.days, removed.rows) == ((str(day(4)), str(day(3))), 2 * ROWS)


def test_a_table_that_fits_stays_whole(client: StoreClient) -> None:
    insert_events(client, 3, 0)
    assert list(keep_sizes(client, [limit(1 << 30), limit(0)])) == []
    assert days_of(client, "events") == [3, 0]


def test_days_that_have_to_stay_stay(client: StoreClient) -> None:
    insert_events(client, 3, 2, 0)
    [removed] = keep_sizes(client, [limit(1, stays=2)])
    assert (days_of(client, "events"), removed.days) == ([2, 0], (str(day(3)),))


def test_a_table_without_days_loses_its_oldest_rows(client: StoreClient) -> None:
    client.command(
        "CREATE TABLE undivided (at DateTime64(3), text String) ENGINE = MergeTree ORDER BY at"
    )
    client.command(
        "INSERT INTO undivided SELECT now64(3) - toIntervalDay(number % 4), toString(rand64())"
        " FROM numbers(4000)"
    )
    half = bytes_of(client, "undivided") * 6 // 10
    kept = SizeLimit(table="playhead.undivided", bytes_max=half, stays_from=TODAY, day="at")
    [removed] = keep_sizes(client, [kept])
    found = client.rows("SELECT count(), uniqExact(toDate(at)) FROM undivided").rows
    client.command("DROP TABLE undivided")
    assert (found, removed.rows) == ([[2000, 2]], 2000)


def test_with_a_day_of_views_goes_what_names_its_sums(
    client: StoreClient, store: RunningStore
) -> None:
    for ago in (20, 3):
        insert_views(store, view_row(started_at=NOW_MS - ago * DAY_MS))
        client.command(
            "INSERT INTO playhead.view_rollup_state (first_seen_day, made)"
            f" VALUES ('{day(ago)}', {ago})"
        )
    views = SizeLimit(table="playhead.views", bytes_max=1, stays_from=day(9))
    assert [removed.days for removed in keep_sizes(client, [views])] == [(str(day(20)),)]
    assert client.rows("SELECT made FROM playhead.view_rollup_state").rows == [[3]]


def keeper(tmp_path: Path, client: StoreClient, **retention: int) -> tuple[SizeKeeper, Ledger]:
    config = msgspec.structs.replace(Config(), retention=Retention(**retention))
    ledger = Ledger(tmp_path / "worker.db")
    return SizeKeeper(config, client, ledger, ManualClock(NOW_MS)), ledger


def test_what_goes_is_added_up_in_the_ledger(client: StoreClient, tmp_path: Path) -> None:
    sizes, ledger = keeper(tmp_path, client, event_bytes=1)
    ledger.note(as_of_ms=NOW_MS)
    for _ in range(2):
        insert_events(client, 28, 20, 0)
        sizes.keep()
    gone = gone_of(ledger.notes())["playhead.events"]
    ledger.close()
    assert (gone.rows, gone.days, gone.last_day) == (4 * ROWS, 4, str(day(20)))
    assert days_of(client, "events") == [0]


def test_below_the_floor_what_has_expired_goes_although_nothing_is_merged(
    client: StoreClient, tmp_path: Path
) -> None:
    sizes, ledger = keeper(tmp_path, client)
    client.command("SYSTEM STOP MERGES")
    try:
        insert_events(client, 40, 29, 0)
        sizes.make_room()
    finally:
        client.command("SYSTEM START MERGES")
        ledger.close()
    assert days_of(client, "events") == [29, 0]


def test_below_the_floor_nothing_waits_for_what_the_engine_does_when_it_merges(
    client: StoreClient, tmp_path: Path, store: RunningStore
) -> None:
    sizes, ledger = keeper(tmp_path, client, view_bytes=1, event_bytes=1)
    ledger.note(as_of_ms=NOW_MS)
    insert_views(store, view_row(started_at=NOW_MS - 20 * DAY_MS))
    client.command(
        f"INSERT INTO playhead.view_rollup_state (first_seen_day, made) VALUES ('{day(20)}', 7)"
    )
    undivided = SizeLimit(table="playhead.views", bytes_max=1, stays_from=TODAY, day="started_at")
    client.command("SYSTEM STOP MERGES")
    try:
        with sizes._turn:  # house-keeping, which may wait for merges
            sizes.make_room()
            untouched = days_of(client, "views")
        assert list(keep_sizes(client, [undivided], is_merging=False)) == []
        sizes._room_at_s = 0.0
        sizes.make_room()
        assert (untouched, days_of(client, "views")) == ([20], [])
    finally:
        client.command("SYSTEM START MERGES")
    gone = gone_of(ledger.notes())
    ledger.close()
    assert gone["playhead.views"].days == 1


def test_what_went_before_the_store_refused_is_told(
    client: StoreClient, store: RunningStore
) -> None:
    class Refusing(StoreClient):
        left = 1

        def command(self, sql: str, *, settings: Mapping[str, object] | None = None) -> None:
            if not self.left:
                raise StoreUnavailable("It does not answer.")
            self.left -= 1
            super().command(sql, settings=settings)

    insert_events(client, 5, 4, 0)
    refusing = Refusing(store.location)
    removing = keep_sizes(refusing, [limit(1)])
    assert next(removing).days == (str(day(5)),)
    with pytest.raises(StoreUnavailable):
        next(removing)
    refusing.close()
    assert days_of(client, "events") == [4, 0]


def test_what_is_kept_for_ever_never_expires(client: StoreClient) -> None:
    insert_events(client, 20, 0)
    assert drop_expired(client, {"events": 0}, TODAY) == []
    assert drop_expired(client, {"events": 19, "views": 1}, TODAY) == [f"events {day(20)}"]


def test_a_worker_that_is_behind_keeps_the_days_it_is_at(
    client: StoreClient, tmp_path: Path
) -> None:
    sizes, ledger = keeper(tmp_path, client, event_bytes=1)
    insert_events(client, 28, 20, 15)
    sizes.keep()
    untouched = days_of(client, "events")
    ledger.note(as_of_ms=NOW_MS - 15 * DAY_MS)
    sizes.keep()
    ledger.close()
    assert (untouched, days_of(client, "events")) == ([28, 20, 15], [20, 15])


def test_events_that_a_late_one_may_join_stay() -> None:
    limits = {one.table: one for one in size_limits(Config(), today=TODAY)}
    assert limits["playhead.events"].stays_from == day(8)
    assert limits["playhead.quarantine"].stays_from == day(1)
    assert limits["tinybird.pipe_stats_rt"].stays_from == TODAY


def test_ages_are_set_where_they_change_and_taken_back(client: StoreClient) -> None:
    config = msgspec.structs.replace(Config(), retention=Retention(frame_days=3))
    days = days_kept(config)
    assert set_retention(client, days) == ["stream_frames"]
    assert set_retention(client, days) == []
    for_ever = days | {"events": 0}
    assert set_retention(client, for_ever) == ["events"]
    assert set_retention(client, days_kept(Config())) == ["events", "stream_frames"]


def test_a_table_that_is_not_cut_by_days_loses_rows_one_by_one(client: StoreClient) -> None:
    set_retention(client, days_kept(Config()))
    found = client.rows(
        "SELECT engine_full FROM system.tables WHERE database = 'playhead'"
        " AND name = 'quarantine_retries'"
    )
    assert "ttl_only_drop_parts = 0" in found.rows[0][0]
    assert "toIntervalDay(30)" in found.rows[0][0]


async def test_the_time_of_every_service_table_is_a_column_of_it(store: RunningStore) -> None:
    own = AsyncStoreClient(store.location)
    await make_service_tables(own)
    await own.close()
    config = msgspec.structs.replace(Config(), retention=Retention(service_table_bytes=1))
    limits = [one for one in size_limits(config, today=TODAY) if one.day]
    for one in limits:
        store.client.command(f"INSERT INTO {one.table} ({one.day}) SELECT now() - toIntervalDay(2)")
    removed = {one.table for one in keep_sizes(store.client, limits)}
    assert {one.table for one in limits} - removed == set()
    assert len(limits) == 12


def test_the_worker_keeps_sizes_in_idle_time(client: StoreClient, tmp_path: Path) -> None:
    config = msgspec.structs.replace(
        Config(), data=Data(dir=str(tmp_path)), retention=Retention(event_bytes=1)
    )
    clock, ledger = ManualClock(NOW_MS), Ledger(tmp_path / "worker.db")
    worker = Worker(config, MemoryLog(config.log, clock), client, ledger, clock)
    insert_events(client, 20, 0)
    ledger.note(as_of_ms=NOW_MS)
    worker._optimize()
    gone = gone_of(ledger.notes())
    ledger.close()
    assert (days_of(client, "events"), list(gone)) == ([0], ["playhead.events"])


def test_a_worker_lets_merges_go_on_that_a_killed_one_has_stopped(
    client: StoreClient, tmp_path: Path
) -> None:
    config = msgspec.structs.replace(
        Config(), data=Data(dir=str(tmp_path)), log=Log(free_space_floor_bytes=0)
    )
    clock, ledger = ManualClock(NOW_MS), Ledger(tmp_path / "worker.db")
    worker = Worker(config, MemoryLog(config.log, clock), client, ledger, clock)
    client.command("SYSTEM STOP MERGES")
    insert_events(client, 0, 0)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until = time.monotonic() + WITHIN_S
        while not merged(client):
            assert time.monotonic() < until, "nothing is merged"
            time.sleep(0.05)
    finally:
        client.command("SYSTEM START MERGES")
        worker.stop()
        thread.join()
        ledger.close()


def merged(client: StoreClient) -> bool:
    try:
        client.command("OPTIMIZE TABLE playhead.events FINAL")
    except PlayheadError:  # what is cut off is no failure of the query
        return False
    return True
