"""The Prometheus form asks for exact types; a query is put into a cast of the columns it has."""

from collections.abc import Mapping
from typing import Final

from playhead.errors import PlayheadError

FORMAT: Final = "Prometheus"
_CASTS: Final = {
    "name": "toString({})",
    "value": "toFloat64({})",
    "help": "toString({})",
    "type": "toString({})",
    "timestamp": "toFloat64({})",
    "labels": "CAST({}, 'Map(String, String)')",
}


def wants_casts(error: PlayheadError) -> bool:
    """Return whether the engine refused a query for the types of its columns."""
    return "Illegal type" in error.message and f"format '{FORMAT}'" in error.message


def cast(sql: str, columns: Mapping[str, str]) -> str:
    """Return the query with the columns the form knows, in the types it asks for.

    Args:
        sql: The query.
        columns: Its columns and their types; a timestamp that is a time becomes milliseconds.
    """
    chosen = []
    for name, pattern in _CASTS.items():
        if name in columns:
            column = f"q.`{name}`"
            if name == "timestamp" and "Date" in columns[name]:
                column = f"toUnixTimestamp64Milli(toDateTime64({column}, 3))"
            chosen.append(f"{pattern.format(column)} AS `{name}`")
    return f"SELECT {', '.join(chosen)} FROM ({sql}) AS q"  # noqa: S608 (the guard has passed it)
