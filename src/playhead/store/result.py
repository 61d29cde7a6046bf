"""What a query brings back, and what it may cost."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one query; 0 = the store's own default. `row_filters`: table → SQL condition."""

    timeout_ms: int = 0
    max_result_rows: int = 0
    max_result_bytes: int = 0
    max_rows_to_read: int = 0
    max_memory_bytes: int = 0
    row_filters: Mapping[str, str] = {}


class Rows(msgspec.Struct):
    """A whole result: one list a row, in the order of `columns`."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    rows_read: int = 0
    bytes_read: int = 0
    elapsed_ms: float = 0.0

    def dicts(self) -> list[dict[str, Any]]:
        """Return each row as column → value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Answered(msgspec.Struct, frozen=True):
    """A whole result as text of a format of the engine."""

    body: bytes
    content_type: str
    rows_read: int = 0
    bytes_read: int = 0
    elapsed_s: float = 0.0


class _Summary(msgspec.Struct):
    read_rows: str = "0"
    read_bytes: str = "0"
    elapsed_ns: str = "0"


class _Column(msgspec.Struct):
    name: str
    type: str


class _Statistics(msgspec.Struct):
    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0


class _Document(msgspec.Struct):
    meta: list[_Column]
    data: list[list[Any]]
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


_DECODER = msgspec.json.Decoder(_Document)
_SUMMARY = msgspec.json.Decoder(_Summary)


def rows_of(document: bytes) -> Rows:
    """Return the rows of a document in format JSONCompact."""
    found = _DECODER.decode(document)
    return Rows(
        columns=[column.name for column in found.meta],
        types=[column.type for column in found.meta],
        rows=found.data,
        rows_read=found.statistics.rows_read,
        bytes_read=found.statistics.bytes_read,
        elapsed_ms=found.statistics.elapsed * 1000,
    )


def answered_of(body: bytes, content_type: str, summary: str, *, took_s: float) -> Answered:
    """Return a result with what its summary header says it cost; `took_s` where it says no time."""
    found = _SUMMARY.decode(summary) if summary else _Summary()
    return Answered(
        body,
        content_type,
        rows_read=int(found.read_rows),
        bytes_read=int(found.read_bytes),
        elapsed_s=int(found.elapsed_ns) / 1e9 or took_s,
    )
