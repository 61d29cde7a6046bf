"""Rows as a table on a terminal: as wide as their values, numbers to the right."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from playhead.cli.asking import shown

CELL_MOST: Final = 60
"""Letters of a value that are shown; the other formats have it whole."""
_GAP: Final = "  "
_NUMBERS: Final = ("Int", "UInt", "Float", "Decimal")


def lines(
    names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]], width_most: int = 0
) -> Iterator[str]:
    """Yield the table line by line: names, a rule, rows.

    Args:
        names: Of the columns.
        types: Theirs, as the engine says them.
        rows: Values as JSON has them.
        width_most: A wider table is told with a line for each value; 0 = as wide as it comes.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    heads = [_short(shown(name)) for name in names]
    widths = [
        max([_width(head), *(_width(row[index]) for row in cells)])
        for index, head in enumerate(heads)
    ]
    right = [_is_number(one) for one in types]
    if width_most and sum(widths) + len(_GAP) * (len(widths) - 1) > width_most:
        yield from _upright(heads, cells)
        return
    yield _line(heads, widths, right)
    yield _GAP.join("─" * width for width in widths)
    for row in cells:
        yield _line(row, widths, right)


def _upright(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each value, row after row."""
    widest = max(_width(head) for head in heads)
    for number, row in enumerate(cells, 1):
        yield f"── row {number} ──"
        for head, cell in zip(heads, row, strict=True):
            yield f"{head}{' ' * (widest - _width(head))}{_GAP}{cell}".rstrip()


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    placed = [
        " " * (width - _width(cell)) + cell if on_right else cell + " " * (width - _width(cell))
        for cell, width, on_right in zip(cells, widths, right, strict=True)
    ]
    return _GAP.join(placed).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _short(shown(value))
    return _short(shown(msgspec.json.encode(value).decode()))


def _short(text: str) -> str:
    return text if len(text) <= CELL_MOST else text[: CELL_MOST - 1] + "…"


def _is_number(type_: str) -> bool:
    bare = type_.removeprefix("LowCardinality(").removeprefix("Nullable(")
    return bare.startswith(_NUMBERS)


def _width(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)
