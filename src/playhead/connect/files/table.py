"""A table file (CSV and the like) as rows of named cells, each good or with its fault."""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from playhead.connect.files.lines import Line, Source
from playhead.connect.files.mapping import BUILT_IN, Mapping
from playhead.errors import InvalidRequest

COLUMNS_MAX: Final = 1_000


class Row(msgspec.Struct):
    """One row. `line` is where it ends in the file; `cells` has every column, or there is a fault."""

    line: int
    cells: dict[str, str] = {}
    fault: str = ""


def rows(
    mapping: Mapping, source: Source, lines: Iterable[Line], known: set[str]
) -> Iterator[Row]:  # fmt: skip
    """Yield the rows of a file.

    Args:
        mapping: Says the delimiter, the columns and which of them are ignored.
        source: The file.
        lines: Its lines from the first on.
        known: Names that come from elsewhere than a column.

    Raises:
        ConfigInvalid: The file has other columns than the mapping speaks of.
        InvalidRequest: The header names a column twice.
    """
    broken: list[Line] = []
    # Quoted cells may hold line ends, so the reader pulls the lines and counts them itself.
    reader = csv.reader(_texts(lines, broken), delimiter=mapping.table.delimiter, strict=True)
    columns = mapping.table.columns
    if columns:
        _check(mapping, source, columns, known)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield Row(reader.line_num, fault=f"The row is no CSV: {error}.")
            continue
        while broken:
            yield _broken(broken.pop(0))
        if not cells:
            continue
        if not columns:
            columns = [cell.strip() for cell in cells]
            _check(mapping, source, columns, known)
        else:
            yield _row(reader.line_num, cells, columns)
    yield from map(_broken, broken)


def _texts(lines: Iterable[Line], broken: list[Line]) -> Iterator[str]:
    """Yield lines as text with their ends; one that is none leaves an empty line in its place."""
    for line in lines:
        text = line.text.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.text
        try:
            decoded = text.decode("utf-8")
            if b"\0" in text or line.fault:
                raise ValueError  # noqa: TRY301 (three ways to be no line, one way on)
        except ValueError:
            broken.append(line)
            decoded = ""
        yield decoded + "\n"


def _broken(line: Line) -> Row:
    return Row(line.number, fault=f"The row is no text: {line.fault or 'it is not UTF-8'}.")


def _row(line: int, cells: list[str], columns: list[str]) -> Row:
    if len(cells) != len(columns):
        said = f"The row has {len(cells)} cells, the header {len(columns)}."
        return Row(line, fault=said)
    return Row(line, dict(zip(columns, cells, strict=True)))


def _check(mapping: Mapping, source: Source, columns: list[str], known: set[str]) -> None:
    """Refuse a file whose columns are not those the mapping speaks of."""
    if len(columns) > COLUMNS_MAX or len(set(columns)) < len(columns):
        raise InvalidRequest(
            f"The file {source.path}, line 1, names a column twice or more than "
            f"{COLUMNS_MAX} columns.",
            hint="Name the columns in the mapping's 'columns'.",
        )
    missing = sorted(mapping.used - {*columns, *known, *BUILT_IN})
    if missing:
        raise mapping.wrong(
            missing[0], f"there is no column '{missing[0]}' in {source.path}, line 1"
        )
    if mapping.table.ignore == "*":
        return
    named = mapping.used | set(mapping.table.ignore)
    extra = [name for name in columns if name not in named]
    if extra:
        raise mapping.wrong(
            "ignore",
            f"the column '{extra[0]}' of {source.path}, line 1, is neither used nor in 'ignore'",
        )
