"""Rows that are no events: log records that go to a table as they are, line by line.

The door has made the rows; the worker only puts before each line whence it came. No line is decoded.
"""

import re
from typing import Final

import msgspec

from playhead.log.base import Record
from playhead.model.event import Meta, Refusal
from playhead.model.event_row import ROW_COLUMNS

TABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Line(msgspec.Struct, frozen=True, gc=False):
    """One row as text, and its place in the log."""

    received_at: int
    offset: int
    index: int
    text: bytes


class Table(msgspec.Struct, frozen=True):
    """A table and the columns in which its rows come."""

    name: str
    columns: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return what names a block of these rows; rows of other columns are another block."""
        return f"{self.name}/{len(self.columns)}"


def table_of(meta: Meta) -> Table | None:
    """Return the table a record's rows belong to, None if its body holds events.

    Raises:
        ValueError: The name or a column is none.
    """
    if meta.rows is None:
        return None
    for name in (meta.rows.table, *meta.rows.columns):
        if not TABLE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a table or column")
    return Table(meta.rows.table, (*ROW_COLUMNS, *meta.rows.columns))


def lines_of(record: Record, meta: Meta) -> tuple[list[Line], list[tuple[Refusal, bytes]]]:
    """Return the rows of a record, and its refused lines with their reason; dropped ones, too."""
    refused = {refusal.index: refusal for refusal in meta.refused}
    own = msgspec.json.encode((record.door, meta.context.property))[1:-1]
    offset, received_at = record.offset, record.received_at
    lines: list[Line] = []
    away: list[tuple[Refusal, bytes]] = []
    for index, text in enumerate(record.body.split(b"\n")):
        if not text:
            continue
        refusal = refused.get(index)
        if refusal is None and text[:1] != b"[":
            refusal = Refusal(index, "unreadable_row", "The line holds no row.")
        if refusal is not None:
            away.append((refusal, text))
            continue
        row = b"[%d,%d,%d,%b,%b" % (received_at, offset, index, own, text[1:])
        lines.append(Line(received_at, offset, index, row))
    return lines, away
