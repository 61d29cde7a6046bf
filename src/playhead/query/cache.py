"""Answers kept for a moment, and one run for callers who ask the same at the same time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec

from playhead.clock import Clock
from playhead.store.client import Rows

T = TypeVar("T")


class _Kept(msgspec.Struct, Generic[T]):
    answer: T
    until_s: float
    size: int


class _Flight(msgspec.Struct, Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Cache(Generic[T]):
    """Answers by question, for a time given with each, within a number of entries and bytes.

    A caller who goes away leaves the run to the others; when the last one leaves, it is cancelled.
    """

    def __init__(
        self, clock: Clock, *, max_entries: int, max_bytes: int, size_of: Callable[[T], int]
    ) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._bytes = 0
        self._age = 0
        """How often it was cleared."""
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._flights: dict[str, _Flight[T]] = {}

    async def get(self, key: str, run: Callable[[], Awaitable[T]], *, keep_ms: int) -> T:
        """Return the answer of `key`: a kept one, that of a run under way, or of one of its own."""
        kept = self._kept.get(key)
        if kept is not None and kept.until_s > self._clock.monotonic_s():
            self._kept.move_to_end(key)
            return kept.answer
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            flight = _Flight(asyncio.ensure_future(self._run(key, run, keep_ms)))
            self._flights[key] = flight
        return await self._share(key, flight)

    def clear(self) -> None:
        """Forget every answer; runs under way are not kept either."""
        self._kept.clear()
        self._bytes = 0
        self._age += 1

    async def _share(self, key: str, flight: _Flight[T]) -> T:
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                if not flight.task.done():
                    flight.task.cancel()

    async def _run(self, key: str, run: Callable[[], Awaitable[T]], keep_ms: int) -> T:
        age = self._age
        answer = await run()
        if keep_ms and age == self._age:
            self._keep(key, answer, self._clock.monotonic_s() + keep_ms / 1000)
        return answer

    def _keep(self, key: str, answer: T, until_s: float) -> None:
        self._drop(key)
        size = self._size_of(answer)
        if size > self._max_bytes:
            return
        self._kept[key] = _Kept(answer, until_s, size)
        self._bytes += size
        while self._bytes > self._max_bytes or len(self._kept) > self._max_entries:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._bytes -= old.size


class AnswerCache(Cache[Rows]):
    """The same for rows."""

    def __init__(self, clock: Clock, *, max_entries: int, max_bytes: int) -> None:
        super().__init__(clock, max_entries=max_entries, max_bytes=max_bytes, size_of=_size)


def _size(rows: Rows) -> int:
    """Return about how much memory rows take: 100 bytes a value, a generous mean."""
    return 100 * (1 + len(rows.rows) * max(1, len(rows.columns)))


def key_of(*parts: Any) -> str:
    """Return the key of a question: its statement, values and row filters."""
    return msgspec.json.encode(parts, order="sorted").decode()
