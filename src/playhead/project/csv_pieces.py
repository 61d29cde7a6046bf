"""CSV in pieces: where records end, by native searches, with quotes respected.

Where every quote stands at the edge of a cell or is doubled, counting them tells what is inside.
Other texts (`5" disc`) are read record by record, as `csv.reader` does.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from playhead.errors import InvalidBody

_QUOTE: Final = b'"'
csv.field_size_limit(64 * 1024 * 1024)  # a piece is smaller; the default is 128 KiB


class Dialect(msgspec.Struct, frozen=True):
    """How cells are told apart. `escape` "" = quotes are doubled and nothing else."""

    delimiter: str = ","
    escape: str = ""


class Cut(msgspec.Struct, frozen=True):
    """The whole records at the beginning of a text."""

    size: int
    """Bytes."""
    records: int


def cut_csv(text: bytes, dialect: Dialect, *, last: bool, records_max: int) -> Cut:
    """Return how much of a text is whole records.

    Args:
        text: It begins where a record begins.
        dialect: How it is written.
        last: Nothing follows it.
        records_max: Most records.

    Raises:
        InvalidBody: It is no CSV.
    """
    if not dialect.escape:
        if _QUOTE not in text:
            return _cut_lines(text, last=last, records_max=records_max)
        pieces = text.split(_QUOTE)
        if _well_quoted(pieces, dialect.delimiter.encode()):
            found = _cut_quoted(text, pieces, last=last, records_max=records_max)
            if found is not None:
                return found
    return _cut_read(text, dialect, last=last, records_max=records_max)


def cut_lines(text: bytes, *, last: bool, records_max: int) -> Cut:
    """Return how much of a text is whole lines: records of NDJSON."""
    return _cut_lines(text, last=last, records_max=records_max)


def record_count(text: bytes, dialect: Dialect) -> int:
    """Return how many records a text of whole records holds; raises InvalidBody."""
    return cut_csv(text, dialect, last=True, records_max=len(text) + 1).records


def records_of(text: bytes, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the records of a text of whole records, without empty ones; raises InvalidBody."""
    lines = io.StringIO(text.decode("utf-8", "replace"), newline="")
    return (record for record, _ in _read(lines, dialect) if record)


def _cut_lines(text: bytes, *, last: bool, records_max: int) -> Cut:
    end = len(text) if last else text.rfind(b"\n") + 1
    count = text.count(b"\n", 0, end) + (end > 0 and text[end - 1 : end] != b"\n")
    if count <= records_max:
        return Cut(end, count)
    at = 0
    for _ in range(records_max):
        at = text.index(b"\n", at) + 1
    return Cut(at, records_max)


def _well_quoted(pieces: list[bytes], delimiter: bytes) -> bool:
    """Return whether each quote opens at the beginning of a cell, ends one, or is doubled."""
    opens = (b"", b"\n", delimiter)
    closes = (b"", b"\n", b"\r", delimiter)
    outside = pieces[0::2]
    first, rest = outside[0], outside[1:]
    if len(pieces) > 1 and first and first[-1:] not in opens:
        return False
    if rest and not all(not one or one[:1] in closes for one in rest):
        return False
    middle = rest[:-1] if len(pieces) % 2 else rest
    return all(not one or one[-1:] in opens for one in middle)


def _cut_quoted(text: bytes, pieces: list[bytes], *, last: bool, records_max: int) -> Cut | None:
    """Return the cut by what stands outside of quotes; None where more records are than allowed."""
    outside = pieces[0::2]
    count = sum(one.count(b"\n") for one in outside)
    if last:
        count += not text.endswith(b"\n") or not len(pieces) % 2
        return Cut(len(text), count) if count <= records_max else None
    if count > records_max:
        return None
    # From the end: the first line break outside of quotes.
    at = len(text)
    for number in range(len(pieces) - 1, -1, -1):
        piece = pieces[number]
        if number % 2 == 0:
            found = piece.rfind(b"\n")
            if found >= 0:
                return Cut(at - len(piece) + found + 1, count)
        at -= len(piece) + 1
    return Cut(0, 0)


def _cut_read(text: bytes, dialect: Dialect, *, last: bool, records_max: int) -> Cut:
    """Return the cut by reading every record."""
    *lines, rest = text.split(b"\n")
    kept = [line + b"\n" for line in lines]
    if last and rest:
        kept.append(rest)
    over = False

    def source() -> Iterator[str]:
        nonlocal over
        for line in kept:
            yield line.decode("latin-1")
        over = True

    count = ended = 0
    for record, line in _read(source(), dialect):
        if over and not last:
            break  # a quote is open: the record goes on in what follows
        ended = line
        count += bool(record)
        if count >= records_max:
            break
    return Cut(sum(map(len, kept[:ended])), count)


def _read(lines: Iterable[str], dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """Yield records and the number of lines read so far."""
    reader = csv.reader(
        lines, delimiter=dialect.delimiter, escapechar=dialect.escape or None, doublequote=True
    )
    try:
        for record in reader:
            yield record, reader.line_num
    except csv.Error as error:
        raise InvalidBody(
            f"This is no CSV ({error}).", hint="Check quotes and delimiter."
        ) from error
