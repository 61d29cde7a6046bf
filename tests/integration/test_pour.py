"""Rows of a frozen table go into another exactly once, whatever ends in between."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.errors import PlayheadError
from playhead.store.async_client import AsyncStoreClient
from playhead.store.pour import Flow, Part, freeze, parts_of, pour
from support.running_store import RunningStore, running_store

WINDOW = "SETTINGS non_replicated_deduplication_window = 10000"
TABLES = (
    "CREATE DATABASE p",
    "CREATE DATABASE f",
    (
        f"CREATE TABLE p.plays (at DateTime, viewer String, n UInt32) ENGINE = MergeTree"
        f" PARTITION BY toYYYYMM(at) ORDER BY at TTL at + INTERVAL 50 YEAR {WINDOW}"
    ),
    f"CREATE TABLE p.next (viewer String, n UInt64) ENGINE = MergeTree ORDER BY viewer {WINDOW}",
    (
        f"CREATE TABLE p.daily (day UInt8, n SimpleAggregateFunction(sum, UInt64))"
        f" ENGINE = AggregatingMergeTree ORDER BY day {WINDOW}"
    ),
    f"CREATE TABLE p.best (v UInt8, n UInt64) ENGINE = ReplacingMergeTree(n) ORDER BY v {WINDOW}",
    "CREATE TABLE p.nothing (viewer String, n UInt64) ENGINE = Null",
    (
        "CREATE MATERIALIZED VIEW p.v1 TO p.daily AS SELECT length(viewer) AS day, sum(n) AS n"
        " FROM p.next GROUP BY day"
    ),
    "CREATE MATERIALIZED VIEW p.v2 TO p.best AS SELECT day AS v, sum(n) AS n FROM p.daily GROUP BY v",
    "CREATE MATERIALIZED VIEW p.v3 TO p.best AS SELECT toUInt8(200) AS v, sum(n) AS n FROM p.nothing",
    (
        "INSERT INTO p.plays SELECT toDateTime('2026-01-01') + number * 60, toString(number), number"
        " FROM numbers(100000)"
    ),
)
FLOW = Flow(
    source="f.plays", target="p.next", columns=("viewer", "n"), select="viewer, n * 2", mark="t"
)
TOTAL = 100_000 * 99_999


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("pour")) as store:
        yield store


async def prepared(client: AsyncStoreClient) -> tuple[Part, ...]:
    for database in ("p", "f"):
        await client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    for statement in TABLES:
        await client.command(statement)
    await freeze(client, "p.plays", "f.plays", has_ttl=True)
    # Small blocks, so that there are many.
    return tuple(Part(p.name, p.rows, 7_001) for p in await parts_of(client, "f", "plays"))


async def sums(client: AsyncStoreClient) -> list[object]:
    found = await client.rows(
        "SELECT (SELECT count() FROM p.next), (SELECT sum(n) FROM p.next),"
        " (SELECT sum(n) FROM p.daily)"
    )
    return found.rows[0]


async def test_repeating_adds_nothing_in_the_target_and_behind_it(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    parts = await prepared(client)
    told: list[int] = []

    async def progress(done: int) -> None:
        told.append(done)

    assert await pour(client, FLOW, parts, progress=progress) == 100_000
    best = (await client.rows("SELECT * FROM p.best FINAL ORDER BY v")).rows
    assert await pour(client, FLOW, parts, done=told[-1] // 2) == 100_000
    assert await sums(client) == [100_000, TOTAL, TOTAL]
    assert (await client.rows("SELECT * FROM p.best FINAL ORDER BY v")).rows == best
    await client.close()


async def test_a_table_that_keeps_nothing_hands_on_once(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    parts = await prepared(client)
    flow = Flow(source="f.plays", target="p.nothing", columns=("n",), select="n", mark="n")
    for _ in range(2):
        await pour(client, flow, parts)
    # Replacing keeps the largest of the blocks; doubled rows would be counted by `count()`.
    found = await client.rows("SELECT count() = 1, max(n) FROM p.best FINAL")
    assert found.rows[0][0] == 1
    await client.close()


async def test_a_frozen_table_stays_as_it_was(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    before = [part.name for part in await prepared(client)]
    await client.command("INSERT INTO p.plays SELECT now(), 'late', 1")
    await client.command("ALTER TABLE p.plays DELETE WHERE n < 5", settings={"mutations_sync": 1})
    await client.command("OPTIMIZE TABLE p.plays FINAL")
    assert (await client.rows("SELECT count() FROM f.plays")).rows == [[100_000]]
    assert [part.name for part in await parts_of(client, "f", "plays")] == before
    said = (await client.rows("SHOW CREATE TABLE f.plays")).rows[0][0]
    assert ("TTL" in said, "max_bytes_to_merge_at_max_space_in_pool = 1" in said) == (False, True)
    await client.close()


async def test_a_row_that_cannot_be_converted_ends_it_with_a_reason(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    parts = await prepared(client)
    flow = Flow(source="f.plays", target="p.next", columns=("n",), select="toUInt64('x')", mark="x")
    with pytest.raises(PlayheadError, match="Cannot parse"):
        await pour(client, flow, parts)
    assert (await client.rows("SELECT count() FROM p.next")).rows == [[0]]
    await client.close()


async def test_a_kill_of_the_store_in_the_middle_is_repaired(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        client = AsyncStoreClient(store.location)
        parts = await prepared(client)
        done = 0

        async def progress(count: int) -> None:
            nonlocal done
            done = count

        pouring = asyncio.create_task(pour(client, FLOW, parts, progress=progress))
        while done < 3:  # noqa: ASYNC110 (the callback has no loop of its own)
            await asyncio.sleep(0)
        store.process.send_signal(signal.SIGKILL)
        with pytest.raises(PlayheadError):
            await pouring
        await client.close()
    with running_store(tmp_path) as store:
        client = AsyncStoreClient(store.location)
        # The block in hand, and one before it: as after a kill that came before it was kept.
        assert await pour(client, FLOW, parts, done=max(0, done - 1)) == 100_000
        assert await sums(client) == [100_000, TOTAL, TOTAL]
        await client.close()
