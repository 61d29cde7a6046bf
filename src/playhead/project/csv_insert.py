"""An INSERT that lets the engine read CSV itself, where it then makes the rows `RowReader.csv` makes.

Every cell comes as text and becomes its column's value by an expression that either gives what the
reader would give or fails, and with it the whole insert: then the reader has to look row by row.
So the engine may be stricter than the reader, and never laxer. Columns whose type has no such
expression keep their data source from being read this way.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from playhead.project.datatype import DataType, datatype
from playhead.project.expression import backquoted, quoted
from playhead.project.implicit import every_column
from playhead.project.moment import DATE, DATE32, DATETIME, DATETIME64, Span
from playhead.project.numbers import INTEGERS, TEXT_MAX
from playhead.project.resources import Datasource
from playhead.project.slot import Slot, slots_of
from playhead.project.table import qualified
from playhead.project.values import NO, YES

SELECT_CHARS_MAX: Final = 40_000
"""A longer statement does not fit an address."""
READ_SETTINGS: Final[dict[str, str]] = {
    "input_format_null_as_default": "0",
    "input_format_csv_detect_header": "0",
    "input_format_csv_trim_whitespaces": "0",
    "input_format_csv_empty_as_default": "0",
    "input_format_csv_allow_variable_number_of_columns": "0",
    "input_format_csv_skip_trailing_empty_lines": "0",
    "input_format_csv_use_default_on_bad_values": "0",
    "input_format_csv_allow_cr_end_of_line": "0",
    "input_format_csv_allow_whitespace_or_tab_as_delimiter": "0",
    "format_csv_allow_single_quotes": "0",
    "format_csv_allow_double_quotes": "1",
    "cast_string_to_date_time_mode": "best_effort",
    "short_circuit_function_evaluation": "enable",
}
_INTEGERS: Final = frozenset(name for name in INTEGERS if not name.endswith(("128", "256")))
_BOM: Final = b"\xef\xbb\xbf"
NANO_DIGITS: Final = 9
"""Times of nanoseconds end earlier than others."""
_NULL: Final = r"'\\N'"
Made = tuple[str, tuple[str, ...]]
"""An expression of the value, and conditions under which the reader must look."""


class CsvInsert(msgspec.Struct, frozen=True):
    """How CSV of a data source becomes an insert, cells in the order of the schema."""

    structure: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    """One expression for each of `columns`."""
    condition: str
    """Fails for a cell that only the reader can judge; else true."""

    def insert(self, database: str, table: str) -> str:
        """Return the statement that reads the rows of the table `given`."""
        names = ", ".join(backquoted(name) for name in self.columns)
        return (
            f"INSERT INTO {qualified(database, table)} ({names}) "  # noqa: S608 (checked names)
            f"SELECT {', '.join(self.values)} FROM given WHERE {self.condition}"
        )


def csv_insert(datasource: Datasource, types: Mapping[str, str] | None = None) -> CsvInsert | None:
    """Return how the engine reads a data source's CSV; None where the reader has to.

    Args:
        datasource: What the file says.
        types: Types of columns that the file gives none for.
    """
    slots = slots_of(datasource, types or {})
    own = [column.name for column in every_column(datasource)]
    if len(own) < 2 or [slot.column for slot in slots] != own:
        return None  # an empty line would be a row; parts of a Nested come from one cell
    values: list[str] = []
    checks: list[str] = []
    for number, slot in enumerate(slots):
        try:
            made = _cell(f"`c{number}`", slot)
        except ValueError:
            return None
        if made is None:
            return None
        values.append(made[0])
        checks += made[1]
    condition = f"NOT throwIf({' OR '.join(checks)})" if checks else "1"
    structure = ", ".join(f"`c{number}` String" for number in range(len(slots)))
    if sum(map(len, values)) + len(condition) > SELECT_CHARS_MAX:
        return None
    return CsvInsert(structure, tuple(slot.name for slot in slots), tuple(values), condition)


def is_plain(body: bytes) -> bool:
    """Return whether a piece of CSV is one that the engine and the reader cut the same way."""
    if body.startswith(_BOM) or body.count(b"\r") != body.count(b"\r\n"):
        return False
    try:
        body.decode()  # the reader puts a mark for what is no UTF-8
    except UnicodeDecodeError:
        return False
    return True


def _cell(cell: str, slot: Slot) -> Made | None:
    """Return the expression of a cell's value; None where there is none."""
    kind = datatype(slot.type)
    make = _MAKERS.get(kind.bare().name)
    if make is None or slot.may_be_absent or slot.whole_text:
        return None
    if slot.is_text:
        value, fails = make(cell, kind.bare())
        if slot.required:
            return value, (f"{cell} = {_NULL}", *fails)
        nothing = f"{cell} IN ({_NULL}, '')" if slot.nullable else f"{cell} = {_NULL}"
        return f"if({nothing}, NULL, {value})", fails
    if slot.required:
        return make(cell, kind.bare())
    nothing = f"{cell} IN ({_NULL}, '')"
    # What holds nothing is judged as a value that passes.
    value, fails = make(f"if({nothing}, {_passing(kind.bare())}, {cell})", kind.bare())
    return f"if({nothing}, NULL, {value})", fails


