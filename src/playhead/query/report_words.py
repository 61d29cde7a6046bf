"""The report's numbers as people read them, for the page and for the terminal."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

MISSING: Final = "\u2013"
UNKNOWN: Final = "unknown"
OTHERS: Final = "all others"
TEXT_SHOWN: Final = 80
"""Characters of a name from outside; titles can be of any length."""
SAME_PERCENT: Final = 0.5
"""A change below this is none."""
_DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Marks that turn the direction of the text around them: a name could rearrange its neighbours."""
_HOUR_MS: Final = 3_600_000
_DAYS_AS_HOURS: Final = 100


def number_and_unit(value: float | None, unit: str, form: str) -> tuple[str, str]:
    """Return a number and its unit as text; the unit is empty where the number says it."""
    if value is None:
        return MISSING, ""
    if form == "duration":
        return duration(value), ""
    if unit == "%":
        return f"{value:.{1 if value >= 10 else 2}f} %", ""
    if unit == "kbit/s":
        return (f"{value / 1000:.2f}", "Mbit/s") if value >= 1000 else (f"{value:.0f}", "kbit/s")
    if float(value).is_integer():
        return f"{value:,.0f}", unit
    return f"{value:,.{1 if value >= 100 else 2}f}", unit


def shown(value: float | None, unit: str, form: str) -> str:
    """Return a number with its unit where that is short; counts stand alone."""
    number, word = number_and_unit(value, unit, form)
    return f"{number} {word}" if word.endswith("bit/s") else number


def duration(ms: float) -> str:
    """Return a duration in the two units that matter."""
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 59_995:
        return f"{ms / 1000:.{2 if ms < 10_000 else 1}f} s"
    seconds = round(ms / 1000)
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60} s"
    minutes = round(ms / 60_000)
    if minutes < _DAYS_AS_HOURS * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{ms / _HOUR_MS:,.0f} h"


def change(percent: float | None) -> str:
    """Return a change with its sign; empty where nothing can be compared."""
    if percent is None:
        return ""
    size = abs(percent)
    sign = "±" if size < 0.05 else "+" if percent > 0 else "\u2212"
    return f"{sign}{size:,.{0 if size >= 100 else 1}f} %"


def verdict(percent: float | None, better: str) -> str:
    """Return `better`, `worse`, `same` or, where neither is meant, `neutral`."""
    if percent is None or better == "neutral":
        return "neutral"
    if abs(percent) < SAME_PERCENT:
        return "same"
    return "better" if (percent > 0) == (better == "higher") else "worse"


def arrow(percent: float | None) -> str:
    """Return the direction of a change as one character."""
    if percent is None:
        return ""
    return "▲" if percent >= SAME_PERCENT else "▼" if percent <= -SAME_PERCENT else "="


def whole_ones(rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Return the values of a series for a line without axis; of buckets the span cuts, none.

    A small line cannot mark them, and would seem to fall at its end. Where the others hold nothing,
    all count.
    """
    whole = [None if row["partial"] else row["value"] for row in rows]
    return whole if any(whole) else [row["value"] for row in rows]


def name_of(group: str, *, other: bool) -> str:
    """Return a group's name: words for none and for all others, anything else made harmless."""
    return OTHERS if other else harmless(group) if group else UNKNOWN


def harmless(text: str) -> str:
    """Return text from outside cut to a length, its control characters and direction marks replaced.

    It is still text, not markup: a page escapes it as well.
    """
    kept = "".join("\ufffd" if _is_control(c) else c for c in text[: TEXT_SHOWN + 1])
    return kept if len(kept) <= TEXT_SHOWN else kept[: TEXT_SHOWN - 1].rstrip() + "…"


def _is_control(character: str) -> bool:
    if character in _DIRECTIONS:
        return True
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
