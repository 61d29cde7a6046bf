"""What can be told of a statement without parsing it: its lane, its format, its data.

The engine stays the judge: a statement taken for a read runs with `readonly=1`.
"""

import re
from enum import Enum
from typing import Final


class Lane(Enum):
    """Which queue a statement waits in."""

    READ = "read"
    INSERT = "insert"
    COMMAND = "command"


STREAMED: Final = frozenset({
    "JSONEachRow", "NDJSON", "JSONLines", "JSONStringsEachRow", "JSONCompactEachRow",
    "JSONCompactStringsEachRow", "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes", "CSV", "CSVWithNames", "CSVWithNamesAndTypes",
    "TSV", "TSVWithNames", "TSVWithNamesAndTypes", "TSVRaw", "TSVRawWithNames", "TabSeparated",
    "TabSeparatedWithNames", "TabSeparatedWithNamesAndTypes", "TabSeparatedRaw", "Native",
    "RowBinary", "LineAsString",
})  # fmt: skip
"""Formats whose blocks can follow each other; every other one is built whole."""
CONTENT_TYPES: Final = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Parquet": "application/vnd.apache.parquet",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Prometheus": "text/plain; version=0.0.4; charset=UTF-8",
    "Native": "application/octet-stream",
}
_READS: Final = frozenset({
    "SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "VALUES", "FROM",
})  # fmt: skip
_SKIP: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|#[! ][^\n]*(?:\n|$)|/\*.*?\*/|\()+", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z_]+")
_FORMAT_LAST: Final = re.compile(
    r"\bFORMAT\s+([A-Za-z]\w*)\s*(?:SETTINGS\s[^'\"`]*)?;?\s*$", re.IGNORECASE
)
_INSERT_HEAD: Final = re.compile(
    rb"\s*INSERT\s+INTO\s(?:[^'\n]|'[^'\n]*')*?\bFORMAT\s+([A-Za-z]\w*)[ \t]*(?:\r?\n|;?\s*$)",
    re.IGNORECASE,
)
_INSERT_FORMAT: Final = re.compile(r"\s*\bFORMAT\s+([A-Za-z]\w*)\s*;?\s*$", re.IGNORECASE)


def lane_of(sql: str) -> Lane:
    """Return the lane of a statement by its first word."""
    start = _SKIP.match(sql)
    word = _WORD.match(sql, start.end() if start else 0)
    name = word[0].upper() if word else ""
    if name == "INSERT":
        return Lane.INSERT
    return Lane.READ if name in _READS else Lane.COMMAND


def format_of(sql: str, default: str) -> str:
    """Return the output format a statement asks for, else the default."""
    found = _FORMAT_LAST.search(sql)
    return found[1] if found else default


def insert_parts(sql: str) -> tuple[str, str]:
    """Return an INSERT without its FORMAT clause, and the format ("" = it names none)."""
    found = _INSERT_FORMAT.search(sql)
    return (sql[: found.start()], found[1]) if found else (sql, "")


def split_body(body: bytes) -> tuple[str, bytes]:
    """Return statement and data of a body that holds both: data follow an INSERT's FORMAT line."""
    found = _INSERT_HEAD.match(body[:65_536])
    if not found:
        return body.decode("utf-8", "replace"), b""
    return body[: found.end()].decode("utf-8", "replace"), body[found.end() :]


def header_bytes(chunk: bytes, format_name: str) -> int:
    """Return how many bytes of a block's text are names and types, which every block repeats."""
    lines = 2 if format_name.endswith("AndTypes") else int(format_name.endswith("WithNames"))
    end = 0
    for _ in range(lines):
        end = _line_end(chunk, end, quoted=format_name.startswith("CSV"))
    return end


def has_head(format_name: str) -> bool:
    """Return whether an empty result still has bytes in this format."""
    return "WithNames" in format_name or format_name == "Native"


def _line_end(chunk: bytes, start: int, *, quoted: bool) -> int:
    end = chunk.find(b"\n", start) + 1
    while quoted and end > 0 and chunk.count(b'"', start, end) % 2:
        end = chunk.find(b"\n", end) + 1
    return end or len(chunk)
