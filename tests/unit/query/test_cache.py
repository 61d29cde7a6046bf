import asyncio

import pytest

from playhead.clock import ManualClock
from playhead.query.cache import AnswerCache, key_of
from playhead.store.client import Rows


def rows(*values: int) -> Rows:
    return Rows(["n"], ["Int64"], [[value] for value in values])


class Source:
    """Counts its runs; each waits until `open` is set."""

    def __init__(self) -> None:
        self.runs = 0
        self.ended = 0
        self.open = asyncio.Event()

    async def run(self) -> Rows:
        self.runs += 1
        try:
            await self.open.wait()
            return rows(self.runs)
        finally:
            self.ended += 1


async def test_an_answer_is_kept_for_its_time() -> None:
    clock, source = ManualClock(), Source()
    source.open.set()
    cache = AnswerCache(clock, max_entries=9, max_bytes=10_000)
    for wait_ms in (0, 900, 200):
        clock.advance(wait_ms)
        await cache.get("k", source.run, keep_ms=1_000)
    assert source.runs == 2


async def test_who_asks_together_shares_one_run() -> None:
    source = Source()
    cache = AnswerCache(ManualClock(), max_entries=9, max_bytes=10_000)
    asking = [asyncio.create_task(cache.get("k", source.run, keep_ms=1)) for _ in range(5)]
    await asyncio.sleep(0)
    source.open.set()
    assert {one.rows[0][0] for one in await asyncio.gather(*asking)} == {1}


async def test_the_run_ends_when_the_last_who_asked_left() -> None:
    source = Source()
    cache = AnswerCache(ManualClock(), max_entries=9, max_bytes=10_000)
    asking = [asyncio.create_task(cache.get("k", source.run, keep_ms=1)) for _ in range(2)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    await asyncio.sleep(0.01)
    assert source.ended == 0
    asking[1].cancel()
    await asyncio.sleep(0.01)
    assert (source.runs, source.ended) == (1, 1)


async def test_a_fault_is_not_kept() -> None:
    cache = AnswerCache(ManualClock(), max_entries=9, max_bytes=10_000)

    async def fail() -> Rows:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (made here)
        await cache.get("k", fail, keep_ms=1_000)
    source = Source()
    source.open.set()
    assert (await cache.get("k", source.run, keep_ms=1_000)).rows == [[1]]


async def test_entries_and_bytes_are_bounded() -> None:
    source = Source()
    source.open.set()
    cache = AnswerCache(ManualClock(), max_entries=3, max_bytes=500)
    for key in "abcdef":
        await cache.get(key, source.run, keep_ms=60_000)
    assert len(cache._kept) <= 3
    assert cache._bytes <= 500


def test_a_key_tells_values_and_filters_apart() -> None:
    keys = {key_of("s", {"a": 1, "b": 2}, None), key_of("s", {"b": 2, "a": 1}, None)}
    assert len(keys) == 1
    assert key_of("s", {}, {"views": "x"}) not in keys


async def test_what_was_asked_before_it_was_cleared_is_not_kept() -> None:
    source = Source()
    cache = AnswerCache(ManualClock(), max_entries=9, max_bytes=10_000)
    asking = asyncio.ensure_future(cache.get("k", source.run, keep_ms=1_000))
    while not source.runs:  # noqa: ASYNC110 (it tells by itself)
        await asyncio.sleep(0)
    cache.clear()
    source.open.set()
    assert (await asking).rows == [[1]]
    assert (await cache.get("k", source.run, keep_ms=1_000)).rows == [[2]]
