"""Rows of fixture files, in blocks for inserts: NDJSON, CSV, and what a generator query gave."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from playhead.errors import ProjectInvalid
from playhead.project.resources import Fixture, Project
from playhead.project.rows import Refused, Row, RowReader

FIXTURE_BYTES_MAX: Final = 512 * 1024 * 1024
"""Largest fixture, unpacked."""
BLOCK_ROWS_MAX: Final = 50_000
BLOCK_BYTES_MAX: Final = 32 * 1024 * 1024
"""A block ends with the row that reaches one of them."""
SAMPLE_CHARS: Final = 65_536
"""How much of a CSV file is looked at for its delimiter."""
_GZIP: Final = b"\x1f\x8b"
_DELIMITERS: Final = ",;\t|"
_WORD: Final = re.compile(r"[A-Za-z_][\w .\-]*")


class Block(msgspec.Struct, frozen=True):
    """Rows of one insert: `body` is for `reader.insert`, `refused` for the quarantine."""

    reader: RowReader
    body: bytes
    row_count: int
    refused: tuple[Refused, ...]


def fixture_rows(
    project: Project,
    fixture: Fixture,
    read: Callable[[str], bytes],
    types: Mapping[str, str] | None = None,
) -> Iterator[Block]:
    """Yield a fixture's rows block by block; nothing when no data source has its name.

    Args:
        project: Where the data source is looked up.
        fixture: Which file.
        read: Returns what stands at `fixture.path`, packed with gzip or not; for a generator
            query the rows it gave, as NDJSON.
        types: The engine's types of columns that the file gives none for.

    Raises:
        ProjectInvalid: The file is too large, packed wrongly, or no CSV.
    """
    name = project.aliases.get(fixture.datasource, fixture.datasource)
    datasource = project.datasources.get(name)
    if datasource is None:
        return
    data = unpacked(read(fixture.path), path=fixture.path)
    kind: Literal["ndjson", "csv"] = "csv" if fixture.format == "csv" else "ndjson"
    yield from blocks(RowReader(datasource, types), data, kind, path=fixture.path)


def blocks(
    reader: RowReader, data: bytes, kind: Literal["ndjson", "csv"], *, path: str = ""
) -> Iterator[Block]:
    """Yield the rows of a text block by block.

    Raises:
        ProjectInvalid: It is no CSV.
    """
    found = _csv_rows(reader, data, path) if kind == "csv" else _lines(reader, data)
    rows: list[Row] = []
    refused: list[Refused] = []
    byte_count = 0
    for row, size in found:
        if isinstance(row, Refused):
            refused.append(row)
        else:
            rows.append(row)
        byte_count += size
        if len(rows) + len(refused) >= BLOCK_ROWS_MAX or byte_count >= BLOCK_BYTES_MAX:
            yield Block(reader, reader.body(rows), len(rows), tuple(refused))
            rows, refused, byte_count = [], [], 0
    if rows or refused:
        yield Block(reader, reader.body(rows), len(rows), tuple(refused))


def unpacked(data: bytes, *, path: str = "") -> bytes:
    """Return the text of a fixture, unpacked when it is gzip.

    Raises:
        ProjectInvalid: It is too large or no whole gzip.
    """
    if data[:2] == _GZIP:
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(FIXTURE_BYTES_MAX + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ProjectInvalid(f"{path} cannot be unpacked; no row of it was read.") from error
    if len(data) > FIXTURE_BYTES_MAX:
        message = f"{path} holds more than {FIXTURE_BYTES_MAX} bytes; no row of it was read."
        raise ProjectInvalid(message)
    return data.removeprefix(b"\xef\xbb\xbf")


def _lines(reader: RowReader, data: bytes) -> Iterator[tuple[Row | Refused, int]]:
    if data.lstrip()[:1] == b"[":
        try:
            some = msgspec.json.decode(data, type=list[msgspec.Raw])
        except msgspec.DecodeError:
            some = []
        if some:
            for item in some:
                yield reader.line(bytes(item)), len(item)
            return
    for line in data.split(b"\n"):
        if line.strip():
            yield reader.line(line), len(line)


def _csv_rows(reader: RowReader, data: bytes, path: str) -> Iterator[tuple[Row | Refused, int]]:
    text = data.decode("utf-8", "replace")
    width = len(reader.datasource.columns)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, width))
    first: list[str] | None = None
    try:
        for record in records:
            if not record:
                continue
            if first is None:
                first = record
                following = next((one for one in records if one), None)
                if not is_header(reader, record, following):
                    yield reader.csv(record), sum(map(len, record))
                if following is not None:
                    yield reader.csv(following), sum(map(len, following))
                continue
            yield reader.csv(record), sum(map(len, record))
    except csv.Error as error:
        message = f"{path}:{records.line_num}: this is no CSV ({error}); the file was not loaded."
        raise ProjectInvalid(message) from error


def _delimiter(text: str, width: int) -> str:
    """Return the delimiter under which the first record has as many cells as columns."""
    sample = text[:SAMPLE_CHARS]
    for delimiter in _DELIMITERS:
        try:
            first = next(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        if len(first) == width:
            return delimiter
    return ","


def is_header(reader: RowReader, first: Sequence[str], following: Sequence[str] | None) -> bool:
    """Return whether a first record names columns.

    It does when half of its cells are names of columns; or when all are words, a column cannot
    hold one of them, and the next record fits.
    """
    names = {column.name.lower() for column in reader.datasource.columns}
    cells = [cell.strip().lower() for cell in first]
    if sum(cell in names for cell in cells) * 2 >= len(cells):
        return True
    if not all(_WORD.fullmatch(cell) for cell in cells) or following is None:
        return False
    return isinstance(reader.csv(first), Refused) and not isinstance(reader.csv(following), Refused)