def _passing(kind: DataType) -> str:
    return f"toString(defaultValueOfTypeName({quoted(kind.text)}))"


def _text(cell: str, _: DataType) -> Made:
    return cell, ()


def _fixed(cell: str, kind: DataType) -> Made:
    size = int(kind.parts[0])
    return f"CAST({cell} AS {kind.text})", (f"length({cell}) > {size}",)


def _integer(cell: str, kind: DataType) -> Made:
    return f"accurateCast({cell}, '{kind.name}')", (f"length({cell}) > {TEXT_MAX}",)


def _float(cell: str, kind: DataType) -> Made:
    value = f"CAST({cell} AS {kind.name})"
    return value, (f"NOT isFinite({value})", f"length({cell}) > {TEXT_MAX}")


def _bool(cell: str, _: DataType) -> Made:
    word = f"lower({cell})"
    return f"CAST({word} IN {_list(YES)} AS Bool)", (f"{word} NOT IN {_list(YES | NO)}",)


def _same(cell: str, kind: DataType) -> Made:
    """Return the maker of types that are written in one way only: what comes back is what came."""
    value = f"CAST({cell} AS {kind.text})"
    return value, (f"toString({value}) != {cell}",)


def _uuid(cell: str, _: DataType) -> Made:
    value = f"CAST({cell} AS UUID)"
    return value, (f"toString({value}) != lower({cell})",)


def _datetime(cell: str, kind: DataType) -> Made:
    value = f"CAST({cell} AS {kind.text})"
    fails = _compared(cell, value, _spaced(_plain(cell)))
    return value, (*fails, _outside(cell, DATETIME))


def _datetime64(cell: str, kind: DataType) -> Made:
    digits = int(kind.parts[0])
    if not 0 < digits < NANO_DIGITS:
        raise ValueError(f"{kind.text} is written in other ways")
    value = f"CAST({cell} AS {kind.text})"
    plain = _spaced(_plain(cell))
    whole = f"rpad(if(length({plain}) = 19, concat({plain}, '.'), {plain}), {20 + digits}, '0')"
    odd = f"length({plain}) = 20 OR length({plain}) > {20 + digits}"
    return value, (*_compared(cell, value, whole), odd, _outside(cell, DATETIME64))


def _day(cell: str, kind: DataType) -> Made:
    value, fails = _same(cell, kind)
    return value, (*fails, _outside(cell, DATE if kind.name == "Date" else DATE32))


def _outside(cell: str, span: Span) -> str:
    return f"{cell} < '{span.first}' OR {cell} > '{span.last}~'"


def _plain(cell: str) -> str:
    return f"if(endsWith({cell}, 'Z'), substring({cell}, 1, length({cell}) - 1), {cell})"


def _spaced(text: str) -> str:
    return f"concat(substring({text}, 1, 10), ' ', substring({text}, 12))"


def _compared(cell: str, value: str, wanted: str) -> tuple[str, ...]:
    """Return what tells a time that the engine read otherwise than it is written."""
    return (
        f"if(endsWith({cell}, 'Z'), toString({value}, 'UTC'), toString({value})) != {wanted}",
        f"substring({cell}, 11, 1) NOT IN (' ', 'T')",
    )


def _list(words: frozenset[str]) -> str:
    return f"({', '.join(quoted(word) for word in sorted(words))})"


def _makers() -> dict[str, Callable[[str, DataType], Made]]:
    return {
        "String": _text,
        "FixedString": _fixed,
        **dict.fromkeys(_INTEGERS, _integer),
        "Float32": _float,
        "Float64": _float,
        "Bool": _bool,
        "Date": _day,
        "Date32": _day,
        "DateTime": _datetime,
        "DateTime32": _datetime,
        "DateTime64": _datetime64,
        "UUID": _uuid,
        "Enum8": _same,
        "Enum16": _same,
        "IPv4": _same,
    }


_MAKERS: Final = _makers()
