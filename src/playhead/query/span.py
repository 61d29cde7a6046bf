"""Time in questions: the span asked for, and the buckets it is cut into.

Bucket edges are computed here and bound as numbers, so the engine's idea of time zones plays no part.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from playhead.errors import InvalidRequest

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
INTERVALS: dict[str, int] = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "1h": HOUR_MS,
    "1d": DAY_MS,
}
_AUTO_BUCKETS = 100
"""`auto` takes the finest interval that gives at most about this many buckets."""
_UNITS = {"s": 1_000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_RELATIVE = re.compile(r"(?:now)?-(\d{1,6})([smhdw])")
_MILLISECONDS = re.compile(r"\d{9,15}")
_LOST_PLUS = re.compile(r"T(\S+) (\d\d:?\d\d)$")
"""The + of an offset arrives as a space where the caller did not escape it."""
EARLIEST_MS = 0
LATEST_MS = 4_102_444_800_000  # the year 2100, far inside DateTime64 and Date


class Span(msgspec.Struct, frozen=True):
    """A half-open span of time, UTC milliseconds."""

    from_ms: int
    to_ms: int

    @property
    def length_ms(self) -> int:
        """Return the length in milliseconds."""
        return self.to_ms - self.from_ms

    def whole_minutes(self) -> "Span":
        """Return the span widened to whole minutes."""
        end = -(-self.to_ms // MINUTE_MS) * MINUTE_MS
        return Span(self.from_ms - self.from_ms % MINUTE_MS, end)


class Buckets(msgspec.Struct, frozen=True):
    """Bucket starts (UTC ms, rising) of a span; `width_ms` when all are equally wide, else 0."""

    starts: tuple[int, ...]
    end_ms: int
    width_ms: int
    interval: str

    def edges(self, index: int) -> tuple[int, int]:
        """Return a bucket's start and end."""
        following = index + 1
        end = self.starts[following] if following < len(self.starts) else self.end_ms
        return self.starts[index], end

    def index_of(self, at_ms: int) -> int:
        """Return the bucket a moment lies in (-1: before the first)."""
        return bisect_right(self.starts, at_ms) - 1


def iso(ms: int) -> str:
    """Return UTC milliseconds as ISO 8601 with Z."""
    return (
        datetime.fromtimestamp(ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def ms_of(value: Any) -> int:
    """Return UTC milliseconds of a time as the engine writes it (`2026-05-01 12:00:00.000`) or ms."""
    if isinstance(value, int | float):
        return int(value)
    return round(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000)


def zone_of(name: str) -> ZoneInfo:
    """Return an IANA time zone.

    Raises:
        InvalidRequest: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "Use an IANA name such as Europe/Berlin or UTC."
        raise InvalidRequest("The timezone is not known.", hint=hint) from None


def span_of(start: str | None, end: str | None, now_ms: int, *, zone: ZoneInfo) -> Span:
    """Return the span between two moments; the last 24 hours where none is given.

    A moment is ISO 8601 (without offset: in `zone`), milliseconds, `now`, or relative: `-24h`.

    Raises:
        InvalidRequest: A moment cannot be read, or the span is empty.
    """
    to_ms = _moment(end or "now", "to", now_ms, zone)
    from_ms = _moment(start or "-24h", "from", now_ms, zone)
    if from_ms >= to_ms:
        raise InvalidRequest("'from' must lie before 'to'.")
    return Span(from_ms, to_ms)


def _moment(text: str, name: str, now_ms: int, zone: ZoneInfo) -> int:
    hint = "Use ISO 8601 (2026-05-01T12:00:00Z), milliseconds, now, or relative: -24h, -7d."
    value = _read_moment(text.strip(), now_ms, zone)
    if value is None:
        raise InvalidRequest(f"'{name}' cannot be read as a time.", hint=hint)
    if not EARLIEST_MS <= value < LATEST_MS:
        raise InvalidRequest(f"'{name}' lies outside the years 1970 to 2099.", hint=hint)
    return value


def _read_moment(text: str, now_ms: int, zone: ZoneInfo) -> int | None:
    if text == "now":
        return now_ms
    if relative := _RELATIVE.fullmatch(text):
        return now_ms - int(relative[1]) * _UNITS[relative[2]]
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"T\1+\2", text))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def buckets_of(
    span: Span,
    interval: str,
    zone: ZoneInfo,
    *,
    limit: int,
    setting: str = "query.max_buckets",
    intervals: Mapping[str, int] = MappingProxyType(INTERVALS),
) -> Buckets:
    """Cut a span into buckets that begin at round local times, right across DST changes.

    Args:
        span: What to cut; the first bucket may begin before it.
        interval: A name of `intervals`, or `auto`.
        zone: Where the times are round.
        limit: How many buckets there may be.
        setting: Where that limit is set, for the one who is refused.
        intervals: The names of intervals, finest first, with their lengths in ms.

    Raises:
        InvalidRequest: An unknown interval, or more buckets than the limit.
    """
    if interval == "auto":
        fitting = (n for n, ms in intervals.items() if span.length_ms / ms <= _AUTO_BUCKETS)
        interval = next(fitting, "1d")
    if interval not in intervals:
        names = ", ".join(intervals)
        raise InvalidRequest("The interval is not known.", hint=f"Use one of {names}, auto.")
    width = intervals[interval]
    if span.length_ms / width > limit:
        hint = f"Use a longer interval or a shorter span, or raise {setting}."
        raise InvalidRequest(f"That makes more than {limit} buckets.", hint=hint)
    if interval == "1d":
        return _days(span, zone)
    offsets = {_offset_ms(at, zone) % width for at in _samples(span)}
    if len(offsets) == 1:
        first = span.from_ms - (span.from_ms + offsets.pop()) % width
        return Buckets(tuple(range(first, span.to_ms, width)), span.to_ms, width, interval)
    return Buckets(_uneven(span, width, zone), span.to_ms, 0, interval)


def _samples(span: Span) -> Sequence[int]:
    return (*range(span.from_ms - DAY_MS, span.to_ms + DAY_MS, DAY_MS // 2), span.to_ms)


def _offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)


def _uneven(span: Span, width: int, zone: ZoneInfo) -> tuple[int, ...]:
    """Return starts where the zone's offset changes by less than an interval (Lord Howe: 30 min)."""
    start = span.from_ms - (span.from_ms + _offset_ms(span.from_ms, zone)) % width
    starts = []
    while start < span.to_ms:
        starts.append(start)
        following = start + width
        # At a change the local hour is cut: the bucket goes on to the next round one.
        start = following + -(following + _offset_ms(following, zone)) % width
    return tuple(starts)


def _days(span: Span, zone: ZoneInfo) -> Buckets:
    day = datetime.fromtimestamp(span.from_ms / 1000, zone).date()
    starts: list[int] = []
    while True:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        start = round(midnight.timestamp() * 1000)
        if start >= span.to_ms:
            break
        starts.append(start)
        day += timedelta(days=1)
    widths = {b - a for a, b in pairwise(starts)}
    even = widths <= {DAY_MS}
    return Buckets(tuple(starts), span.to_ms, DAY_MS if even else 0, "1d")
