"""Types of columns: which families there are, and what each needs in its brackets."""

from collections.abc import Callable, Sequence
from typing import Final

from playhead.project.instructions import suggestion
from playhead.project.pieces import Piece, cut, text_of

_SIZED: Final = tuple(
    f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)
)
_ANY_CASE: Final = (
    "Bool", "Date", "Date32", "DateTime", "DateTime32", "DateTime64", "Decimal", "Decimal32",
    "Decimal64", "Decimal128", "Decimal256", "Enum", "JSON", "Time", "Time64",
)  # fmt: skip
FAMILIES: Final = frozenset({
    *_SIZED, *_ANY_CASE, "BFloat16", "Float32", "Float64", "String", "FixedString", "UUID", "IPv4",
    "IPv6", "Enum8", "Enum16", "Array", "Tuple", "Map", "Nested", "Nullable", "LowCardinality",
    "Variant", "Dynamic", "AggregateFunction", "SimpleAggregateFunction", "Point", "Ring",
    "LineString", "MultiLineString", "MultiPoint", "Polygon", "MultiPolygon", "Geometry", "Nothing",
    "QBit",
})  # fmt: skip
_LOWER: Final = frozenset(name.lower() for name in _ANY_CASE)
_ALIASES: Final = frozenset({
    "BIGINT", "BLOB", "CHAR", "DOUBLE", "FLOAT", "INTEGER", "NUMERIC", "REAL", "SMALLINT", "TEXT",
    "TIMESTAMP", "TINYINT", "VARCHAR",
})  # fmt: skip
"""Further names the engine itself knows."""
_NEEDED: Final = {
    "DateTime64": ("needs a precision", "Write DateTime64(3) for milliseconds."),
    "Time64": ("needs a precision", "Write Time64(3) for milliseconds."),
    "FixedString": ("needs a length", "Write FixedString(16), or String."),
    "Array": ("needs the type of its items", "Write Array(String)."),
    "Nullable": ("needs a type", "Write Nullable(String)."),
    "LowCardinality": ("needs a type", "Write LowCardinality(String)."),
    "Map": ("needs the types of its keys and values", "Write Map(String, String)."),
    "AggregateFunction": ("needs a function", "Write AggregateFunction(sum, UInt64)."),
    "SimpleAggregateFunction": (
        "needs a function and a type",
        "Write SimpleAggregateFunction(sum, UInt64).",
    ),
    "Enum8": ("needs its values", "Write Enum8('live' = 1, 'vod' = 2)."),
    "Enum16": ("needs its values", "Write Enum16('live' = 1, 'vod' = 2)."),
}
_OF_TYPES: Final = frozenset({"Array", "Nullable", "LowCardinality", "Map", "Variant"})
_OF_FIELDS: Final = frozenset({"Tuple", "Nested"})
_OF_FUNCTION: Final = frozenset({"AggregateFunction", "SimpleAggregateFunction"})

Say = Callable[[Piece, str, str], None]
"""Told of every fault: where, the sentence, the hint."""


def check_type(some: Sequence[Piece], say: Say) -> None:
    """Look at a type and at the types inside it; says every fault."""
    if not some or some[0].kind != "word":
        if some and some[0].kind != "braces":  # a secret that is not filled in yet
            say(some[0], f"'{text_of(some)[:80]}' is no type.", "")
        return
    first = some[0]
    rest = [piece for piece in some[1:] if piece.kind != "space"]
    fault = _fault(first.text, bracketed=bool(rest))
    if fault:
        say(first, *fault)
        return
    if not rest:
        return
    if rest[0].text != "(" or rest[-1].text != ")" or rest[-1].depth != rest[0].depth:
        say(rest[0], f"'{rest[0].text}' is unexpected after {first.text}.", "")
        return
    start = next(index for index, piece in enumerate(some) if piece is rest[0])
    _check_inside(first.text, cut(some[start + 1 : -1]), say)


def _check_inside(family: str, parts: list[list[Piece]], say: Say) -> None:
    if family in _OF_TYPES:
        for part in parts:
            check_type(part, say)
    elif family in _OF_FUNCTION:
        for part in parts[1:]:
            check_type(part, say)
    elif family in _OF_FIELDS:
        for part in parts:
            named = len(part) > 2 and part[1].kind == "space" and part[2].kind == "word"
            check_type(part[2:] if named else part, say)


def _fault(name: str, *, bracketed: bool) -> tuple[str, str] | None:
    if name in ("Int", "UInt", "int", "uint"):
        sized = "UInt32" if name[0] in "Uu" else "Int32"
        return f"{name} has no size.", f"Write {sized}, or another of 8, 16, 32, 64, 128, 256 bits."
    if name.lower() == "boolean":
        return f"{name} is no type here.", "Write Bool."
    if name in _NEEDED and not bracketed:
        what, hint = _NEEDED[name]
        return f"{name} {what}.", hint
    if name in FAMILIES or name.lower() in _LOWER or name.upper() in _ALIASES:
        return None
    return f"'{name[:80]}' is no type.", suggestion(name[:40], FAMILIES)


def type_text(some: Sequence[Piece]) -> str:
    """Return a type as text, spaces only where they part words and after commas.

    `Nullable(SimpleAggregateFunction(f, T))` becomes `SimpleAggregateFunction(f, Nullable(T))`.
    """
    text = ""
    for index, piece in enumerate(some):
        if piece.kind == "comma":
            text += ", "
        elif piece.kind != "space":
            text += piece.text
        elif _parts_words(some, index):
            text += " "
    opening = "Nullable(SimpleAggregateFunction("
    if text.startswith(opening) and text.endswith("))"):
        function, comma, inner = text[len(opening) : -2].partition(", ")
        if comma and inner:
            return f"SimpleAggregateFunction({function}, Nullable({inner}))"
    return text


def _parts_words(some: Sequence[Piece], index: int) -> bool:
    """Whether the space there stands between pieces that need one."""
    if index == 0 or index + 1 >= len(some):
        return False
    before, after = some[index - 1], some[index + 1]
    return not (before.kind in ("open", "comma") or after.kind in ("open", "close", "comma"))
