"""A file of an import in pieces for the log, always cut the same way."""

import csv
import itertools
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from playhead.errors import InvalidBody
from playhead.jobs.spool import Packed
from playhead.project.csv_pieces import Cut, Dialect, cut_csv, cut_lines, records_of
from playhead.project.fixtures import is_header
from playhead.project.rows import RowReader

Form = Literal["csv", "ndjson"]
RECORDS_MAX: Final = 400_000
"""Most records of one piece: they are one block of the store."""
SAMPLE_BYTES: Final = 65_536
"""How much of a file is looked at for its delimiter and header."""
FIRST_BYTES: Final = 256 * 1024
"""The first piece is small: of a wrong file every row is refused, which takes longest."""
DELIMITERS: Final = ",;\t|"
BOM: Final = b"\xef\xbb\xbf"
_LATEST: Final = 2


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is cut into pieces and read: kept, so that a later run cuts it the same way."""

    form: Form
    delimiter: str = ","
    escape: str = ""
    head_bytes: int = 0
    """Bytes before the first record: a mark of the encoding, a header."""
    piece_bytes: int
    record_bytes_max: int

    @property
    def dialect(self) -> Dialect:
        """Return the dialect of a CSV."""
        return Dialect(self.delimiter, self.escape)


class Piece(msgspec.Struct, frozen=True):
    """Whole records of a file."""

    number: int
    body: bytes
    records: int
    done: int
    """How many bytes of the file are read by now."""


def pieces(file: Packed, layout: Layout) -> Iterator[Piece]:
    """Yield the pieces of a file.

    Raises:
        InvalidBody: It cannot be read, or a record is longer than allowed.
        BodyTooLarge: Unpacked it is larger than allowed.
    """
    file.read(layout.head_bytes)
    held = b""
    number = 0
    last = False
    while True:
        if not last:
            size = layout.piece_bytes if number else min(FIRST_BYTES, layout.piece_bytes)
            data = file.read(max(size - len(held), size // 4))
            last = not data
            held += data
        if not held:
            return
        cut = _cut(held, layout, last=last)
        if cut.size:
            body, held = held[: cut.size], held[cut.size :]
            if cut.records and body.strip():
                yield Piece(number, body, cut.records, file.position)
                number += 1
        elif len(held) > layout.record_bytes_max or last:
            raise InvalidBody(
                f"A record after byte {file.size - len(held)} of the file is longer than"
                f" {layout.record_bytes_max} bytes, or a quote is never closed.",
                hint="Look at quotes and delimiter there, or raise jobs.max_record_bytes.",
            )


def _cut(held: bytes, layout: Layout, *, last: bool) -> Cut:
    if layout.form == "csv":
        return cut_csv(held, layout.dialect, last=last, records_max=RECORDS_MAX)
    return cut_lines(held, last=last, records_max=RECORDS_MAX)


def csv_head(sample: bytes, reader: RowReader, delimiter: str, escape: str) -> tuple[str, int]:
    """Return the delimiter of a CSV file and how many bytes stand before its first row.

    Args:
        sample: Its beginning.
        reader: Of the data source, whose columns tell a header from a row.
        delimiter: "" = look for it.
        escape: The escape character, "" = none.

    Raises:
        InvalidBody: The file is no text.
    """
    start = len(BOM) if sample.startswith(BOM) else 0
    text = sample[start:]
    if b"\x00" in text[:1_000]:
        raise InvalidBody("The file is no CSV: it holds bytes that no text has.")
    found = delimiter or _delimiter(text, len(reader.datasource.columns), escape)
    dialect = Dialect(found, escape)
    cut = cut_csv(text, dialect, last=len(sample) < SAMPLE_BYTES, records_max=RECORDS_MAX)
    records = list(itertools.islice(records_of(text[: cut.size], dialect), _LATEST))
    if not records:
        return found, start
    following = records[1] if len(records) > 1 else None
    if not is_header(reader, records[0], following):
        return found, start
    return found, start + _first_end(text, dialect)


def _first_end(text: bytes, dialect: Dialect) -> int:
    """Return where the first record that is not empty ends."""
    at = 0
    while at < len(text):
        size = cut_csv(text[at:], dialect, last=True, records_max=1).size
        empty = not text[at : at + size].strip()
        at += size
        if not empty or not size:
            break
    return at


def _delimiter(text: bytes, width: int, escape: str) -> str:
    """Return the delimiter under which the first record has as many cells as columns."""
    for delimiter in DELIMITERS:
        try:
            first = next(records_of(text, Dialect(delimiter, escape)), [])
        except (InvalidBody, csv.Error):
            continue
        if len(first) == width:
            return delimiter
    return ","
