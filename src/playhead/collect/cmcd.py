"""The CMCD door: `POST /cmcd`, event-mode reports of players (CTA-5004-B).

It answers as the standard says: 204 when the batch is taken, also where single records could not be
read (they go to quarantine); 429 where a player should slow down; 410 where it should stop.
"""

import asyncio
from typing import Any, Final

import msgspec

from playhead.collect.door import Answer, Door
from playhead.collect.large import check_count
from playhead.collect.request import DropReason, Request
from playhead.collect.steps import JOURNEY, routing_key
from playhead.errors import BodyTooLarge, Forbidden, PlayheadError, QueueFull, Unauthenticated
from playhead.log.base import Entry
from playhead.model.cmcd import Cmcd, decode_headers, decode_line, decode_query, events_of, written
from playhead.model.cmcd.keys import VERSION_MAX
from playhead.model.cmcd.record import HEADERS
from playhead.model.event import Event, Refusal

PATHS: Final = ("/cmcd", "/v1/cmcd")
INVALID_RECORD: Final = "invalid_record"
RECORDS_PER_TURN: Final = 500
"""Records read before other requests get their turn."""
CHARS_PER_TURN: Final = 65_536
"""The same for few but long records."""
_GONE: Final = 410
_SLOW_DOWN: Final = 429
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_TRIMMED: Final = " \t\r\n\0\ufeff"


class _Batch(msgspec.Struct):
    """What a body becomes: events, and the text of each record that becomes none."""

    events: list[Event] = []
    refusals: list[Refusal] = []
    texts: list[str] = []

    def take(self, cmcd: Cmcd | None, text: str, received_at: int) -> None:
        """Add a record's events, or the record as it came if it is refused."""
        if cmcd is not None and cmcd.is_understood:
            self.events += events_of(cmcd, received_at)
        else:
            self.refuse(cmcd, text)

    def refuse(self, cmcd: Cmcd | None, text: str) -> None:
        """Add a record as it came, and why no events were made of it."""
        at = len(self.texts)
        if cmcd is None:
            message = "The record holds no CMCD key that can be read, or is too long."
            self.refusals.append(Refusal(at, INVALID_RECORD, message))
        else:
            message = f"CMCD version {cmcd.version} is not understood; 1 and 2 are."
            code = DropReason.UNKNOWN_VERSION.value
            self.refusals.append(Refusal(at, code, message, dropped=True))
        self.texts.append(text)


class CmcdDoor(Door):
    """Takes CMCD records, one a line; each becomes one or more canonical events."""

    name = "cmcd"
    methods = ("GET", "POST")
    idempotent = True

    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Read the records; what they become goes into the log in chunks, refused records last."""
        batch = await self._read(request, text)
        entries, refused = [], []
        limit = self.config.max_events_per_request
        for first in range(0, len(batch.events), limit):
            if first:
                await asyncio.sleep(0)
            entries.append(self._entry_of(request, batch.events[first : first + limit]))
            refused += request.refused
        if batch.texts:
            entries.append(self._refused_entry(request, batch))
            refused += batch.refusals
        request.count = len(batch.events) + len(batch.texts)
        request.refused = refused
        return entries

    def accepted(self, request: Request) -> Answer:  # noqa: ARG002 (the door's way to say it)
        """Return 204 without a body: a player has no use for more."""
        return Answer(204)

    def status_of(self, error: PlayheadError) -> int:
        """Return what makes a player act rightly: 410 ends its reports, 429 delays them."""
        if isinstance(error, (Unauthenticated, Forbidden)):
            return _GONE
        return _SLOW_DOWN if isinstance(error, QueueFull) else error.status

    async def _read(self, request: Request, body: bytes) -> _Batch:
        batch = _Batch()
        events, received_at = batch.events, request.received_at
        text = body.decode("utf-8", "replace").strip(_TRIMMED)
        if not text:
            self._read_request_mode(batch, request)
            return batch
        limit = self.config.max_events_per_request
        if text[0] in "[{":
            check_count(body, limit)  # before each is written anew
            lines = _json_records(text)
        else:
            _check_records(text.count("\n") + 1, limit)
            lines = text.split("\n")
        _check_records(len(lines), limit)
        chars = 0
        for number, line in enumerate(lines, 1):
            cmcd = decode_line(line)
            if cmcd is not None and cmcd.version <= VERSION_MAX:  # `take`, without its calls
                events += events_of(cmcd, received_at)
            elif cmcd is not None or line.strip(_TRIMMED):
                batch.refuse(cmcd, line)
            chars += len(line)
            if chars >= CHARS_PER_TURN or not number % RECORDS_PER_TURN:
                chars = 0
                await asyncio.sleep(0)
        return batch

    @staticmethod
    def _read_request_mode(batch: _Batch, request: Request) -> None:
        """Read the record of a request without body: its headers, else its query, never both."""
        headers = {
            name: value.decode("utf-8", "replace")
            for name in HEADERS
            if (value := request.headers.get(name.encode()))
        }
        if headers:
            batch.take(decode_headers(headers), ",".join(headers.values()), request.received_at)
            return
        if request.parameter("CMCD"):
            query = request.query.decode("utf-8", "replace")
            batch.take(decode_query(query), request.parameter("CMCD"), request.received_at)

    def _entry_of(self, request: Request, events: list[Event]) -> Entry:
        """Take events through the steps; `request.refused` then names those that were dropped."""
        request.events, request.refused = list(events), []
        self.walk(JOURNEY, request)
        return Entry(
            door=self.name,
            key=routing_key(request),
            events=len(events),
            meta=self.meta(request),
            body=_encode(events),
        )

    def _refused_entry(self, request: Request, batch: _Batch) -> Entry:
        """Keep refused records apart from the events, which the worker then reads in one go."""
        if not batch.events:
            request.events = []
            self.walk(JOURNEY, request)
        request.refused = batch.refusals
        return Entry(
            door=self.name,
            key=routing_key(request),
            events=len(batch.texts),
            meta=self.meta(request),
            body=_encode(batch.texts),
        )


def _check_records(count: int, most: int) -> None:
    if count > most:
        raise BodyTooLarge(
            f"The request holds {count} records; {most} are allowed. Nothing of it was stored.",
            hint="Send smaller batches, or raise collect.max_events_per_request.",
        )


def _json_records(text: str) -> list[str]:
    """Return the records of a body in JSON: strings, or objects of keys and values.

    CMCD has no JSON form since version 2, but some players send one. What is no JSON is one record.
    """
    try:
        found = _decode(text)
        items: list[Any] = found if isinstance(found, list) else [found]
        return [item if isinstance(item, str) else _line_of(item) for item in items]
    except (msgspec.DecodeError, RecursionError):
        return text.split("\n")


def _line_of(item: Any) -> str:
    """Return an object as a line of CMCD, anything else as JSON, which will be refused."""
    if not isinstance(item, dict):
        return _encode(item).decode()
    return ",".join(f"{key}={_raw(value)}" for key, value in item.items())


def _raw(value: Any) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, str):
        return written(value)
    if isinstance(value, list):
        return f"({' '.join(map(_raw, value))})"
    return _encode(value).decode()
