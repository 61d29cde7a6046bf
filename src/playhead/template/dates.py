"""Differences between two times, computed here and not by the engine."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playhead.template.context import Context
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import TemplateRefused
from playhead.template.types import SHOWN_CHARS, required, text_of, unnamed

TEXT_MAX_CHARS = 100
"""Longest time or format that is read."""
FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
)
"""Tried in turn when the template says no date_format."""


def difference(function: str, unit_s: int) -> Callable[..., Any]:
    """Return a function of the language: whole units of `unit_s` seconds between two times."""

    def call(
        context: Context,
        d0: Any = None,
        d1: Any = None,
        date_format: Any = None,
        backup_date_format: Any = None,
        none_if_error: Any = False,
    ) -> int | None:
        first, second = unnamed(d0)[0], unnamed(d1)[0]
        if context.checking:
            return 0
        if first is None or second is None:
            if none_if_error:
                return None
            raise required(context)
        formats = _formats(date_format, backup_date_format)
        context.spend(len(formats))
        times = [_time(text_of(one), formats) for one in (first, second)]
        if times[0] is not None and times[1] is not None:
            return int(abs((times[1] - times[0]).total_seconds()) // unit_s)
        if none_if_error:
            return None
        wrong = text_of(first if times[0] is None else second)
        raise TemplateRefused(
            f"{function}() cannot read the time '{wrong[:SHOWN_CHARS]}' as "
            f"{' or '.join(formats[:2])}",
            hint="Send it in that form, or name the form: date_format='%d/%m/%Y'.",
        )

    return call


def _formats(*given: Any) -> tuple[str, ...]:
    """Return the formats to try: those given, else the usual ones."""
    named = [text_of(one) for one in given if one is not None and not isinstance(one, Placeholder)]
    return tuple(one for one in named if len(one) <= TEXT_MAX_CHARS) or FORMATS


def _time(text: str, formats: tuple[str, ...]) -> datetime | None:
    if len(text) > TEXT_MAX_CHARS:
        return None
    for one in formats:
        try:
            time = datetime.strptime(text, one)  # noqa: DTZ007 - a zone is added below
        except (ValueError, OverflowError, re.error):
            continue
        return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return None
