"""Values of log fields: text, numbers, sizes and times as CDNs write them.

Every reader here takes what JSON or a column holds and returns None where it says nothing or
cannot be read.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

TEXT_MAX: Final = 256
"""Characters of a short text that are kept."""
URL_MAX: Final = 8_192
"""Characters of a path, parameters or user agent that are looked at."""
NUMBER_MAX: Final = 1e15
STATUS_MAX: Final = 999
_TIMES: Final = 4_096
EPOCH_MIN_S: Final = 1e8
"""Smaller numbers are no time: they would lie before 1973."""
EPOCH_MAX_S: Final = 1e11
_UNITS: Final = ((EPOCH_MAX_S, 1e3), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6))
"""Below the first number, times the second are ms: seconds, ms, µs, ns."""
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_LOCAL = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_SEVERAL = re.compile(r", | : |,|;")
NOTHING: Final = frozenset({"", "-", "null", "(null)", "None"})
"""What logs write where there is nothing to say."""


def text(value: object) -> str | None:
    """Return a short text."""
    if isinstance(value, str):
        return value[:TEXT_MAX]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return None


def long_text(value: object) -> str | None:
    """Return a path, a query or a user agent."""
    return value[:URL_MAX] if isinstance(value, str) else None


def unquoted(value: object) -> str | None:
    """Return a text that the log writes percent-encoded, once or twice."""
    found = long_text(value)
    for _ in range(2):
        if not found or "%" not in found:
            break
        found = unquote(found)
    return found


def number(value: object) -> float | None:
    """Return a number that is not negative."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    # Compared before it becomes a float: an integer of any length may come.
    return float(value) if 0 <= value <= NUMBER_MAX else None


def ms(value: object) -> float | None:
    """Return a duration that is logged in ms."""
    return number(value)


def seconds(value: object) -> float | None:
    """Return a duration logged in seconds, in ms; several (one per upstream) are added."""
    if isinstance(value, str) and _SEVERAL.search(value):
        parts = [number(part) for part in _SEVERAL.split(value)]
        known = [part for part in parts if part is not None]
        return round(sum(known) * 1e3, 3) if known else None
    found = number(value)
    return None if found is None else round(found * 1e3, 3)


def microseconds(value: object) -> float | None:
    """Return a duration logged in µs, in ms."""
    found = number(value)
    return None if found is None else round(found / 1e3, 3)


def status(value: object) -> int | None:
    """Return an HTTP status; 0 = the client left before there was one."""
    found = number(value)
    return int(found) if found is not None and found <= STATUS_MAX else None


def network(value: object) -> int | None:
    """Return a network number: 209, "209" or "AS209"."""
    if isinstance(value, str):
        value = value.strip().upper().removeprefix("AS")
    found = number(value)
    return int(found) if found is not None and found < 2**32 else None


def country(value: object) -> str | None:
    """Return a country by its two letters."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def flag_or_word(value: object) -> str | None:
    """Return a cache word; yes and no are hit and miss."""
    if isinstance(value, bool):
        return "HIT" if value else "MISS"
    return text(value)


def is_nothing(value: object) -> bool:
    """Say whether a value is one of the ways in which logs write that there is none."""
    return value is None or (isinstance(value, str) and value in NOTHING)


def epoch_ms(value: float) -> int | None:
    """Return a time since 1970 in ms, whatever the unit: its size tells."""
    if not EPOCH_MIN_S <= value < _UNITS[-1][0]:
        return None
    # An integer of any length may come; in range, it fits a float.
    return next(round(value * factor) for below, factor in _UNITS if value < below)


def instant(value: object) -> int | None:
    """Return a time in UTC ms: a number since 1970, ISO 8601, or the common log format."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return epoch_ms(value)
    return _instant_of(value.strip(" []")) if isinstance(value, str) and len(value) < 64 else None


@lru_cache(maxsize=_TIMES)
def _instant_of(written: str) -> int | None:
    try:
        return epoch_ms(float(written))
    except ValueError:
        pass
    local = _LOCAL.fullmatch(written)
    try:
        moment = _moment(*local.groups()) if local else _iso(written)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, KeyError):
        return None


def _iso(written: str) -> datetime:
    for zone in ("GMT", "UTC"):
        if written.endswith(zone):
            written = written.removesuffix(zone).rstrip() + "+00:00"
    moment = datetime.fromisoformat(written)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _moment(*parts: str) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = parts
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return datetime(
        int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second),
        tzinfo=timezone(ahead if sign == "+" else -ahead),
    )  # fmt: skip
