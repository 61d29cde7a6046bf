"""Reading a folder of segments, from any process, while another one writes it."""

import threading
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from playhead.errors import LogUnavailable, OffsetGone
from playhead.log.base import Bounds, Record
from playhead.log.segment import SegmentReader, segment_firsts

MAX_OPEN_SEGMENTS = 4
"""Segments a reader keeps open: the one it reads, the newest, and room for one more reader."""

MAX_TRIES = 5
"""How often a read starts over when retention removes a segment under it."""

_Answer = TypeVar("_Answer")


class LogReader:
    """Answers what a folder of segments holds now. Safe for use by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._open: dict[int, SegmentReader] = {}

    def read(self, offset: int, *, max_records: int, max_bytes: int) -> list[Record]:
        """Return records as `Log.read` promises."""
        return self._answer(
            lambda firsts: self._read(firsts, offset, max_records=max_records, max_bytes=max_bytes)
        )

    def bounds(self) -> Bounds:
        """Return bounds as `Log.bounds` promises; all zero before the first writer came."""
        return self._answer(self._bounds)

    def events_before(self, offset: int) -> int:
        """Return the count as `Log.events_before` promises."""
        return self._answer(lambda firsts: self._events_before(firsts, offset))

    def newest_received_at(self, first: int) -> int:
        """Return the newest receipt (UTC ms) in the segment that starts at `first`."""
        return self._answer(lambda _: self._segment(first).tail().newest_received_at)

    def close(self) -> None:
        """Release every file."""
        with self._lock:
            self._forget(set(self._open))

    def _answer(self, ask: Callable[[list[int]], _Answer]) -> _Answer:
        with self._lock:
            for _ in range(MAX_TRIES):
                firsts = segment_firsts(self._folder)
                self._forget(self._open.keys() - set(firsts))
                try:
                    return ask(firsts)
                except FileNotFoundError:
                    continue
        raise LogUnavailable("Segments of the log vanish while they are read; nothing was read.")

    def _bounds(self, firsts: list[int]) -> Bounds:
        if not firsts:
            return Bounds(0, 0, 0, 0)
        tail = self._segment(firsts[-1]).tail()
        return Bounds(firsts[0], tail.next, tail.events_total, tail.newest_received_at)

    def _read(
        self, firsts: list[int], offset: int, *, max_records: int, max_bytes: int
    ) -> list[Record]:
        records: list[Record] = []
        size = 0
        while firsts and len(records) < max_records and (size < max_bytes or not records):
            at = offset + len(records)
            found = self._segment(_holder(firsts, at)).read(
                at, max_records=max_records - len(records), max_bytes=max_bytes - size
            )
            if not found:
                if not records:
                    _refuse_gap(firsts, at)
                break
            records += found
            size += sum(len(record.body) for record in found)
        return records

    def _events_before(self, firsts: list[int], offset: int) -> int:
        if not firsts:
            return 0
        segment = self._segment(_holder(firsts, offset))
        count = segment.events_before(offset)
        if count is not None:
            return count
        _refuse_gap(firsts, offset)
        return segment.tail().events_total

    def _segment(self, first: int) -> SegmentReader:
        segment = self._open.pop(first, None)
        if segment is not None and segment.is_replaced():
            segment.close()
            segment = None
        segment = segment or SegmentReader(self._folder, first)
        self._open[first] = segment  # the most recently used stands last
        if len(self._open) > MAX_OPEN_SEGMENTS:
            self._forget({next(iter(self._open))})
        return segment

    def _forget(self, firsts: set[int]) -> None:
        for first in firsts:
            self._open.pop(first).close()


def _holder(firsts: list[int], offset: int) -> int:
    """Return the first offset of the segment that would hold `offset`."""
    index = bisect_right(firsts, offset)
    if index == 0:
        raise OffsetGone(
            f"Retention removed offset {offset}; the log starts at {firsts[0]}.",
            next_offset=firsts[0],
        )
    return firsts[index - 1]


def _refuse_gap(firsts: list[int], offset: int) -> None:
    """Raise if a later segment exists, although the one that would hold `offset` ended."""
    index = bisect_right(firsts, offset)
    if index < len(firsts):
        raise OffsetGone(
            f"A segment with offset {offset} is missing; {firsts[index]} is next.",
            next_offset=firsts[index],
        )
