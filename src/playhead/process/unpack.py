"""Log records to events: every event of a record becomes stored, quarantined or dropped here."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import astuple

from playhead.errors import InvalidBody
from playhead.log.base import Record
from playhead.model import event_row
from playhead.model.cdn import cdn_of
from playhead.model.event import Context, Event, Meta, Refusal
from playhead.model.telemetry import decode
from playhead.observe import logger
from playhead.process.holding import COMMANDS
from playhead.process.rows import Line, Table, lines_of, table_of

_LOG = logger("worker")
_META = msgspec.json.Decoder(Meta)
_ENCODE = msgspec.json.Encoder().encode
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_METAS_MAX = 10_000
QUARANTINED_BODY_MAX_BYTES = 65_536
JSON_DOOR = "telemetry"
"""The door whose refused events are JSON; those of all others are lines of text."""

ROWS_DOOR = "events"
"""The door of rows of projects."""
QUARANTINE_COLUMNS = (
    "received_at", "log_offset", "log_index", "door", "property", "source", "code", "message",
    "body", "context", "truncated",
)  # fmt: skip
RETRY_COLUMNS = ("log_offset", "log_index", "retried_at", "retry_offset")


class Unpacked(msgspec.Struct):
    """The events of one record that are to be folded, and the refused ones as quarantine rows."""

    record: Record
    meta: Meta
    context_row: tuple[Any, ...]
    events: list[tuple[int, Event]]
    keys: list[str]
    """The view key of each of `events`, filled in by the folder."""
    quarantined: list[tuple[Any, ...]]
    quarantined_count: int
    dropped: list[str]
    table: Table | None = None
    """The table of `lines`; None where the record holds events."""
    lines: list[Line] = []


class Unpacker:
    """Decodes records; metas repeat from batch to batch and are decoded once."""

    def __init__(self, cdn_hosts: tuple[tuple[str, str], ...] = ()) -> None:
        self._cdn_hosts = cdn_hosts
        self._metas: dict[bytes, tuple[Meta, tuple[Any, ...]]] = {}

    def unpack(self, record: Record) -> Unpacked:
        """Return what a record holds, event by event."""
        meta, context_row = self._meta(record)
        unpacked = Unpacked(record, meta, context_row, [], [], [], 0, [])
        if meta.into is not None or record.door == COMMANDS:
            unpacked.dropped = [one.code for one in meta.refused if one.dropped]
            return unpacked
        if meta.rows is not None:
            self._take_rows(unpacked)
            return unpacked
        try:
            items = decode(record.body)
        except InvalidBody as error:
            return _unreadable(unpacked, error.message)
        refused = {refusal.index: refusal for refusal in meta.refused}
        raws: list[msgspec.Raw] | None = None
        for index, item in enumerate(items):
            refusal = refused.get(index) if refused else None
            if refusal is None and isinstance(item, Refusal):
                refusal = item
            if refusal is None:
                event: Event = item  # type: ignore[assignment]
                if event.cdn is None and event.host:
                    event.cdn = cdn_of(event.host, self._cdn_hosts) or None
                unpacked.events.append((index, event))
            elif refusal.dropped:
                unpacked.dropped.append(refusal.code)
            else:
                raws = raws if raws is not None else _RAWS.decode(record.body)
                row = _quarantine_row(record, meta, refusal, bytes(raws[index]))
                unpacked.quarantined.append(row)
                unpacked.quarantined_count += 1
        return unpacked

    def _take_rows(self, unpacked: Unpacked) -> None:
        record, meta = unpacked.record, unpacked.meta
        try:
            unpacked.table = table_of(meta)
        except ValueError as error:
            _unreadable(unpacked, f"{error}.")
            return
        unpacked.lines, away = lines_of(record, meta)
        for refusal, text in away:
            if refusal.dropped:
                unpacked.dropped.append(refusal.code)
            else:
                unpacked.quarantined.append(_quarantine_row(record, meta, refusal, text))
                unpacked.quarantined_count += 1

    def all(self, records: list[Record]) -> Iterator[Unpacked]:
        """Yield each record unpacked, in order."""
        for record in records:
            yield self.unpack(record)

    def _meta(self, record: Record) -> tuple[Meta, tuple[Any, ...]]:
        found = self._metas.get(record.meta)
        if found is None:
            meta = _META.decode(record.meta) if record.meta else Meta()
            found = (meta, astuple(meta.context))
            if len(self._metas) >= _METAS_MAX:
                self._metas.clear()
            if not meta.refused and not meta.idempotency:
                self._metas[record.meta] = found
        return found


def unfolded_row(record: Record, meta: Meta, index: int, event: Event) -> tuple[Any, ...]:
    """Return the quarantine row of an event that was read but could not be folded."""
    refusal = Refusal(index, "not_folded", "The event could not be folded; see the worker's log.")
    return _quarantine_row(record, meta, refusal, msgspec.json.encode(event))


def unstored_row(line: bytes, table: Table | None = None) -> tuple[Any, ...]:
    """Return the quarantine row of a row that the store refused, in a form that can be read again.

    Args:
        line: The row as JSON.
        table: Where it belongs; None: the row of an event.
    """
    values = msgspec.json.decode(line)
    said = "The store refused the row; see the worker's log."
    if table is None:
        json_at = len(values) - len(event_row.JSON_COLUMNS)
        texts = [None if one is None else _ENCODE(one) for one in values[json_at:]]
        _, stored = event_row.stored_of((*values[:json_at], *texts))
        own = (stored.received_at, stored.offset, stored.index, stored.door)
        context, body = stored.context, _ENCODE(stored.event)
    else:
        own_count = len(event_row.ROW_COLUMNS)
        own = tuple(values[: own_count - 1])
        context = Context(property=values[own_count - 1])
        form = {"table": table.name, "columns": table.columns[own_count:]}
        body = _ENCODE({**form, "values": values[own_count:]})
    return (*own, context.property, "", "store_refused", said, *_kept(context, body))


def unplaced_row(line: Line, into: bytes, code: str, said: str, source: str) -> tuple[Any, ...]:
    """Return the quarantine row of a project's row without a table, in a form that can be read again.

    It is kept whole, for only so it can be taken up: the door (`collect.items.ROW_MAX_BYTES`) and
    the pieces of imports bound it.

    Args:
        line: The row, as an insert takes it.
        into: What the log says of it, as JSON of `Into`.
        code: Why it has none, as a word.
        said: The same as a sentence.
        source: Its data source.
    """
    body = b'{"into":%b,"line":%b}' % (into, line.text)
    own = (line.received_at, line.offset, line.index, ROWS_DOOR)
    return (*own, "", source, code, said, *_kept(Context(), body, len(body)))


def _unreadable(unpacked: Unpacked, reason: str) -> Unpacked:
    """Set a whole record aside: all its events count as quarantined."""
    record = unpacked.record
    _LOG.error("record_unreadable", offset=record.offset, reason=reason)
    whole = Refusal(0, "unreadable_record", reason)
    unpacked.quarantined.append(_quarantine_row(record, unpacked.meta, whole, record.body))
    unpacked.quarantined_count = record.events
    return unpacked


def _quarantine_row(record: Record, meta: Meta, refusal: Refusal, body: bytes) -> tuple[Any, ...]:
    text = body
    if record.door != JSON_DOOR and body[:1] == b'"':
        text = str(msgspec.json.decode(body)).encode("utf-8", "replace")
    return (
        record.received_at,
        record.offset,
        refusal.index,
        record.door,
        meta.context.property,
        meta.source,
        refusal.code,
        refusal.message,
        *_kept(meta.context, text),
    )


def _kept(
    context: Context, text: bytes, max_bytes: int = QUARANTINED_BODY_MAX_BYTES
) -> tuple[str, str, bool]:
    """Return body, context and whether the body was cut."""
    return (
        text[:max_bytes].decode("utf-8", "replace"),
        _ENCODE(context).decode(),
        len(text) > max_bytes,
    )
