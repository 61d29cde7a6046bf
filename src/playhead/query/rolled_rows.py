"""Which rows of rollups answer for a span: those of the longest sums that fit, and what these do not hold.

A making of a day holds the views first seen that day; some of them begin or end on another. A long sum holds
what its makings hold, in buckets of its own length. So a bucket of a span is answered by the sums of
several makings, and each making is read once for it: as part of the longest sum there is, or by itself,
and only where views of it begin or end at all.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec

from playhead.model.rollup import FIRST_MONDAY, FOUR_WEEKS, LONG_HOURS, WEEK, Edge
from playhead.query.rolled_days import Long, Making
from playhead.query.span import DAY_MS, HOUR_MS, Span

HOUR: Final = 1
DAY: Final = 24
_DAYS_OF: Final = {24 * days: days for days in (FOUR_WEEKS, WEEK)}
"""The long buckets: how many days so many hours are."""
LENGTHS: Final = (*_DAYS_OF, DAY, HOUR)
"""How long buckets are, in hours, the longest first; where one begins, one of each shorter length may."""


class Rows(msgspec.Struct, frozen=True):
    """Rows that are read: their column `hours`, when their buckets begin, and of which makings."""

    hours: int
    from_ms: int
    to_ms: int
    made: tuple[int, ...]


class Cut(msgspec.Struct, frozen=True):
    """The whole buckets inside a span, how long they may be, and what the rows are cut by ("": nothing)."""

    dimension: str
    inner: Span
    lengths: tuple[int, ...]


class Sums(msgspec.Struct, frozen=True):
    """The makings a question is read from, and the long sums that are of some of them."""

    edge: Edge
    makings: Sequence[Making]
    longs: Sequence[Long] = ()

    def rows(self, cut: Cut) -> tuple[Rows, ...]:
        """Return the rows of all buckets of a cut; none where no view begins or ends in it."""
        known = {one.made for one in self.makings}
        longs = [one for one in self.longs if one.of <= known]
        if not longs:
            lengths = tuple(hours for hours in cut.lengths if hours <= DAY)
            return tuple(self._of_ranges(cut.inner, lengths, ()))
        newest = _newest(longs, cut) if FOUR_WEEKS * DAY in cut.lengths else None
        if newest is None:
            return tuple(self._of_ranges(cut.inner, cut.lengths, longs))
        within = _span(newest)
        return (
            *self._of_ranges(Span(cut.inner.from_ms, within.from_ms), cut.lengths, longs),
            Rows(LONG_HOURS[newest.days], within.from_ms, within.to_ms, (newest.made,)),
            *self._by_themselves(within, DAY, except_of=newest.of),
            *self._of_ranges(Span(within.to_ms, cut.inner.to_ms), cut.lengths, longs),
        )

    def _of_ranges(
        self, span: Span, lengths: tuple[int, ...], longs: Sequence[Long]
    ) -> Iterator[Rows]:
        for hours, within in ranges(span, lengths):
            if hours <= DAY:
                yield from self._by_themselves(within, hours)
            else:
                yield from self._long(within, hours, longs)

    def _long(self, span: Span, hours: int, longs: Sequence[Long]) -> Iterator[Rows]:
        """Yield the rows of a range of long buckets, of shorter ones where a sum does not count."""
        left = {one.made for one in self.makings if one.touched(self.edge, span)}
        held: set[int] = set()
        for length, days in _DAYS_OF.items():
            if length > hours:
                continue
            used = [
                one
                for one in longs
                if one.regular
                and one.days == days
                and not one.of.isdisjoint(left)
                and one.of.isdisjoint(held)
            ]
            held = held.union(*(one.of for one in used))
            made = tuple(one.made for one in used)
            if made:
                yield Rows(LONG_HOURS[days], span.from_ms, span.to_ms, made)
        yield from self._by_themselves(span, DAY, except_of=held)

    def _by_themselves(
        self, span: Span, hours: int, *, except_of: Collection[int] = ()
    ) -> Iterator[Rows]:
        """Yield the rows of makings, from the first to the last bucket they have views in."""
        others = (one for one in self.makings if one.made not in except_of)
        found = [(one.made, at) for one in others if (at := one.touched(self.edge, span))]
        if found:
            step_ms = hours * HOUR_MS
            first = min(at[0] for _, at in found) // step_ms * step_ms
            end = max(at[1] for _, at in found) // step_ms * step_ms + step_ms
            yield Rows(hours, first, end, tuple(made for made, _ in found))


def ranges(span: Span, lengths: tuple[int, ...]) -> Iterator[tuple[int, Span]]:
    """Yield a span as ranges one after the other, each of the longest buckets (hours) that fit."""
    if not lengths:
        return
    hours, *shorter = lengths
    within = whole(span, hours)
    if within is None:
        yield from ranges(span, tuple(shorter))
        return
    yield from ranges(Span(span.from_ms, within.from_ms), tuple(shorter))
    yield hours, within
    yield from ranges(Span(within.to_ms, span.to_ms), tuple(shorter))


def whole(span: Span, hours: int) -> Span | None:
    """Return the whole buckets of some hours within a span (of UTC), None if there are none."""
    begin_ms = FIRST_MONDAY * DAY_MS if hours in _DAYS_OF else 0
    step_ms = hours * HOUR_MS
    first = -((begin_ms - span.from_ms) // step_ms) * step_ms + begin_ms
    end = (span.to_ms - begin_ms) // step_ms * step_ms + begin_ms
    return Span(first, end) if first < end else None


def _newest(longs: Sequence[Long], cut: Cut) -> Long | None:
    """Return the newest of the four weeks that end anywhere and lie in the cut."""
    inner = cut.inner
    anywhere = (one for one in longs if not one.regular)
    inside = [
        one
        for one in anywhere
        if inner.from_ms <= _span(one).from_ms and _span(one).to_ms <= inner.to_ms
    ]
    return max(inside, key=lambda one: one.first, default=None)


def _span(long: Long) -> Span:
    return Span(long.first * DAY_MS, (long.first + long.days) * DAY_MS)
