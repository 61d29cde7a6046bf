"""Quarantined rows taken up again, each exactly once.

A row is taken up when a record of the log names it in `Meta.retried`; the worker then writes that
into `quarantine_retries`, before its position moves past the record. So the log alone decides, and
the only question is which records the worker has not reached yet:

- Records from before this process: only the one web process appends, so they all lie before the
  log's end at its start, `began_at`. Until the worker is there, nothing is taken up (503).
- Records of this process: the places they name are remembered here before the append, with the
  log's end behind them, and let go once the worker is past that. The position is read before the
  store is asked, so whatever was let go is in the store's answer.
- An append that failed may be on disk after all. Its places are held until the worker is past the
  log's end as the next call finds it.

One call works at a time, in the loop, so no other can slip in between looking and remembering.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from playhead import observe
from playhead.collect.device import Facts
from playhead.collect.door import ASGIApp, Door
from playhead.collect.entrance import Append
from playhead.collect.geography import Place
from playhead.collect.request import Request
from playhead.collect.steps import SKEW_TOLERATED_MS
from playhead.errors import PlayheadError, Unavailable
from playhead.log.base import Entry
from playhead.model.event import Context, Event, Into, Meta, Refusal, Rows
from playhead.model.telemetry import decode

UNCONFIRMED_MAX: Final = 10_000
"""Places remembered until the worker is past them; more must wait."""
WAIT_S: Final = 2
UNSENT_LATENESS_MS: Final = 300_000
"""Without `sentAt` a client's clock is believed this far back, as the worker believes it."""
NOT_FOLDED: Final = "not_folded"
STORE_REFUSED: Final = "store_refused"
UNKNOWN_SHAPE: Final = "unknown_shape"
UNREADABLE: Final = "unreadable_record"
_APPENDING: Final = -1
_DOUBTFUL: Final = -2

At = tuple[int, int]
"""Where a quarantined row came from: log offset and index."""
_CONTEXT = msgspec.json.Decoder(Context)
_META = msgspec.json.Decoder(Meta)
_log = observe.logger("collect")
_encode = msgspec.json.Encoder().encode


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A row in quarantine. `context` is JSON of `Context`, empty where none was kept."""

    offset: int
    index: int
    received_at: int
    door: str
    property: str
    source: str
    code: str
    body: str
    context: str

    def at(self) -> At:
        """Return where it came from."""
        return self.offset, self.index


class RowForm(msgspec.Struct, frozen=True):
    """The body of a table's row that the store refused; the worker writes it so."""

    table: str
    columns: tuple[str, ...]
    values: msgspec.Raw


class PlacedForm(msgspec.Struct, frozen=True):
    """The body of a project's row that had no table; the worker writes it so."""

    into: Into
    line: msgspec.Raw


class StillRefused(msgspec.Struct, frozen=True):
    """A row that did not pass again, and why."""

    id: str
    code: str
    message: str


