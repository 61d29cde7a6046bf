"""Parquet as CSV: the store reads the file and writes its columns as text, in the schema's order.

From there it goes the way of every CSV, so a value is judged the same whatever file it came in.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import BodyTooLarge, InvalidBody, QueryFailed
from playhead.jobs.spool import Packed, Spool, Spooled
from playhead.jobs.work import Work
from playhead.project.expression import backquoted, quoted
from playhead.project.implicit import every_column
from playhead.project.path import steps
from playhead.project.resources import Column
from playhead.project.rows import RowReader
from playhead.query.pipes.fault import sentence_of
from playhead.store.async_client import AsyncStoreClient

MAGIC: Final = b"PAR1"
LOOK_EVERY_S: Final = 0.2
SMALLEST: Final = 12
_PLAIN: Final = "file.parquet"
_ASIDE: Final = "schema.ndjson"
_HEAD_LINES: Final = 2
_NULL: Final = r"'\\N'"
_COMPOSED: Final = ("Array(", "Map(", "Tuple(", "JSON", "Nested(")


class Found(msgspec.Struct, frozen=True):
    """A column of a Parquet file, as the engine reads it."""

    name: str
    type: str


async def converted(work: Work, path: Path, part: Spooled, reader: RowReader, out: Path) -> None:
    """Write a Parquet file as CSV.

    Args:
        work: The job.
        path: The spooled file.
        part: Which bytes of it are the body.
        reader: Of the data source.
        out: Where to; it makes way.

    Raises:
        InvalidBody: It is no Parquet, or has none of the data source's columns.
        BodyTooLarge: As text it is larger than an import may be.
        JobCancelled: Somebody cancelled the job.
    """
    config = work.desk.config
    if config.store.kind != "embedded":
        raise InvalidBody(
            "Parquet is read by the embedded store; this server uses another. Nothing was imported.",
            hint="Convert the file to CSV or NDJSON.",
        )
    limit = config.jobs.max_import_bytes
    plain = await asyncio.to_thread(unpacked, path, part, limit)
    columns = await columns_of(work.desk.store, plain)
    select = _select(every_column(reader.datasource), columns)
    structure = ", ".join(f"{backquoted(f'c{n}')} String" for n in range(len(select)))
    source = f"file({quoted(str(plain))}, 'Parquet')"
    target = f"file({quoted(str(out))}, 'CSV', {quoted(structure)})"
    out.unlink(missing_ok=True)
    command = asyncio.create_task(
        work.desk.store.command(
            f"INSERT INTO FUNCTION {target} SELECT {', '.join(select)} FROM {source}",  # noqa: S608
            settings={"max_threads": "1", "output_format_csv_crlf_end_of_line": "0"},
        )
    )
    try:
        await _watched(work, command, out, limit)
    except QueryFailed as error:
        raise _unreadable(error) from error
    finally:
        command.cancel()
        await asyncio.gather(command, return_exceptions=True)
        if plain.name == _PLAIN:
            plain.unlink(missing_ok=True)
    out.touch()


def unpacked(path: Path, part: Spooled, limit: int) -> Path:
    """Return a file that is Parquet from its first to its last byte; raises InvalidBody."""
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if part.start == 0 and part.end == path.stat().st_size and head == MAGIC:
        return path
    plain = path.with_name(_PLAIN)
    packed = Packed(path, part, limit)
    try:
        with plain.open("wb") as file:
            for block in packed.blocks():
                file.write(block)
    finally:
        packed.close()
    with plain.open("rb") as file:
        if plain.stat().st_size < SMALLEST or file.read(len(MAGIC)) != MAGIC:
            raise InvalidBody("The file is no Parquet.", hint="Say what it is: format=csv, ndjson.")
    return plain


async def columns_of(store: AsyncStoreClient, path: Path, form: str = "Parquet") -> list[Found]:
    """Return the columns that the engine finds in a file; raises InvalidBody."""
    aside = path.with_name(_ASIDE)
    aside.unlink(missing_ok=True)
    target = f"file({quoted(str(aside))}, 'JSONCompactEachRowWithNamesAndTypes')"
    try:
        await store.command(
            f"INSERT INTO FUNCTION {target} SELECT * FROM"  # noqa: S608 (paths of ours)
            f" file({quoted(str(path))}, {quoted(form)}) LIMIT 1"
        )
        lines = await asyncio.to_thread(_lines, aside)
    except QueryFailed as error:
        raise _unreadable(error) from error
    finally:
        aside.unlink(missing_ok=True)
    if len(lines) < _HEAD_LINES:
        raise InvalidBody("The file holds no rows; nothing can be said of it.")
    names, types = (msgspec.json.decode(line, type=list[str]) for line in lines[:_HEAD_LINES])
    return [Found(name, kind) for name, kind in zip(names, types, strict=True)]


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _unreadable(error: QueryFailed) -> InvalidBody:
    said = sentence_of(error.message)
    return InvalidBody(
        f"The file cannot be read: {said}", hint="Look whether it is whole, and its format."
    )


def _select(columns: tuple[Column, ...], there: list[Found]) -> list[str]:
    by_name = {one.name: one for one in there}
    made = [_text(by_name.get(_name(column))) for column in columns]
    if all(one == _NULL for one in made):
        shown = ", ".join(one.name for one in there[:10])
        raise InvalidBody(f"The file has no column of the data source; it has {shown}.")
    return made


def _name(column: Column) -> str:
    """Return the name a column has in a Parquet file: what its path begins with."""
    path = steps(column.json_path) if column.json_path else ()
    return str(path[0]) if path and isinstance(path[0], str) else column.name


def _text(found: Found | None) -> str:
    if found is None:
        return _NULL
    name = backquoted(found.name)
    if found.type.startswith(_COMPOSED):
        return f"toJSONString({name})"
    return f"ifNull(toString({name}), {_NULL})"


async def _watched(work: Work, command: "asyncio.Task[None]", out: Path, limit: int) -> None:
    """Wait for the store, and stop it when the text becomes too large or the disk too full."""
    spool = Spool(work.desk.config)
    while not command.done():
        work.check()
        size = out.stat().st_size if out.exists() else 0
        if size > limit:
            raise BodyTooLarge(f"As text the file has more than {limit} bytes.")
        if size and shutil.disk_usage(out.parent).free < size:
            spool.check()
        await asyncio.wait({command}, timeout=LOOK_EVERY_S)
    command.result()
