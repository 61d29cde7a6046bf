"""Times and dates as clients write them, in a form that the engine reads the same way.

The engine ends a whole insert at a time it cannot read, and takes one that is out of range for
another time. So every text is read here first; the usual forms pass as they are.
"""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from playhead.project.unfit import Unfit

TEXT_MAX: Final = 64
"""Longest text that is tried as a time."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000), (10**20, 1_000_000_000))
"""A number below the first is seconds, below the next milliseconds, then micro, then nano."""
_DIGITS: Final = re.compile(r"-?\d{9,19}(?:\.\d{1,9})?", re.ASCII)
_NUMERAL: Final = re.compile(r"-?\d+(?:\.\d*)?", re.ASCII)
_ZONED: Final = re.compile(r"(.*\d) ?(Z|UTC|GMT|[+-]\d\d:?\d\d)", re.ASCII)
_COMPACT: Final = {4: "%Y", 8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
_FORMS: Final = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f", "%Y%m%dT%H%M%S",
    "%Y-%m-%d %I:%M:%S %p", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%d/%m/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
    "%b %d, %Y", "%b %d %Y", "%d %b %Y", "%b %d, %Y %H:%M:%S", "%d %b %Y %H:%M:%S",
)  # fmt: skip
_ZERO: Final = "0000-00-00"


class Span:
    """The first and last day a type holds, as `YYYY-MM-DD`."""

    def __init__(self, first: str, last: str) -> None:
        self.first = first
        self.last = last

    def holds(self, day: str) -> bool:
        """Return whether a day lies within."""
        return self.first <= day <= self.last


DATE: Final = Span("1970-01-01", "2149-06-06")
DATE32: Final = Span("1900-01-01", "2299-12-31")
DATETIME: Final = Span("1970-01-01", "2106-02-06")
DATETIME64: Final = Span("1900-01-01", "2299-12-31")
NANOSECONDS: Final = Span("1900-01-01", "2262-04-10")
"""DateTime64(9): its 64 bits end there."""


def time_in(value: Any, span: Span) -> str:
    """Return a time as text for the engine: `2024-01-01 10:00:00.5`, with `Z` when it has a zone.

    Raises:
        Unfit: It is no time, or outside the type's span.
    """
    kind = value.__class__
    if kind is str:
        plain = value[:-1] if value[-1:] == "Z" else value
        if len(plain) >= 19 and _is_iso(plain):
            if span.first <= plain[:10] <= span.last:
                return str(value)
            raise Unfit
        moment = _slow(value)
    elif kind is int or kind is float:
        moment = _of_number(value)
    else:
        raise Unfit
    return _written(moment, span)


def day_in(value: Any, span: Span) -> str:
    """Return a date as `YYYY-MM-DD`; of a time with a zone the day in UTC.

    Raises:
        Unfit: It is no date, or outside the type's span.
    """
    if value.__class__ is str:
        if len(value) == 10 and value[4] == "-" and value[7] == "-":
            day = _day(value)
        else:
            day = _written(_slow(value), DATETIME64)[:10]
    elif value.__class__ is int and -65_536 < value < 65_536:
        day = (_EPOCH + timedelta(days=value)).date().isoformat()
    else:
        day = time_in(value, DATETIME64)[:10]
    if not span.holds(day):
        raise Unfit
    return day


def _day(text: str) -> str:
    if text == _ZERO:
        return "1970-01-01"
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise Unfit from error
    return text


def _is_iso(text: str) -> bool:
    """Return whether it is `YYYY-MM-DD[ T]hh:mm:ss[.f…]`, a time that exists."""
    if text[10] not in "T " or text[4] != "-" or text[13] != ":" or text[16] != ":":
        return False
    if len(text) > 19 and not (
        text[19] == "." and len(text) <= 29 and text[20:].isdigit() and text.isascii()
    ):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True


def _slow(text: str) -> datetime:
    """Return the time of a text in one of the less usual forms; naive when it names no zone."""
    text = text.strip()
    if not text or len(text) > TEXT_MAX or not text.isascii():
        raise Unfit
    if text.startswith(_ZERO):
        return _EPOCH
    if _NUMERAL.fullmatch(text):
        return _of_digits(text)
    if text[4:5] == text[7:8] == "-" and text[10:11] in ("", " ", "T"):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    try:
        return _zoned(text)
    except Unfit:
        return _of_mail(text)


def _of_digits(text: str) -> datetime:
    """Return the time of a number since 1970, or of `20240131` and the like."""
    if text.isdigit() and len(text) in _COMPACT:
        return _parsed(text, (_COMPACT[len(text)],))
    if not _DIGITS.fullmatch(text):
        raise Unfit
    return _of_number(float(text) if "." in text else int(text))


def _zoned(text: str) -> datetime:
    zoned = _ZONED.fullmatch(text)
    if zoned is None or not (":" in zoned[1] or "T" in zoned[1]):
        return _parsed(text, _FORMS)
    moment = _parsed(zoned[1].strip(), _FORMS)
    return moment.replace(tzinfo=UTC) - _offset(zoned[2].replace(":", ""))


def _offset(text: str) -> timedelta:
    if text[0] not in "+-":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[3:5])
    if hours > 14 or minutes > 59:
        raise Unfit
    span = timedelta(hours=hours, minutes=minutes)
    return -span if text[0] == "-" else span


def _parsed(text: str, forms: tuple[str, ...]) -> datetime:
    if "." in text:
        head, _, fraction = text.rpartition(".")
        text = f"{head}.{fraction[:6]}"
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (naive: the column's own zone)
        except ValueError:
            continue
    raise Unfit


def _of_mail(text: str) -> datetime:
    """Return the time of `Mon, 01 Jan 2024 10:00:00 GMT`."""
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Unfit from error


def _of_number(value: float) -> datetime:
    for below, per_second in _UNITS:
        if abs(value) < below:
            try:
                whole, rest = divmod(value, per_second)
                microseconds = int(rest * 1_000_000 / per_second)
                if isinstance(value, float) and per_second == 1:
                    whole, microseconds = int(value // 1), round(value % 1 * 1_000_000)
                return _EPOCH + timedelta(seconds=int(whole), microseconds=microseconds)
            except (OverflowError, ValueError) as error:
                raise Unfit from error
    raise Unfit


def _written(moment: datetime, span: Span) -> str:
    zone = ""
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError as error:
            raise Unfit from error
        zone = "Z"
    text = moment.isoformat(sep=" ")
    if not span.holds(text[:10]):
        raise Unfit
    return text + zone
