"""From events and lines to rows of a data source, or to a row of its quarantine.

Built once per data source: each column is a function made for its path and type. A value that
does not fit costs only its own row, which keeps every value as text and a sentence for each
column at fault.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Final

import msgspec

from playhead.project.cell import cell_value
from playhead.project.expression import backquoted
from playhead.project.implicit import every_column
from playhead.project.problem import Problem, invalid
from playhead.project.quick import quick_rows
from playhead.project.resources import Datasource
from playhead.project.routes import Route, Shape, shape_id_of
from playhead.project.slot import ABSENT, Slot, slots_of
from playhead.project.table import (
    QUARANTINE_COLUMNS,
    qualified,
    quarantine_columns,
    quarantine_name,
)
from playhead.project.unfit import Unfit
from playhead.project.values import ENCODER, text_of

SHOWN_MAX: Final = 200
"""Most characters of a value, or of a line, in a sentence."""
INSERT_SETTINGS: Final[dict[str, str]] = {
    "date_time_input_format": "best_effort",
    "input_format_null_as_default": "1",
    "input_format_defaults_for_omitted_fields": "1",
    "input_format_json_named_tuples_as_objects": "1",
    "input_format_json_defaults_for_missing_elements_in_named_tuple": "1",
    "input_format_skip_unknown_fields": "0",
    "insert_deduplicate": "0",
    "type_json_skip_duplicated_paths": "1",
}
"""Settings an insert of rows runs with."""
VIEW_SETTINGS: Final[dict[str, str]] = {
    "allow_suspicious_types_in_group_by": "1",
    "allow_suspicious_types_in_order_by": "1",
    "joined_subquery_requires_alias": "0",
    "cast_string_to_date_time_mode": "best_effort",
}
"""What materialized views on the way of rows may need; the same as for queries of projects."""
LOGGED_SETTINGS: Final[dict[str, str]] = {
    **INSERT_SETTINGS,
    **VIEW_SETTINGS,
    "insert_deduplicate": "1",
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    # One thread and one block at a time: views see the rows in the order of the log.
    "max_threads": "1",
}
"""Settings an insert of rows from the log runs with; it has a token besides."""
COMPACT: Final = "JSONCompactEachRow"
Row = list[Any]


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A row for the quarantine."""

    columns: tuple[str, ...]
    """The columns at fault; () when the line as a whole is."""
    reasons: tuple[str, ...]
    """One sentence each."""
    values: tuple[str | None, ...]
    """Every column of the data source as text, None where the row had nothing."""


