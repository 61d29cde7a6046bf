"""The recorder without a store that answers: what is dropped, what is kept, what is written again."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from playhead.clock import ManualClock
from playhead.errors import QueryFailed, StoreUnavailable
from playhead.record.entries import Operation, PipeCall, shortened
from playhead.record.recorder import Recorder
from playhead.record.tables import columns_of
from playhead.store.async_client import AsyncStoreClient
from playhead.store.result import Rows


class Store:
    """Takes inserts, or fails as it is told."""

    def __init__(self) -> None:
        self.fails: list[Exception] = []
        self.inserts: list[tuple[str, str, int]] = []
        self.commands: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        """Called while rows are inserted."""

    async def rows(self, *_: Any, **__: Any) -> Rows:
        return Rows([], [], [])

    async def command(self, sql: str, **_: Any) -> None:
        self.commands.append(sql)

    async def insert_rows(self, sql: str, body: bytes, *, settings: Mapping[str, str]) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.meanwhile()
        token = settings["insert_deduplication_token"]
        self.inserts.append((sql.split(" ")[2], token, body.count(b"\n")))


@pytest.fixture
def store() -> Store:
    return Store()


def recorder(store: Store, **options: Any) -> Recorder:
    return Recorder(cast(AsyncStoreClient, store), ManualClock(1_700_000_000_000), **options)


def call(pipe: str = "top", status: int = 200) -> PipeCall:
    return PipeCall(pipe=pipe, began_ms=1_700_000_000_123, duration_s=0.5, status=status)


async def test_rows_of_a_table_go_in_one_insert(store: Store) -> None:
    one = recorder(store)
    for _ in range(3):
        one.pipe(call())
    one.operation(Operation(event_type="append", datasource="plays"))
    await one.flush()
    assert [(table, count) for table, _, count in store.inserts] == [
        ("tinybird.pipe_stats_rt", 3),
        ("tinybird.datasources_ops_log", 1),
    ]
    assert one.pending() == 0


async def test_what_comes_while_rows_are_written_waits_for_the_next_time(store: Store) -> None:
    one = recorder(store)
    one.pipe(call())
    store.meanwhile = lambda: one.pipe(call()) if len(store.inserts) < 5 else None
    await one.flush()
    assert [count for *_, count in store.inserts] == [1]
    await one.flush()
    assert [count for *_, count in store.inserts] == [1, 1]


async def test_many_rows_go_in_inserts_of_bounded_size(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playhead.record.recorder.BATCH_ROWS_MAX", 2)
    one = recorder(store)
    for _ in range(5):
        one.pipe(call())
    await one.flush()
    assert [count for *_, count in store.inserts] == [2, 2, 1]
    assert one.pending() == 0


async def test_what_the_store_cannot_take_now_is_written_later_under_the_same_token(
    store: Store,
) -> None:
    one = recorder(store)
    one.pipe(call())
    store.fails = [StoreUnavailable(), StoreUnavailable()]
    await one.flush()
    held = one._held
    await one.flush()
    one.pipe(call())
    await one.flush()
    assert held is not None
    assert next(token for _, token, _ in store.inserts) == held[1]
    assert [count for _, _, count in store.inserts] == [1, 1]


async def test_what_the_store_refuses_is_dropped_and_counted(store: Store) -> None:
    one = recorder(store)
    one.pipe(call())
    store.fails = [QueryFailed("Code: 60.", engine_code=60)]
    await one.flush()
    assert (one.dropped, one.pending()) == (1, 0)


def test_beyond_the_limit_rows_are_dropped(store: Store) -> None:
    one = recorder(store, rows_max=2)
    for _ in range(5):
        one.pipe(call())
    assert (one.pending(), one.dropped) == (2, 3)


async def test_requests_of_a_second_are_one_row_and_of_a_minute_one_operation(store: Store) -> None:
    one = recorder(store)
    await one.flush()
    for _ in range(1_000):
        one.ingested("plays", rows=2)
    await one.flush()
    cast(ManualClock, one._clock).advance(60_000)
    await one.flush()
    assert [(table, count) for table, _, count in store.inserts] == [
        ("tinybird.hfi_requests", 1),
        ("tinybird.datasources_ops_log", 1),
    ]


def test_parameters_are_cut(store: Store) -> None:
    kept = shortened((f"p{index}", "x" * 1_000) for index in range(200))
    assert len(kept) == 50
    assert {len(value) for value in kept.values()} == {200}


def test_columns_are_told_apart_at_the_outer_commas() -> None:
    columns = columns_of("tinybird.pipe_stats")
    assert columns[6] == (
        "quantile_timing_state AggregateFunction(quantilesTiming(0.9, 0.95, 0.99), Float32)"
    )
    assert columns[0] == "date Date"
