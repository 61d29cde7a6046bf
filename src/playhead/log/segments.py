"""The embedded log: a folder of SQLite segment files."""

import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from playhead import config
from playhead.clock import Clock
from playhead.errors import LogUnavailable
from playhead.log.base import Bounds, Entry, Record
from playhead.log.reader import LogReader
from playhead.log.rewriting import Change, rewrite_segment
from playhead.log.segment import remove_segment, segment_bytes, segment_firsts
from playhead.log.writer import LogWriter
from playhead.observe import logger


class SegmentLog:
    """A `Log` in a folder, written by one process and read by any number of them.

    Safe for use by several threads; `append` runs in one thread at a time.

    Args:
        folder: Where the segment files lie; made if it is missing and the log is writable.
        settings: Sizes, ages and limits.
        clock: Gives `received_at` and the age of segments.
        writable: Take the writer lock and allow `append` and `trim`.
        resume_at: The lowest offset a writer may give: the consumers' position. Should segments
            have been moved away, offsets a consumer already passed are not given again, since it
            would never read them.

    Raises:
        DataDirBusy: Another process writes this folder.
        LogCorrupt: The newest segment cannot be read.
        SchemaTooNew: A newer release wrote the newest segment.
    """

    def __init__(
        self,
        folder: Path,
        settings: config.Log,
        clock: Clock,
        *,
        writable: bool,
        resume_at: int = 0,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._reader = LogReader(folder)
        self._closed_ones = threading.Lock()
        """Held while segments are removed or rewritten."""
        self._writer = LogWriter(folder, settings, clock, resume_at=resume_at) if writable else None

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Store entries, in order, as one commit; return their offsets once they are on disk.

        Raises:
            DiskLow: Free space is below the floor; nothing was stored.
            LogUnavailable: The disk refused, or the log was opened for reading only.
        """
        return self._for_writing().append(entries)

    def read(self, offset: int, *, max_records: int, max_bytes: int) -> list[Record]:
        """Return the records from `offset` on, at least one if there is one, in order.

        `max_bytes` bounds the uncompressed bodies; the record that reaches it is the last.

        Raises:
            OffsetGone: Retention removed this offset.
            LogCorrupt: The segment cannot be read.
            LogUnavailable: It cannot be read at the moment.
        """
        return self._reader.read(offset, max_records=max_records, max_bytes=max_bytes)

    def bounds(self) -> Bounds:
        """Return what the log holds now; all zero before anything was written."""
        known = self._writer.bounds() if self._writer else None
        return known or self._reader.bounds()

    def events_before(self, offset: int) -> int:
        """Return how many events were ever appended before `offset`.

        Raises:
            OffsetGone: Retention removed this offset.
        """
        return self._reader.events_before(offset)

    def trim(self, keep_from: int) -> int:
        """Unlink the oldest segments while they lie before `keep_from` and beyond the limits.

        A segment is beyond them when its newest record is older than `retention_age_ms`, or while
        all segments together are larger than `retention_bytes`. The newest one always stays.

        Returns:
            How many segments were unlinked.

        Raises:
            LogUnavailable: The log was opened for reading only.
        """
        self._for_writing()
        with self._closed_ones:
            return self._trim(keep_from)

    def _trim(self, keep_from: int) -> int:
        firsts = segment_firsts(self._folder)
        total = sum(segment_bytes(self._folder, first) for first in firsts)
        oldest_kept = self._clock.now_ms() - self._settings.retention_age_ms
        removed = 0
        for first, following in pairwise(firsts):
            too_large = total > self._settings.retention_bytes
            if following > keep_from:
                break
            if not too_large and self._reader.newest_received_at(first) >= oldest_kept:
                break
            total -= segment_bytes(self._folder, first)
            remove_segment(self._folder, first)
            removed += 1
            logger("log").info("log_segment_removed", first=first, next=following)
        return removed

    def close_segment(self) -> int:
        """Start a new segment, so that all before it can be rewritten; return its first offset.

        Raises:
            DiskLow, LogUnavailable: The disk refused, or the log was opened for reading only.
        """
        return self._for_writing().close_segment()

    def rewrite(self, change: Change, *, before: int) -> int:
        """Change records of segments that end before an offset; return how many were changed.

        Offsets and counts stay, so a consumer that is past them notices nothing. `append` may go on
        meanwhile; `trim` waits.

        Args:
            change: Called for each record, twice where a segment is written anew.
            before: The consumers' position, or the newest segment's beginning if that is less.

        Raises:
            DiskLow, LogUnavailable: Segments before the one at hand were changed, none behind it.
            LogCorrupt: One cannot be read.
        """
        self._for_writing()
        changed = 0
        with self._closed_ones:
            for first, following in pairwise(segment_firsts(self._folder)):
                if following <= before:
                    changed += rewrite_segment(self._folder, first, change)
        return changed

    def close(self) -> None:
        """Release files; what was appended stays."""
        self._reader.close()
        if self._writer:
            self._writer.close()

    def _for_writing(self) -> LogWriter:
        if self._writer is None:
            raise LogUnavailable("This process opened the log for reading only.")
        return self._writer
