"""Until when something is kept, in words; and sizes and times as the words need them."""

import re
from typing import Final

from playhead.config import Config

FOR_EVER: Final = "for ever"
_TTL: Final = re.compile(r"\bTTL (.+?)(?: SETTINGS |$)", re.DOTALL)
_INTERVAL: Final = re.compile(
    r"(.+?) \+ toInterval(Second|Minute|Hour|Day|Week|Month|Quarter|Year)\((\d+)\)"
)
_WRAPPED: Final = re.compile(r"to(?:Date|DateTime)\((\w+)\)")
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS: Final = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))
_RULE_CHARS_MAX: Final = 120


def size(count: float) -> str:
    """Return bytes as people read them: `512 B`, `1.5 GiB`, `-20 MiB`."""
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 0 if abs(value) >= 100 or not unit else 1
    text = f"{value:.{digits}f}"
    return f"{text.removesuffix('.0')} {_UNITS[unit]}"


def span(ms: int) -> str:
    """Return a duration in the largest unit that divides it: `7 days`, `90 minutes`."""
    for length, name in _SPANS:
        if ms >= length and ms % length == 0:
            return counted(ms // length, name)
    return f"{ms} ms"


def counted(number: int, noun: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def of_log(config: Config) -> str:
    """Return the rule of the log."""
    log = config.log
    return (
        f"{span(log.retention_age_ms)}, at most {size(log.retention_bytes)};"
        " never what is not loaded yet"
    )


def of_table(engine: str, *, limit_bytes: int = 0) -> str:
    """Return the rule of a table, as the store has it.

    Args:
        engine: The engine of the table with its clauses, as the engine writes them.
        limit_bytes: How large it may be; 0 = as large as it gets.
    """
    match = _TTL.search(engine)
    rule = _expiry(match[1].strip()) if match else FOR_EVER
    if not limit_bytes:
        return rule
    return f"{'' if rule == FOR_EVER else rule + ', '}at most {size(limit_bytes)}"


def _expiry(expression: str) -> str:
    match = _INTERVAL.fullmatch(expression)
    if match is None:
        return f"by its TTL: {expression[:_RULE_CHARS_MAX]}"
    at = _WRAPPED.sub(r"\1", match[1])
    return f"{counted(int(match[3]), match[2].lower())} after {at}"


def of_imports(config: Config) -> str:
    """Return the rule of files of imports."""
    days = config.retention.import_days
    kept = counted(days, "day") if days else FOR_EVER
    most = size(config.jobs.max_spool_bytes)
    return f"until loaded, of failed ones {kept}; at most {most}"


def of_books(config: Config) -> str:
    """Return the rule of the server's own books: jobs, tokens, keys, the worker's ledger."""
    days = config.retention.job_days
    jobs = f"{counted(days, 'day')}, at most {config.jobs.max_kept:,}" if days else (
        f"the newest {config.jobs.max_kept:,}"
    )  # fmt: skip
    return f"jobs {jobs}; keys of requests {span(config.collect.idempotency_ms)}; the rest for ever"
