"""The rows of a request for a project's data source, as entries of the log."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from playhead.collect.items import ROW_MAX_BYTES, parts_of
from playhead.collect.sources import ProjectSource
from playhead.log.base import Entry
from playhead.model.event import Into
from playhead.project.rows import Refused

ROWS_PER_PART: Final = 2_000
"""Rows that are read before other requests get their turn."""
RECORD_ROWS_MAX: Final = 20_000
"""Most rows of one record of the log: the worker takes records as a whole."""
RECORD_BYTES_MAX: Final = 8 << 20
"""A record ends with the part that reaches so many bytes."""


class Taken(msgspec.Struct):
    """What became of the rows of a request."""

    entries: list[Entry] = []
    stored: int = 0
    refused: int = 0
    columns: dict[str, int] = {}
    """How many refused rows each column is at fault in; "" = the line as a whole."""


async def taken(
    items: Sequence[bytes],
    source: ProjectSource,
    entry: Callable[[Into, bytes, int], Entry],
    *,
    at_ms: int,
    import_id: str,
) -> Taken:
    """Return the entries of rows; those that do not fit are entries for the quarantine.

    Args:
        items: One row each, as JSON; none is looked at yet.
        source: What reads them.
        entry: Makes an entry of what it is, its body and how many rows that holds.
        at_ms: When the request came (UTC).
        import_id: Names the request in the quarantine.
    """
    done, good, bad = Taken(), _Record(), _Record()
    reader = source.reader

    def flush(record: _Record, *, quarantine: bool) -> None:
        if record.rows:
            into = Into(
                datasource=source.name,
                shape=source.shape_id,
                workspace=source.workspace,
                quarantine=quarantine,
            )
            done.entries.append(entry(into, b"".join(record.bodies), record.rows))
            record.bodies, record.rows, record.size = [], 0, 0

    for _, part in parts_of(items, ROWS_PER_PART):
        whole = [item for item in part if len(item) <= ROW_MAX_BYTES]
        body, count, refused = reader.batch(whole)
        if len(whole) < len(part):
            refused += [_too_large(source, item) for item in part if len(item) > ROW_MAX_BYTES]
        good.add(body, count)
        if refused:
            bad.add(
                reader.refused_body(refused, at_s=at_ms // 1000, import_id=import_id), len(refused)
            )
            _note(done.columns, refused)
        done.stored += count
        done.refused += len(refused)
        for record in (good, bad):
            if record.is_full():
                flush(record, quarantine=record is bad)
        await asyncio.sleep(0)
    flush(good, quarantine=False)
    flush(bad, quarantine=True)
    return done


class _Record:
    """What gathers for one record of the log."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.rows = self.size = 0

    def add(self, body: bytes, rows: int) -> None:
        if rows:
            self.bodies.append(body)
            self.rows += rows
            self.size += len(body)

    def is_full(self) -> bool:
        return self.rows >= RECORD_ROWS_MAX or self.size >= RECORD_BYTES_MAX


def _too_large(source: ProjectSource, item: bytes) -> Refused:
    return source.reader.unreadable(
        item[:ROW_MAX_BYTES], f"the row has more than {ROW_MAX_BYTES} bytes"
    )


def _note(columns: dict[str, int], refused: Sequence[Refused]) -> None:
    for one in refused:
        for name in one.columns or ("",):
            columns[name] = columns.get(name, 0) + 1