class Retry:
    """Takes quarantined rows up again.

    Args:
        doors: What takes requests, by path; `Door` objects among them read rows again.
        append: Puts entries into the log; raises `Unavailable` when it cannot.
        began_at: The log's end when this process began to write it; None if it could not be
            read: then its end at the first call, which is no earlier.
    """

    def __init__(
        self, doors: Mapping[str, ASGIApp], append: Append, *, began_at: int | None
    ) -> None:
        self._doors = {door.name: door for door in doors.values() if isinstance(door, Door)}
        self._append = append
        self._began_at = began_at
        self._unconfirmed: dict[At, int] = {}
        self.turn = asyncio.Lock()
        """Held during a call."""

    def confirm(self, position: int, end: int) -> None:
        """Let go what the worker has stored; ask the store for rows only after this.

        Args:
            position: The worker's, read before.
            end: The log's end, read before.

        Raises:
            Unavailable: Records of the process before are still pending, or too many of ours.
        """
        if self._began_at is None:
            self._began_at = end
        if position < self._began_at:
            raise Unavailable(
                "What was accepted before the restart is not stored yet; nothing was taken up.",
                hint="Try again when /v1/status shows no lag.",
                retry_after_s=WAIT_S,
            )
        for at, behind in list(self._unconfirmed.items()):
            if behind == _DOUBTFUL:
                self._unconfirmed[at] = end
            elif 0 <= behind <= position:
                del self._unconfirmed[at]
        if len(self._unconfirmed) >= UNCONFIRMED_MAX:
            raise Unavailable(
                f"{len(self._unconfirmed)} rows taken up before are not stored yet.",
                hint="Try again when /v1/status shows no lag.",
                retry_after_s=WAIT_S,
            )

    def fresh(self, rows: Iterable[Held]) -> list[Held]:
        """Return the rows that no record of this process takes up already, each once."""
        found = {row.at(): row for row in rows if row.at() not in self._unconfirmed}
        return list(found.values())

    async def take(self, rows: Sequence[Held], now_ms: int) -> list[StillRefused]:
        """Append what passes now, all of it or nothing; return what still does not.

        Raises:
            Unavailable: The log does not take it; nothing is lost, the rows stay as they are.
        """
        entries: list[Entry] = []
        places: list[At] = []
        refused: list[StillRefused] = []
        for row in rows:
            name = f"{row.offset}-{row.index}"
            try:
                entries += await self._read(row, now_ms)
            except (PlayheadError, _Refused) as error:
                refused.append(StillRefused(name, error.code, str(error)))
            except Exception:  # noqa: BLE001 (one row must not stop all others)
                _log.exception("row_not_reread", id=name, door=row.door)
                refused.append(StillRefused(name, "unreadable_row", "The row cannot be read."))
            else:
                places.append(row.at())
            await asyncio.sleep(0)
        if entries:
            self._unconfirmed.update(dict.fromkeys(places, _APPENDING))
            appending = asyncio.ensure_future(self._append(*entries))
            appending.add_done_callback(partial(self._settle, places, len(entries)))
            # A caller who is cancelled leaves it going: it is stored, and remembered as such.
            await asyncio.shield(appending)
        return refused

    def _settle(self, places: list[At], count: int, appending: asyncio.Future[int]) -> None:
        failed = appending.cancelled() or appending.exception() is not None
        behind = _DOUBTFUL if failed else appending.result() + count
        self._unconfirmed.update(dict.fromkeys(places, behind))

    async def _read(self, row: Held, now_ms: int) -> list[Entry]:
        """Return the entries of one row, the first naming it."""
        if row.code == UNREADABLE:
            raise _Refused(UNREADABLE, "A whole record of the log; it cannot be taken up again.")
        if row.code in {NOT_FOLDED, STORE_REFUSED, UNKNOWN_SHAPE}:
            entries = [_worked(row)]
        else:
            door = self._doors.get(row.door)
            if door is None:
                raise _Refused("no_such_door", "The door that took it is not there.")
            request = _request(row)
            entries = await door.reread(request, row.body.encode(), row.source)
            if request.refused:
                first = request.refused[0]
                raise _Refused(first.code, first.message)
        if not entries:
            raise _Refused("nothing_in_it", "The door finds nothing to store in it.")
        waited_ms = max(0, now_ms - row.received_at)
        entries = [_resent(entry, row.received_at, waited_ms) for entry in entries]
        meta = _META.decode(entries[0].meta)
        named = msgspec.structs.replace(meta, retried=(row.at(),))
        return [msgspec.structs.replace(entries[0], meta=_encode(named)), *entries[1:]]


class _Refused(Exception):
    """A row that does not pass."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _context(row: Held) -> Context:
    return _CONTEXT.decode(row.context) if row.context else Context(property=row.property)


def _request(row: Held) -> Request:
    """Return the request as it was: of its sender and its time, not of whoever asks for it now."""
    context = _context(row)
    return Request(
        headers={},
        peer="",
        forwarded=[],
        secret="",
        received_at=row.received_at,
        property=context.property,
        place=Place(context.country, context.region, context.city, context.asn, context.as_org),
        device=Facts(
            context.device_class,
            context.os,
            context.os_version,
            context.browser,
            context.browser_version,
            context.bot,
        ),
        bot=context.bot,
        internal=context.internal,
        anonymous_id=context.anonymous_id,
        is_retried=True,
    )


def _worked(row: Held) -> Entry:
    """Return the entry of a row that the worker refused: its body is in the log's own form."""
    context = _context(row)
    body = row.body.encode()
    rows, into = None, None
    if row.body.startswith('{"into":'):
        placed = msgspec.json.decode(body, type=PlacedForm)
        into, body = placed.into, bytes(placed.line) + b"\n"
    elif row.body.startswith('{"table":'):
        form = msgspec.json.decode(body, type=RowForm)
        rows, body = Rows(form.table, form.columns), bytes(form.values)
    else:
        body = b"[" + body + b"]"
        for item in decode(body):
            if isinstance(item, Refusal):
                raise _Refused(item.code, item.message)
    meta = _encode(Meta(context=context, rows=rows, into=into, source=row.source))
    return Entry(door=row.door, key="", events=1, meta=meta, body=body)


def _resent(entry: Entry, received_at: int, waited_ms: int) -> Entry:
    """Return an entry whose events say when they are sent now, as a client that waited would.

    The log's time is now, so without it the wait would pass for an error of the client's clock.
    """
    meta = _META.decode(entry.meta)
    if meta.rows is not None or meta.into is not None:
        return entry
    events: list[Event] = []
    for event in decode(entry.body):
        if isinstance(event, Refusal):
            raise _Refused(event.code, event.message)
        event.sent_at = _sent_at(event, received_at) + waited_ms
        events.append(event)
    return msgspec.structs.replace(entry, body=_encode(events))


def _sent_at(event: Event, received_at: int) -> int:
    """Return when an event was sent by its own clock; where it does not say, how far that is off."""
    if event.sent_at is not None:
        return event.sent_at
    early_ms = received_at - event.timestamp
    believed = -SKEW_TOLERATED_MS <= early_ms <= UNSENT_LATENESS_MS
    return received_at if believed else event.timestamp
