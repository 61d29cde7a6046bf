"""A value of a mapping: a constant, a text with names in braces, or a column with its unit.

What a value may be is data, never code: nothing of a mapping is evaluated.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

Scope = Mapping[str, str]
"""What names stand for at a row: its columns, parts of the file's name, and the built-in ones."""
Now = Callable[["Scopes"], Any]
"""Gives a value at a row; None leaves the field out."""

TEXT_LENGTH_MAX: Final = 4_096
"""Longest text a value may become."""
_NAME: Final = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]")
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "ns": ("time", 1e-6), "us": ("time", 1e-3), "ms": ("time", 1.0), "s": ("time", 1e3),
    "min": ("time", 6e4), "h": ("time", 3.6e6),
    "bps": ("rate", 1e-3), "kbps": ("rate", 1.0), "Mbps": ("rate", 1e3), "Gbps": ("rate", 1e6),
    "B": ("size", 1.0), "kB": ("size", 1e3), "MB": ("size", 1e6),
    "KiB": ("size", 1024.0), "MiB": ("size", 1024.0**2),
}  # fmt: skip
"""Unit to what it measures and how many ms, kbit/s or bytes it is."""
_ENDINGS: Final = (("Ms", "ms"), ("Sec", "s"), ("Kbps", "kbps"), ("Mbps", "Mbps"))
_FIELD_UNITS: Final = {
    "timestamp": "ms", "startedAt": "ms", "endedAt": "ms", "totalWatchTime": "ms",
    "totalPauseTime": "ms", "bytes": "B",
}  # fmt: skip


class Scopes(msgspec.Struct):
    """The row in hand and the first row of its file."""

    row: dict[str, str]
    first: dict[str, str]


class Wrong(Exception):
    """A value's description is wrong; `args[0]` is the sentence's end."""


class Column(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from", "as_": "as"}):
    """A value taken from a column or another name."""

    from_: str
    unit: str = ""
    """The column's unit; the field's own is in its name."""
    default: str | int | float | bool | None = None
    """Taken where the cell is empty."""
    values: dict[str, str | int | float | bool] | None = None
    """What texts of the column become; one that is not listed is a fault of the row."""
    row: str = "this"
    """`this` or `first` row of the file."""
    as_: str = ""
    """`text`, `number` or `boolean`, where the field leaves it open (custom, rows)."""


def unit_of(field: str) -> str:
    """Return the unit in which a field is sent, which its name says; empty if it has none."""
    if field in _FIELD_UNITS:
        return _FIELD_UNITS[field]
    return next((unit for ending, unit in _ENDINGS if field.endswith(ending)), "")


def factor(unit: str, wanted: str) -> float:
    """Return what a number in `unit` is multiplied with to be in `wanted`.

    Raises:
        Wrong: A unit is not known, or they measure different things.
    """
    if unit not in _UNITS:
        raise Wrong(f"there is no unit '{unit}'; there are {', '.join(_UNITS)}")
    kind, size = _UNITS[unit]
    if not wanted or _UNITS[wanted][0] != kind:
        raise Wrong(f"a value in {unit} does not fit: the field is {_said(wanted)}")
    return size / _UNITS[wanted][1]


def _said(unit: str) -> str:
    return f"in {unit}" if unit else "in no unit that is known"


def names_in(text: str) -> list[str]:
    """Return the names in braces of a text.

    Raises:
        Wrong: A brace stands alone.
    """
    names = []
    for found in _NAME.finditer(text):
        if found[0] in {"{", "}"}:
            raise Wrong(f"a brace stands alone in '{text}'; write {{{{ or }}}} for the sign itself")
        if found[1]:
            names.append(found[1])
    return names


def compiled(spec: object, *, kind: str, unit: str, used: set[str]) -> Now:
    """Return what gives a value at each row.

    Args:
        spec: The value as the mapping has it.
        kind: What the field takes: `text`, `number`, `boolean`, or empty for any.
        unit: The field's unit, empty if it has none.
        used: Takes up the names that the value uses.

    Raises:
        Wrong: The description is wrong.
    """
    if isinstance(spec, (bool, int, float)):
        return _constant(spec, kind)
    if isinstance(spec, str):
        return _template(spec, kind, used)
    if not isinstance(spec, dict):
        raise Wrong("a value is a text, a number, true, false, or a table with 'from'")
    try:
        column = msgspec.convert(spec, Column)
    except msgspec.ValidationError as error:
        raise Wrong(str(error)) from error
    return _of_column(column, kind, unit, used)


def _constant(spec: float, kind: str) -> Now:
    fits = {"boolean": isinstance(spec, bool), "number": not isinstance(spec, bool)}
    if not fits.get(kind, kind != "text"):
        raise Wrong(f"the field takes a {kind}")
    return lambda _: spec


def _template(text: str, kind: str, used: set[str]) -> Now:
    names = names_in(text)
    used.update(names)
    plain = text.replace("{{", "{").replace("}}", "}")
    if not names:
        if kind in {"number", "boolean"}:
            raise Wrong(f"the field takes a {kind}, not the text '{text}'")
        return lambda _: plain

    def filled(scopes: Scopes) -> Any:
        row = scopes.row
        made = _NAME.sub(lambda found: row[found[1]] if found[1] else found[0][0], text)
        return typed(made, kind or "text", 1.0) if made else None

    return filled


def _of_column(column: Column, kind: str, unit: str, used: set[str]) -> Now:
    used.add(column.from_)
    if column.row not in {"this", "first"}:
        raise Wrong(f"row is 'this' or 'first', not '{column.row}'")
    if column.as_ not in {"", "text", "number", "boolean"}:
        raise Wrong(f"as is 'text', 'number' or 'boolean', not '{column.as_}'")
    if column.as_ and kind and column.as_ != kind:
        raise Wrong(f"the field takes a {kind}, not a {column.as_}")
    if column.unit and kind not in {"", "number"}:
        raise Wrong(f"the field takes a {kind}, which has no unit")
    times = factor(column.unit, unit) if column.unit else 1.0
    wanted = kind or column.as_ or ("number" if column.unit else "text")
    name, default, values, first = (
        column.from_,
        column.default,
        column.values,
        column.row == "first",
    )

    def taken(scopes: Scopes) -> Any:
        text = (scopes.first if first else scopes.row)[name].strip()
        if not text:
            return default
        if values is not None:
            if text not in values:
                raise ValueError(f"'{text[:80]}' of '{name}' is not among its values")
            return values[text]
        try:
            return typed(text, wanted, times)
        except ValueError as error:
            raise ValueError(f"'{name}': {error}") from error

    return taken


def typed(text: str, kind: str, times: float) -> Any:
    """Return a cell as text, number (times a factor) or boolean.

    Raises:
        ValueError: It is none, or too long.
    """
    if kind == "number":
        try:
            number = float(text) * times
        except ValueError:
            raise ValueError(f"'{text[:80]}' is no number") from None
        if not math.isfinite(number):
            raise ValueError(f"'{text[:80]}' is no finite number")
        # A time or a rate out of a product of floats: 0.179 s is 179 ms, not 178.99999.
        number = round(number, 6)
        return int(number) if number.is_integer() else number
    if kind == "boolean":
        plain = text.lower()
        if plain not in {"true", "false", "1", "0", "yes", "no"}:
            raise ValueError(f"'{text[:80]}' is neither true nor false")
        return plain in {"true", "1", "yes"}
    if len(text) > TEXT_LENGTH_MAX:
        raise ValueError(f"the text is longer than {TEXT_LENGTH_MAX} characters")
    return text
