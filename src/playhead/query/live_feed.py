"""A live question asked again and again, and the window of what it said."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from playhead.query.live import (
    BUCKET_MS,
    LiveNumbers,
    LiveQuestion,
    Sums,
    fields_of,
    largest,
    numbers,
    row_of,
)
from playhead.query.metrics import Row, SeriesKey
from playhead.query.reader import Reader
from playhead.query.span import MINUTE_MS, Span

GROUPS_CHOSEN_EVERY_MS: Final = MINUTE_MS
_COUNTS: Final = 2
"""How many of a bucket's sums are counts within it: failures and starts, the last ones."""


class LiveFeed:
    """Asks one live question whenever told to.

    Which groups have a series of their own is decided anew once a minute, so that two groups of
    about the same size do not change places every second; a free place is taken at once.
    """

    def __init__(self, reader: Reader, question: LiveQuestion) -> None:
        self.question = msgspec.structs.replace(question, is_kept=False)
        self._reader = reader
        self._names: list[str] = []
        self._chosen_ms = 0

    async def ask(self, now_ms: int) -> LiveNumbers:
        """Return the numbers of the window that ends now; its last bucket is under way."""
        end = -(-now_ms // BUCKET_MS) * BUCKET_MS
        span = Span(end - self.question.span.length_ms, now_ms)
        question = msgspec.structs.replace(self.question, span=span)
        ranked = await largest(self._reader, question)
        if not 0 <= now_ms - self._chosen_ms < GROUPS_CHOSEN_EVERY_MS:
            self._names, self._chosen_ms = [], now_ms
        free = question.limit - len(self._names)
        self._names += [name for name in ranked if name not in self._names][:free]
        return await numbers(self._reader, question, self._names)


class LiveWindow:
    """The buckets as they were last seen, and in which round each changed."""

    def __init__(self, question: LiveQuestion) -> None:
        self._question = question
        self.round = 0
        self.whole_since = 1
        """The round from which on what changed since then is all one needs to know."""
        self.span = Span(0, 0)
        self._series: dict[SeriesKey, dict[int, tuple[Sums, int]]] = {}

    def take(self, found: LiveNumbers) -> None:
        """Take what a round found."""
        self.round += 1
        self.span = found.span
        series = {
            key: dict(self._marked(key, found.span.from_ms, sums))
            for key, sums in found.series.items()
        }
        if not self._series.keys() <= series.keys():
            self.whole_since = self.round  # a series has gone: rows cannot say so
        self._series = series

    def rows(self, since: int = 0) -> list[Row]:
        """Return the rows of the buckets that changed after a round; all of them after round 0."""
        return [
            row_of(self._question, key, at_ms, sums)
            for key, buckets in self._series.items()
            for at_ms, (sums, changed) in buckets.items()
            if changed > since
        ]

    def totals(self) -> dict[str, Any]:
        """Return the sums over all series: at the newest moment; starts and failures of the window."""
        counts, newest = [0] * _COUNTS, (0,) * (len(_NO_SUMS))
        for buckets in self._series.values():
            sums: Sums = _NO_SUMS
            for sums, _ in buckets.values():
                counts = [a + b for a, b in zip(counts, sums[-_COUNTS:], strict=True)]
            newest = tuple(a + b for a, b in zip(newest, sums, strict=True))
        fields = fields_of(newest)
        return fields | {"failures": counts[0], "starts": counts[1]}

    def _marked(
        self, key: SeriesKey, first_ms: int, series: list[Sums]
    ) -> Iterator[tuple[int, tuple[Sums, int]]]:
        before = self._series.get(key, {})
        for number, sums in enumerate(series):
            at_ms = first_ms + number * BUCKET_MS
            known = before.get(at_ms)
            yield at_ms, known if known is not None and known[0] == sums else (sums, self.round)


_NO_SUMS: Final[Sums] = (0,) * 7
