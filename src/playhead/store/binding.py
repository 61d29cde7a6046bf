"""Values on their way into a statement: bound as `{name:Type}`, never pasted into its text.

The engine decodes a bound value as tab-separated text, so a backslash would be decoded and a tab
or newline refused; `bound` writes every value such that it comes back as it went in.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_ESCAPES = str.maketrans({
    "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f",
})  # fmt: skip
_QUOTED = str.maketrans({
    "\\": "\\\\", "'": "\\'", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b",
    "\f": "\\f",
})  # fmt: skip


class Sent(str):
    """A value as a client of the ClickHouse protocol sent it: written for the engine already."""

    __slots__ = ()


def bound(value: object) -> str:
    """Return a value as the text of a `param_name` URL argument.

    Takes str, int, float, bool, None (for Nullable types), datetime (ms since 1970) and lists
    or tuples of these.

    Raises:
        TypeError: Any other type.
    """
    if value is None:
        return "\\N"
    if isinstance(value, Sent):
        return str(value)
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, list | tuple):
        return _array(value)
    return _number(value)


def literal(text: str) -> str:
    """Return text as a quoted string literal of the engine's SQL."""
    return f"'{text.translate(_QUOTED)}'"


def filters_literal(filters: Mapping[str, str]) -> str:
    """Return `{table: condition}` as the map literal `additional_table_filters` takes."""
    pairs = (f"{literal(table)}:{literal(condition)}" for table, condition in filters.items())
    return "{" + ",".join(pairs) + "}"


def _array(values: Sequence[object]) -> str:
    return "[" + ",".join(_element(value) for value in values) + "]"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return literal(value)
    return _number(value)


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return str(round(aware.timestamp() * 1000))
    msg = f"A value of type {type(value).__name__} cannot be bound to a query."
    raise TypeError(msg)
