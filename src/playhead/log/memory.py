"""A log in memory: the contract of `Log` without a disk, for tests and trials."""

import threading
from bisect import bisect_right
from collections.abc import Sequence

from playhead import config
from playhead.clock import Clock
from playhead.errors import OffsetGone
from playhead.log.base import Bounds, Entry, Record


class MemoryLog:
    """A `Log` that lives as long as this object. Safe for use by several threads.

    It has segments, too: lists of records, cut and trimmed by the same settings.

    Args:
        settings: Sizes and ages of segments, retention.
        clock: Gives `received_at` and the age of segments.
    """

    def __init__(self, settings: config.Log, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._segments: list[_Segment] = [_Segment(0, 0, clock.now_ms())]
        self._next = 0
        self._events_total = 0
        self._newest_received_at = 0

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Store entries, in order; return their offsets."""
        if not entries:
            return []
        with self._lock:
            received_at = max(self._clock.now_ms(), self._newest_received_at)
            segment = self._segment_for(received_at)
            offsets = list(range(self._next, self._next + len(entries)))
            for offset, entry in zip(offsets, entries, strict=True):
                segment.add(offset, entry, received_at)
                self._events_total += entry.events
            self._next = offsets[-1] + 1
            self._newest_received_at = received_at
            return offsets

    def read(self, offset: int, *, max_records: int, max_bytes: int) -> list[Record]:
        """Return the records from `offset` on, at least one if there is one, in order.

        Raises:
            OffsetGone: Retention removed this offset.
        """
        records: list[Record] = []
        size = 0
        with self._lock:
            self._refuse_gone(offset)
            while len(records) < max_records and (size < max_bytes or not records):
                record = self._record(offset + len(records))
                if record is None:
                    break
                records.append(record)
                size += len(record.body)
        return records

    def bounds(self) -> Bounds:
        """Return what the log holds now."""
        with self._lock:
            first = self._segments[0].first
            return Bounds(first, self._next, self._events_total, self._newest_received_at)

    def events_before(self, offset: int) -> int:
        """Return how many events were ever appended before `offset`.

        Raises:
            OffsetGone: Retention removed this offset.
        """
        with self._lock:
            self._refuse_gone(offset)
            segment = self._holder(offset)
            inside = segment.records[: offset - segment.first]
            return segment.events_before + sum(record.events for record in inside)

    def trim(self, keep_from: int) -> int:
        """Drop the oldest segments while they lie before `keep_from` and beyond the limits."""
        with self._lock:
            oldest_kept = self._clock.now_ms() - self._settings.retention_age_ms
            removed = 0
            while len(self._segments) > 1 and self._segments[1].first <= keep_from:
                too_large = sum(s.bytes for s in self._segments) > self._settings.retention_bytes
                if not too_large and self._segments[0].records[-1].received_at >= oldest_kept:
                    break
                del self._segments[0]
                removed += 1
            return removed

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _segment_for(self, received_at: int) -> "_Segment":
        newest = self._segments[-1]
        is_old = received_at - newest.created_at >= self._settings.segment_age_ms
        if newest.records and (is_old or newest.bytes >= self._settings.segment_bytes):
            newest = _Segment(self._next, self._events_total, received_at)
            self._segments.append(newest)
        return newest

    def _holder(self, offset: int) -> "_Segment":
        index = bisect_right([segment.first for segment in self._segments], offset)
        return self._segments[index - 1]

    def _record(self, offset: int) -> Record | None:
        segment = self._holder(offset)
        index = offset - segment.first
        return segment.records[index] if index < len(segment.records) else None

    def _refuse_gone(self, offset: int) -> None:
        first = self._segments[0].first
        if offset < first:
            raise OffsetGone(
                f"Retention removed offset {offset}; the log starts at {first}.",
                next_offset=first,
            )


class _Segment:
    """Records from `first` on."""

    def __init__(self, first: int, events_before: int, created_at: int) -> None:
        self.first = first
        self.events_before = events_before
        self.created_at = created_at
        self.bytes = 0
        self.records: list[Record] = []

    def add(self, offset: int, entry: Entry, received_at: int) -> None:
        """Take one entry."""
        self.records.append(
            Record(
                offset=offset,
                door=entry.door,
                key=entry.key,
                received_at=received_at,
                events=entry.events,
                meta=entry.meta,
                body=entry.body,
            )
        )
        self.bytes += len(entry.body) + len(entry.meta) + len(entry.key)
