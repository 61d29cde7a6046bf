"""The quick way from lines to rows: a decoder made for the columns of one data source.

Each line is decoded straight into its columns, with exact types where JSON's own say enough. It knows
no refusals: where anything does not fit, `rows` is None and the careful way (`rows.py`) reads the
lines. What it does take is what the careful way makes of it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import astuple

from playhead.project import numbers
from playhead.project.datatype import DataType, datatype
from playhead.project.slot import Slot
from playhead.project.unfit import Unfit
from playhead.project.values import ARRAY_ITEMS_MAX, Convert, converter

_INT64: Final = (-(2**63), 2**63 - 1)
_WIDE: Final = Annotated[int, msgspec.Meta(ge=_INT64[0], le=_INT64[1])]
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unfit)


class QuickRows:
    """Reads lines of NDJSON for one data source."""

    def __init__(
        self, fields: Sequence[tuple[str, Any, bool]], converts: dict[int, Convert]
    ) -> None:
        names = [f"f{at}" for at in range(len(fields))]
        # A field without default comes first in a struct, so all are given as keywords.
        made = msgspec.defstruct(
            "Line",
            [
                (name, kind) if required else (name, kind, None)
                for name, (_, kind, required) in zip(names, fields, strict=True)
            ],
            rename=dict(zip(names, (key for key, _, _ in fields), strict=True)),
            kw_only=True,
            gc=False,
            # What is skipped is not looked at: a number there that no float holds would pass.
            forbid_unknown_fields=True,
        )
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(made).decode
        self._converts = converts

    def rows(self, lines: Sequence[bytes]) -> Sequence[Sequence[Any]] | None:
        """Return a row for each line; None where one of them needs care."""
        decode = self._decode
        try:
            rows = [astuple(decode(line)) for line in lines]
            return self._converted(rows) if self._converts else rows
        except _UNREADABLE:
            return None

    def _converted(self, rows: list[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for at, convert in self._converts.items():
            columns[at] = [convert(value) for value in columns[at]]
        return list(zip(*columns, strict=True))


def quick_rows(slots: Sequence[Slot]) -> QuickRows | None:
    """Return the quick way for the columns of an insert; None where they have none.

    They have one where each stands at the top of the event, under a key of its own.
    """
    keys = [slot.key for slot in slots if slot.key is not None]
    if len(keys) < len(slots) or len(set(keys)) < len(keys) or not slots:
        return None
    if any(slot.exact or slot.may_be_absent or slot.whole_text or slot.part for slot in slots):
        return None
    fields: list[tuple[str, Any, bool]] = []
    converts: dict[int, Convert] = {}
    for at, (slot, key) in enumerate(zip(slots, keys, strict=True)):
        kind = datatype(slot.type).bare()
        native = _native(kind)
        if native is None:
            converts[at] = _guarded(converter(kind), required=slot.required)
            native = Any
        fields.append((key, native if slot.required else native | None, slot.required))
    return QuickRows(fields, converts)


def _guarded(convert: Convert, *, required: bool) -> Convert:
    def guarded(value: Any) -> Any:
        if value is not None:
            return convert(value)
        if required:
            raise Unfit
        return None

    return guarded


def _native(kind: DataType) -> Any:
    """Return the Python type that takes exactly what a column's type takes unchanged, or None."""
    name = kind.name
    if name == "String":
        return str
    if name == "Bool":
        return bool
    if name in {"Float32", "Float64"}:
        return _WIDE | float
    low, high = numbers.INTEGERS.get(name, (0, 0))
    if _INT64[0] <= low < high <= _INT64[1]:
        return Annotated[int, msgspec.Meta(ge=low, le=high)]
    if name == "Array" and kind.part().name == "String":
        return Annotated[list[str], msgspec.Meta(max_length=ARRAY_ITEMS_MAX)]
    return None