class RowReader:
    """What reads the rows of one data source.

    Args:
        datasource: What the file says.
        types: Types of columns that the file gives none for, as the engine knows them.

    Raises:
        ProjectInvalid: A path or a type cannot be used.
    """

    def __init__(self, datasource: Datasource, types: Mapping[str, str] | None = None) -> None:
        self.datasource = datasource
        try:
            self._slots = slots_of(datasource, types or {})
        except ValueError as error:
            raise invalid([Problem(datasource.path, f"{error}.")]) from error
        self._takes = [slot.take for slot in self._slots]
        self._cells = [slot.finish for slot in self._slots]
        self._own = tuple(column.name for column in every_column(datasource))
        self._places = tuple(self._own.index(slot.column) for slot in self._slots)
        self._whole = [i for i, slot in enumerate(self._slots) if slot.whole_text]
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(
            float_hook=Decimal if any(slot.exact for slot in self._slots) else None
        ).decode
        self.columns: tuple[str, ...] = tuple(slot.name for slot in self._slots)
        """The columns of a row, in order; a Nested one counts as its parts."""
        self.format = "JSONEachRow" if any(s.may_be_absent for s in self._slots) else COMPACT
        """The engine's format of `body`."""
        self._quick = quick_rows(self._slots)
        self.types: tuple[str, ...] = tuple(slot.type for slot in self._slots)
        """The types of `columns`."""
        self.refused_columns = tuple(name for name, _ in quarantine_columns(datasource))
        """The columns of `refused_body`."""
        self.shape_id = shape_id_of(self.columns, self.types, self.format, self.refused_columns)
        """Names the form in which `body` and `refused_body` write rows; see `project/routes.py`."""

    def shape(self, database: str, refused_database: str) -> Shape:
        """Return the shape of these rows, with the table as its only route.

        Args:
            database: Where the table of the data source is.
            refused_database: Where its quarantine is.
        """
        name = self.datasource.name
        return Shape(
            columns=self.columns,
            types=self.types,
            format=self.format,
            routes=(Route(database=database, table=name),),
            refused=self.refused_columns,
            refused_into=Route(database=refused_database, table=quarantine_name(name)),
        )

    def row(self, event: Mapping[str, Any]) -> Row | Refused:
        """Return the row of a decoded event."""
        try:
            return [take(event) for take in self._takes]
        except Unfit:
            origins = (slot.origin(event) for slot in self._slots)
            return self._refused([slot.reached(event) for slot in self._slots], origins)

    def line(self, line: bytes) -> Row | Refused:
        """Return the row of one line of NDJSON."""
        try:
            event = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.unreadable(line, "the line is no JSON")
        if event.__class__ is not dict:
            return self.unreadable(line, "the line is no JSON object")
        row = self.row(event)
        if self._whole and isinstance(row, list):
            for index in self._whole:
                row[index] = line.strip().decode()
        return row

    def batch(self, lines: Sequence[bytes]) -> tuple[bytes, int, list[Refused]]:
        """Return lines of NDJSON as the body of an insert, how many rows that is, and the others."""
        quick = self._quick.rows(lines) if self._quick is not None and lines else None
        if quick is not None:
            return ENCODER.encode_lines(quick), len(lines), []
        return self.careful_batch(lines)

    def careful_batch(self, lines: Sequence[bytes]) -> tuple[bytes, int, list[Refused]]:
        """Do the same line by line."""
        rows: list[Row] = []
        refused: list[Refused] = []
        for line in lines:
            row = self.line(line)
            if isinstance(row, Refused):
                refused.append(row)
            else:
                rows.append(row)
        return (self.body(rows) if rows else b""), len(rows), refused

    def csv(self, cells: Sequence[str]) -> Row | Refused:
        """Return the row of one CSV record, cells in the order of the schema."""
        if len(cells) > len(self._own):
            reason = f"the line has {len(cells)} cells, the data source {len(self._own)} columns"
            return Refused((), (reason,), tuple(cells[: len(self._own)]))
        values = [
            cell_value(cells[place], slot) if place < len(cells) else None
            for place, slot in zip(self._places, self._slots, strict=True)
        ]
        try:
            return [
                finish(value, absent=value is None)
                for finish, value in zip(self._cells, values, strict=True)
            ]
        except Unfit:
            origins = (cells[place] if place < len(cells) else None for place in self._places)
            return self._refused([(value, value is None) for value in values], origins)

    def body(self, rows: Iterable[Row]) -> bytes:
        """Return rows as the body of an insert in `format`."""
        if self.format == COMPACT:
            return ENCODER.encode_lines(rows)
        return ENCODER.encode_lines(
            {
                name: value
                for name, value in zip(self.columns, row, strict=True)
                if value is not ABSENT
            }
            for row in rows
        )

    def insert(self, database: str, table: str | None = None) -> str:
        """Return the INSERT statement for `body`; to be run with `INSERT_SETTINGS`."""
        return insert_sql(database, table or self.datasource.name, self.columns, self.format)

    def refused_body(self, refused: Iterable[Refused], *, at_s: int, import_id: str = "") -> bytes:
        """Return refused rows as the body of an insert into the quarantine.

        Args:
            refused: The rows.
            at_s: `insertion_date`, UTC seconds.
            import_id: `c__import_id`; "" = NULL.
        """
        kept = {name for name, _ in quarantine_columns(self.datasource)[: -len(QUARANTINE_COLUMNS)]}
        return ENCODER.encode_lines(
            [
                *(value for name, value in zip_longest(self._own, one.values) if name in kept),
                one.columns,
                one.reasons,
                import_id or None,
                at_s,
            ]
            for one in refused
        )

    def refused_insert(self, database: str) -> str:
        """Return the INSERT statement for `refused_body`; to be run with `INSERT_SETTINGS`."""
        table = quarantine_name(self.datasource.name)
        return insert_sql(database, table, self.refused_columns, COMPACT)

    def _refused(self, values: Sequence[tuple[Any, bool]], origins: Iterable[Any]) -> Refused:
        """Return what is wrong with a row.

        Args:
            values: What each slot found, and whether that is nothing at all.
            origins: What to keep as text, one for each slot.
        """
        columns: list[str] = []
        reasons: list[str] = []
        texts: list[str | None] = [None] * len(self._own)
        for place, origin in zip(self._places, origins, strict=True):
            texts[place] = None if origin is None else text_of(origin)
        for slot, (value, absent) in zip(self._slots, values, strict=True):
            try:
                slot.finish(value, absent=absent)
            except Unfit as error:
                if slot.column not in columns:
                    columns.append(slot.column)
                    reasons.append(_sentence(slot, value, absent=absent, more=str(error)))
        return Refused(tuple(columns), tuple(reasons), tuple(texts))

    def unreadable(self, line: bytes, why: str) -> Refused:
        """Return a line that is no row at all, with the reason and its beginning."""
        shown = line.decode("utf-8", "replace").strip()[:SHOWN_MAX]
        return Refused((), (f"{why}: {shown}",), (None,) * len(self._own))


def insert_sql(database: str, table: str, columns: Iterable[str], form: str) -> str:
    """Return the INSERT statement for rows in these columns, in a format of the engine."""
    names = ", ".join(backquoted(name) for name in columns)
    return f"INSERT INTO {qualified(database, table)} ({names}) FORMAT {form}"


def _sentence(slot: Slot, value: Any, *, absent: bool, more: str) -> str:
    if more:
        return f"column '{slot.column}': {more}"
    if absent and value is None:
        return f"column '{slot.column}' has no value, no DEFAULT, and is not Nullable ({slot.type})"
    shown = "null" if value is None else f"'{text_of(value)[:SHOWN_MAX]}'"
    return f"value {shown} on column '{slot.column}' is not {slot.type}"
