"""Whether every value of one type is the same value of another: then rows go over by themselves."""

import re
from typing import Final

_WRAPPED: Final = re.compile(r"(Nullable|LowCardinality|Array)\((.*)\)", re.DOTALL)
_INTEGER: Final = re.compile(r"(U?)Int(\d+)")
_FLOAT: Final = re.compile(r"Float(\d+)")
_DECIMAL: Final = re.compile(r"Decimal\((\d+), (\d+)\)")
_MOMENT: Final = re.compile(r"DateTime(64)?(?:\((?:(\d+)(?:, )?)?('[^']*')?\))?")
_ENUM: Final = re.compile(r"Enum\d*\((.*)\)", re.DOTALL)
_PAIR: Final = re.compile(r"('(?:[^'\\]|\\.)*' = -?\d+)")
_EXACT_BITS: Final = {32: 24, 64: 53}
"""Integers of so many bits are exact in a float of that size."""


def widens(made: str, wanted: str) -> bool:
    """Return whether a column of the type `made` becomes one of `wanted` without losing anything."""
    if wanted == "Bool" and made not in {"Bool", "Nullable(Nothing)"}:
        return False
    made, wanted = _value_type(made), _value_type(wanted)
    if made == wanted or (made == "Nullable(Nothing)" and wanted.startswith("Nullable(")):
        return True
    one, other = _WRAPPED.fullmatch(made), _WRAPPED.fullmatch(wanted)
    if other and other[1] == "Nullable":
        inner = one[2] if one and one[1] == "Nullable" else made
        return widens(inner, other[2])
    if one and other and one[1] == other[1] == "Array":
        return widens(one[2], other[2])
    if one or other:
        return False
    return _number(made, wanted) or _moment(made, wanted) or _enum(made, wanted)


def _value_type(kind: str) -> str:
    """Return a type without what only says how it is kept."""
    kind = kind.strip()
    while kind.startswith("LowCardinality(") and kind.endswith(")"):
        kind = kind.removeprefix("LowCardinality(").removesuffix(")")
    if kind.startswith("SimpleAggregateFunction("):
        return _value_type(kind.partition(", ")[2].removesuffix(")"))
    return "UInt8" if kind == "Bool" else kind


def _number(made: str, wanted: str) -> bool:
    one, other = _INTEGER.fullmatch(made), _INTEGER.fullmatch(wanted)
    if one and other:
        if one[1] == other[1]:
            return int(other[2]) >= int(one[2])
        return bool(one[1]) and int(other[2]) > int(one[2])
    floating = _FLOAT.fullmatch(wanted)
    if one and floating:
        return int(one[2]) <= _EXACT_BITS[int(floating[1])]
    before = _FLOAT.fullmatch(made)
    if before and floating:
        return int(floating[1]) >= int(before[1])
    one, other = _DECIMAL.fullmatch(made), _DECIMAL.fullmatch(wanted)
    if one and other:
        whole, more = int(one[1]) - int(one[2]), int(other[1]) - int(other[2])
        return more >= whole and int(other[2]) >= int(one[2])
    return False


def _moment(made: str, wanted: str) -> bool:
    if made == "Date":
        return wanted == "Date32"
    one, other = _MOMENT.fullmatch(made), _MOMENT.fullmatch(wanted)
    if not one or not other:
        return False
    # The time zone only says how a moment is shown.
    return int(other[2] or 0) >= int(one[2] or 0)


def _enum(made: str, wanted: str) -> bool:
    one, other = _ENUM.fullmatch(made), _ENUM.fullmatch(wanted)
    if not one:
        return False
    if wanted == "String":
        return True
    return other is not None and set(_PAIR.findall(one[1])) <= set(_PAIR.findall(other[1]))
