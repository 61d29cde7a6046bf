"""Cron: five fields that say at which minutes of UTC something is due.

The usual form (POSIX `crontab`): minute, hour, day of month, month, day of week; each a `*`, a
number, a range, a list, or a step of those; months and days of the week by name, too; Sunday is 0
and 7. Where both days are restricted, either of them makes a day.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from playhead.errors import InvalidRequest

YEARS_MAX: Final = 9
"""How far ahead the next time is looked for: 29 February comes after eight years at most."""
_MONTHS: Final = [name.lower() for name in calendar.month_abbr]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_SAID: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day of the week", 0, 7, tuple(_DAYS)),
)


class Cron(msgspec.Struct, frozen=True):
    """When something is due. Every member is a set of numbers."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 = Sunday."""
    either_day: bool
    """Both kinds of days are restricted: one of them is enough."""

    def next_ms(self, after_ms: int) -> int | None:
        """Return the first due time later than `after_ms` (UTC ms); None = there is none."""
        at = datetime.fromtimestamp(after_ms // 60_000 * 60, UTC) + timedelta(minutes=1)
        for day in _days_from(at):
            if day.month not in self.months or not self._is_day(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = day.replace(hour=hour, minute=minute)
                    if found >= at:
                        return int(found.timestamp()) * 1000
        return None

    def _is_day(self, day: datetime) -> bool:
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either_day else of_month and of_week


def cron(text: str) -> Cron:
    """Read a cron expression.

    Raises:
        InvalidRequest: It is none; the sentence says which field.
    """
    said = _SAID.get(text.strip().lower(), text)
    parts = said.split()
    if len(parts) != len(_FIELDS):
        raise InvalidRequest(
            f"'{text[:80]}' has {len(parts)} fields; cron has five.",
            hint="minute hour day month weekday: '*/5 * * * *' is every five minutes.",
        )
    found = [_numbers(part, field) for part, field in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = found
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)


def _days_from(at: datetime) -> Iterator[datetime]:
    day = at.replace(hour=0, minute=0)
    until = at + timedelta(days=366 * YEARS_MAX)
    while day < until:
        yield day
        day += timedelta(days=1)


def _numbers(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        every = _number(step, field, 1, field.last) if slash else 1
        first, last = _span(span, field)
        if slash and span != "*" and "-" not in span:
            last = field.last
        found.update(range(first, last + 1, every))
    return frozenset(found)


def _span(text: str, field: _Field) -> tuple[int, int]:
    if text == "*":
        return field.first, field.last
    first, dash, last = text.partition("-")
    start = _number(first, field, field.first, field.last)
    end = _number(last, field, field.first, field.last) if dash else start
    if end < start:
        raise _wrong(text, field)
    return start, end


def _number(text: str, field: _Field, least: int, most: int) -> int:
    word = text.lower()
    if word and word in field.names:
        return field.names.index(word)
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:4]) <= most:
        raise _wrong(text, field)
    return int(text[:4])


def _wrong(text: str, field: _Field) -> InvalidRequest:
    return InvalidRequest(
        f"'{text[:40]}' is no {field.name} of cron ({field.first} to {field.last})."
    )
