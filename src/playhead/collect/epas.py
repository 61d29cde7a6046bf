"""The EPAS door: `POST /epas`, events of Eyevinn's player analytics SDKs."""

import asyncio
import uuid
from typing import Any, Final

import msgspec

from playhead.collect.columns import Fault
from playhead.collect.door import Answer, Door
from playhead.collect.items import items_of, quoted, value_of
from playhead.collect.request import Request
from playhead.collect.steps import JOURNEY, routing_key
from playhead.errors import InvalidBody, InvalidRequest
from playhead.log.base import Entry
from playhead.model.epas import (
    HEARTBEAT_INTERVAL_MS,
    UNITS,
    Units,
    event_of,
    is_init,
    session_of,
    units_of,
)
from playhead.model.event import Event, Refusal
from playhead.model.telemetry import examine

PATHS: Final = ("/epas", "/v1/epas")
ITEMS_PER_TURN: Final = 500
"""Events read before other requests get their turn."""
LARGE_BYTES: Final = 16_384
"""After a larger event they get it at once."""
_encode = msgspec.json.Encoder().encode


class _Batch(msgspec.Struct):
    """The items of a request: as sent, as JSON says, and why one is refused."""

    raw: list[bytes]
    items: list[dict[str, Any] | None] = []
    faults: dict[int, Refusal] = {}

    def refuse(self, index: int, code: str, message: str) -> None:
        """Note why an item is refused."""
        self.items[index] = None
        self.faults[index] = Refusal(index, code, message)


class EpasDoor(Door):
    """Takes one EPAS event or an array of them; each becomes one canonical event.

    `?units=ms` or `?units=s` says what `playhead` and `duration` are in; else `units_of` finds out,
    per session of the request. A request with an `init` is told its session and the interval of
    heartbeats, as the reference sink does; without a `sessionId` it gets a fresh one.
    """

    name = "epas"

    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Read the events; they go into the log as canonical events, refused ones as their text."""
        units = _units(request.parameter("units"))
        return await self._entries(request, _raws(text, self.config.max_decompressed_bytes), units)

    async def reread(self, request: Request, body: bytes, source: str) -> list[Entry]:
        """Read one event out of quarantine; `source` is the unit named at first."""
        return await self._entries(request, [body], _units(source))

    def accepted(self, request: Request) -> Answer:
        """Return what was taken, and to a player that asks for a session, which one it has."""
        answer = super().accepted(request)
        session = next(
            (
                event.session_id
                for event in request.events
                if event is not None and event.event_type == "VIEW_INIT"
            ),
            None,
        )
        if session is None:
            return answer
        body = msgspec.json.decode(answer.body)
        body |= {"sessionId": session, "heartbeatInterval": HEARTBEAT_INTERVAL_MS}
        return Answer(answer.status, _encode(body))

    async def _entries(
        self, request: Request, raw: list[bytes], units: Units | None
    ) -> list[Entry]:
        raw = self.doorway.viewer_ids.of_items(request, raw, nested=True)
        batch = await self._read(raw)
        _name_sessions(batch)
        events = await self._events(batch, units)
        size = self.config.max_events_per_request
        entries: list[Entry] = []
        refused: list[Refusal] = []
        for first in range(0, len(raw), size):
            request.events = events[first : first + size]
            request.refused = []
            texts = raw[first : first + size]
            faults = [batch.faults.get(first + at) for at in range(len(texts))]
            entries.append(self._entry(request, texts, faults, units))
            refused += [one.moved_to(first + one.index) for one in request.refused]
            await asyncio.sleep(0)
        request.count = len(raw)
        request.events = events
        request.refused = refused
        return entries

    async def _read(self, raw: list[bytes]) -> _Batch:
        batch = _Batch(raw)
        for index, text in enumerate(raw):
            batch.items.append(None)
            await _turn(index, text)
            try:
                _, item = value_of(text, max_depth=self.config.max_json_depth)
            except Fault as error:
                batch.refuse(index, error.code, error.message)
                continue
            if isinstance(item, dict):
                batch.items[index] = item
            else:
                batch.refuse(index, "not_an_object", "An event must be a JSON object.")
        return batch

    async def _events(self, batch: _Batch, units: Units | None) -> list[Event | None]:
        """Return the canonical events, None where one is refused."""
        found = {} if units is not None else _units_by_session(batch)
        events: list[Event | None] = []
        for index, item in enumerate(batch.items):
            event = None
            if item is not None:
                try:
                    event = self._event(item, units or found[session_of(item)])
                except Fault as error:
                    batch.refuse(index, error.code, error.message)
            events.append(event)
            await _turn(index, batch.raw[index])
        return events

    def _event(self, item: dict[str, Any], units: Units) -> Event:
        """Return an item's event; it keeps the limits that every event has."""
        try:
            event = event_of(item, units)
            text = b"[" + _encode(event) + b"]"
            # What is unknown lies two levels deeper than it was sent.
            _, refused = examine(text, max_depth=self.config.max_json_depth + 2)
        except (ValueError, OverflowError, RecursionError) as error:
            raise Fault("invalid_event", str(error)) from error
        except InvalidBody as error:
            raise Fault(error.code, error.message) from error
        for one in refused:
            raise Fault(one.code, one.message)
        return event

    def _entry(
        self,
        request: Request,
        raw: list[bytes],
        faults: list[Refusal | None],
        units: Units | None,
    ) -> Entry:
        """Take a chunk through the steps and return it as the log keeps it."""
        bodies = [
            quoted(text) if event is None else _encode(event)
            for text, event in zip(raw, request.events, strict=True)
        ]
        self.walk(JOURNEY, request)
        request.refused += [one.moved_to(at) for at, one in enumerate(faults) if one is not None]
        return Entry(
            door=self.name,
            key=routing_key(request),
            events=len(raw),
            meta=self.meta(request, source=units or ""),
            body=b"[" + b",".join(bodies) + b"]",
        )


async def _turn(index: int, text: bytes) -> None:
    """Give other requests their turn after so many events, and after a large one."""
    if not (index + 1) % ITEMS_PER_TURN or len(text) > LARGE_BYTES:
        await asyncio.sleep(0)


def _raws(text: bytes, array_bytes_max: int) -> list[bytes]:
    return items_of(text, "json", array_bytes_max=array_bytes_max)


def _units(named: str) -> Units | None:
    if not named:
        return None
    for units in UNITS:
        if named == units:
            return units
    raise InvalidRequest("units is ms or s. Nothing was stored.")


def _name_sessions(batch: _Batch) -> None:
    """Give a fresh session id to a player that begins without one."""
    known = [item for item in batch.items if item is not None]
    if not any(is_init(item) and not session_of(item) for item in known):
        return
    fresh = str(uuid.uuid4())
    for item in known:
        if not session_of(item):
            item["sessionId"] = fresh


def _units_by_session(batch: _Batch) -> dict[str, Units]:
    sessions: dict[str, list[dict[str, Any]]] = {}
    for item in batch.items:
        if item is not None:
            sessions.setdefault(session_of(item), []).append(item)
    return {session: units_of(items) for session, items in sessions.items()}
