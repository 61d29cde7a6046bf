"""The store under more than it takes: slots, queues, clients that leave or do not read."""

import asyncio
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import QueryTimeout, StoreBusy
from playhead.store.client import AsyncStoreClient, StoreClient
from playhead.store.result import Limits, Rows
from support.running_store import RunningStore, now_ms, running_store

ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
PATIENT = Limits(timeout_ms=60_000)
RUNNING = (
    "SELECT count() FROM system.processes WHERE query LIKE '%1000000000000%' AND NOT is_cancelled"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(
        tmp_path_factory.mktemp("store"), store__max_waiting_queries=16, store__max_wait_ms=30_000
    ) as store:
        yield store


@pytest.fixture
def slots(tmp_path: Path) -> Generator[RunningStore, None, None]:
    """Yield a store with one slot, one place to wait and little patience."""
    with running_store(
        tmp_path,
        store__max_concurrent_queries=1,
        store__max_waiting_queries=1,
        store__max_wait_ms=300,
    ) as store:
        yield store


async def running(client: AsyncStoreClient) -> int:
    # `numbers(…)` of this very query is not in the pattern's place: it does not count itself.
    found = await client.rows(f"{RUNNING} AND query NOT LIKE '%processes%'")
    count: int = found.rows[0][0]
    return count


async def until_running(client: AsyncStoreClient, count: int) -> None:
    while await running(client) != count:  # noqa: ASYNC110 (another process is watched)
        await asyncio.sleep(0.05)


async def test_a_query_runs_on_as_many_threads_as_are_set(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    asked = "EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(1000000000)"
    found = await client.rows(asked)
    alone = await client.rows(asked, settings={"max_threads": 1})
    await client.close()
    assert any("\u00d7 2" in line for (line,) in found.rows)
    assert not any("\u00d7 2" in line for (line,) in alone.rows)
    # Worker and command line read beside all others.
    blocking = StoreClient(store.location)
    own = blocking.rows(asked)
    blocking.close()
    assert own.rows == alone.rows


async def test_twenty_at_once_are_all_answered(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    asked = [client.rows("SELECT sleep(0.05), {i:Int64}", {"i": i}) for i in range(20)]
    found: list[Rows] = await asyncio.gather(*asked)
    await client.close()
    assert [rows.rows[0][1] for rows in found] == list(range(20))


async def test_what_no_longer_fits_the_queue_is_told_so(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    asked = [client.rows("SELECT sleep(0.3)") for _ in range(40)]
    found: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
    await client.close()
    busy = [error for error in found if isinstance(error, StoreBusy)]
    assert len(busy) == 40 - 4 - 16
    assert busy[0].retry_after_s >= 1


async def test_a_wait_has_an_end(slots: RunningStore) -> None:
    client = AsyncStoreClient(slots.location)
    held = asyncio.create_task(client.rows(ENDLESS, limits=PATIENT))
    await asyncio.sleep(0.3)
    with pytest.raises(StoreBusy, match="came free"):
        await client.rows("SELECT 1")
    held.cancel()
    await asyncio.wait({held})
    await client.close()


async def test_queries_do_not_starve_the_loader(slots: RunningStore) -> None:
    client = AsyncStoreClient(slots.location)
    held = asyncio.create_task(client.rows(ENDLESS, limits=PATIENT))
    await asyncio.sleep(0.3)
    row = b'[%d,"loaded"]\n' % now_ms()
    columns = ("received_at", "code")
    await asyncio.to_thread(slots.client.insert, "quarantine", columns, row, token="1")  # noqa: S106
    assert not held.done()
    held.cancel()
    await asyncio.wait({held})
    found = await client.rows("SELECT code FROM quarantine")
    await client.close()
    assert found.rows == [["loaded"]]


async def test_the_query_of_a_client_that_leaves_ends(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    asked = asyncio.create_task(client.rows(ENDLESS, limits=PATIENT))
    await until_running(client, 1)
    asked.cancel()
    async with asyncio.timeout(10):
        await until_running(client, 0)
    await client.close()


async def test_a_stream_left_early_ends(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    limits = Limits(timeout_ms=60_000, max_result_bytes=1 << 50)
    stream = client.stream("SELECT number FROM numbers(1000000000000)", limits=limits)
    assert await anext(stream)
    await until_running(client, 1)
    await stream.aclose()
    async with asyncio.timeout(10):
        await until_running(client, 0)
    await client.close()


async def test_a_client_that_does_not_read_is_cut_at_the_time_limit(store: RunningStore) -> None:
    client = AsyncStoreClient(store.location)
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(store.location.socket)
    deaf.sendall(
        b"GET /?max_execution_time=1&max_result_bytes=0&default_format=TSV"
        b"&query=SELECT+number+FROM+numbers(1000000000000) HTTP/1.1\r\nHost: store\r\n\r\n"
    )
    async with asyncio.timeout(20):
        await until_running(client, 1)
        await until_running(client, 0)
    deaf.settimeout(20)
    while deaf.recv(1 << 20):
        pass
    deaf.close()
    await client.close()


def test_the_store_serves_on_after_many_ended_queries(store: RunningStore) -> None:
    for _ in range(8):
        with pytest.raises(QueryTimeout):
            store.client.rows(ENDLESS, limits=Limits(timeout_ms=50))
    assert store.client.rows("SELECT 1").rows == [[1]]
