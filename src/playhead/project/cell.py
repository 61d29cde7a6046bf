"""A cell of CSV as the JSON value it stands for."""

import ast
from typing import Any, Final

import msgspec

from playhead.project.path import EVERY, reach
from playhead.project.slot import Slot
from playhead.project.values import ENCODER

NULL: Final = "\\N"
LITERAL_CHARS_MAX: Final = 100_000
"""Longest cell that is read as `['a', 'b']`."""
_OPENERS: Final = "[{("


def cell_value(cell: str, slot: Slot) -> Any:
    """Return what a cell holds; None where it says nothing.

    An empty cell is an empty text in a text column that is not Nullable, and nothing elsewhere.
    """
    if cell == NULL or (not cell and not slot.required and (slot.nullable or not slot.is_text)):
        return None
    if slot.is_text:
        return cell
    value = _composed(cell) if cell[:1] in _OPENERS and cell else cell
    if slot.part and isinstance(value, list):
        return reach((EVERY, slot.part))(value)
    return value


def _composed(cell: str) -> Any:
    """Return the array, map or tuple of a cell: JSON, or as the engine writes it."""
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError):
        pass
    if len(cell) > LITERAL_CHARS_MAX:
        return cell
    try:
        value = ast.literal_eval(cell)
        ENCODER.encode(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return cell
    return value
