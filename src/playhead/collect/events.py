"""The door of the data sources: `POST /v0/events?name=…`, rows into the source of that name."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec

from playhead.collect.cdn_rows import CdnRows
from playhead.collect.columns import Fault
from playhead.collect.door import Answer, Door, Scope
from playhead.collect.entrance import Append, Entrance
from playhead.collect.frames import frame
from playhead.collect.items import ROW_MAX_BYTES, items_of, parts_of, quoted, value_of
from playhead.collect.large import drop_large
from playhead.collect.origins import Headers
from playhead.collect.project_rows import taken
from playhead.collect.request import DropReason, Request
from playhead.collect.sources import ProjectSource, require_append
from playhead.collect.steps import JOURNEY, routing_key, span
from playhead.errors import InvalidBody, InvalidRequest, NotFound, PlayheadError, RateLimited
from playhead.log.base import Entry
from playhead.model import cdn_request as cdn_requests
from playhead.model import frame as stream_frames
from playhead.model.cdn_request import CdnRequest
from playhead.model.event import Event, Into, Refusal, Rows
from playhead.model.frame import Frame
from playhead.model.telemetry import examine

PATH: Final = "/v0/events"
ACCEPTED: Final = 202
"""On disk; the store will have it in a moment."""
STORED: Final = 200
NAME_SHOWN_MAX: Final = 64
_FORBIDDEN: Final = 403
_WAITS: Final = {"": False, "false": False, "0": False, "true": True, "1": True}
_encode = msgspec.json.Encoder().encode

Row = Frame | CdnRequest


class Source(msgspec.Struct, frozen=True):
    """A data source: rows of a table, or, without `rows`, telemetry events."""

    name: str
    rows: Rows | None = None
    read: Callable[[bytes, Mapping[str, Any]], Row] | None = None
    """Makes a row of a JSON object, given as bytes and decoded; raises `Fault`."""
    key: Callable[[Any], str] = lambda _: ""
    """Returns what keeps rows together that belong together."""
    kept: Callable[[str], str] = str
    """Returns what may be kept of a refused row, and of what is said of it."""


def sources(entrance: Entrance) -> Mapping[str, Source]:
    """Return the built-in data sources by name."""
    requests = CdnRows(entrance.doorway)
    built_in = (
        Source("telemetry"),
        Source(
            "stream_frames",
            Rows(stream_frames.TABLE, stream_frames.COLUMNS),
            lambda _, row: frame(row),
            lambda row: str(row.stream_id),
        ),
        Source(
            "cdn_requests",
            Rows(cdn_requests.TABLE, cdn_requests.COLUMNS),
            requests.row,
            lambda row: str(row.view_id or row.session_id),
            requests.kept,
        ),
    )
    return {source.name: source for source in built_in}


class EventsDoor(Door):
    """Takes NDJSON, a JSON array or one object; a row that cannot be taken costs only itself."""

    name = "events"
    idempotent = True

    def __init__(self, entrance: Entrance) -> None:
        super().__init__(entrance)
        self._sources = sources(entrance)
        self._projects = entrance.promises.sources
        self._ingested = entrance.promises.ingested

    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Read the rows of the source that the request names: a project's, else a built-in one."""
        name = request.parameter("name")
        found = await self._of_project(request, name)
        source = self._source(name) if found is None else None
        _asks_to_wait(request)
        form = request.parameter("format")
        items = items_of(text, form, array_bytes_max=self.config.max_decompressed_bytes)
        if found is not None:
            return await self._rows(request, found, items)
        return await self._entries(request, source or self._source(name), items)

    async def reread(self, request: Request, body: bytes, source: str) -> list[Entry]:
        """Read one row out of quarantine."""
        return await self._entries(request, self._source(source), [body])

    async def _of_project(self, request: Request, name: str) -> ProjectSource | None:
        """Return the project's data source of a name; only to who may append to it."""
        if self._projects is None or not name:
            return None
        deployment = request.parameter("__tb__deployment")
        found = await self._projects.find(request.grant, name, deployment)
        if found is not None:
            require_append(request.grant, name)
        return found

    async def _rows(
        self, request: Request, source: ProjectSource, items: list[bytes]
    ) -> list[Entry]:
        """Return the entries of rows for a project's data source."""

        def entry(into: Into, body: bytes, rows: int) -> Entry:
            meta = self.meta(request, source=into.datasource, into=into)
            return Entry(door=self.name, key=source.key, events=rows, meta=meta, body=body)

        done = await taken(
            items, source, entry, at_ms=request.received_at, import_id=secrets.token_hex(8)
        )
        request.count, request.set_aside = len(items), done.refused
        for column, count in done.columns.items():
            where = f"column '{column}'" if column else "the line"
            self._note(
                "row_refused",
                f"{source.name}: {count} refused for {where}; see {source.name}_quarantine.",
                property_=request.property,
            )
        return done.entries

    async def _take(
        self, request: Request, text: bytes, append: Append | None = None
    ) -> tuple[Answer, int | None]:
        """Take a body, and say so to whoever counts."""
        try:
            done = await super()._take(request, text, append)
        except NotFound:  # nobody's rows
            raise
        except PlayheadError:
            self._tell(request, len(text), ok=False)
            raise
        self._tell(request, len(text), ok=True)
        return done

    def _tell(self, request: Request, byte_count: int, *, ok: bool) -> None:
        if self._ingested is None:
            return
        refused = len(request.refused) + request.set_aside
        self._ingested(
            request.parameter("name"),
            format="json" if request.parameter("format") == "json" else "ndjson",
            workspace=request.grant.workspace if request.grant else "",
            rows=request.count - refused if ok else 0,
            quarantined=refused if ok else 0,
            byte_count=byte_count,
            ok=ok,
        )

    def accepted(self, request: Request) -> Answer:
        """Return how many rows were taken and how many were not."""
        refused = len(request.refused) + request.set_aside
        counts = b'{"successful_rows":%d,"quarantined_rows":%d}' % (
            request.count - refused,
            refused,
        )
        return Answer(ACCEPTED, counts)

    async def told(self, request: Request, answer: Answer, offset: int) -> Answer:
        """Return the answer: with `wait=true` once the store has the rows, if it has them soon."""
        status = answer.status
        if self.stored is not None and _asks_to_wait(request) and await self.stored(offset):
            status = STORED
        return Answer(status, answer.body, (*answer.headers, *self._standing(request)))

    def status_of(self, error: PlayheadError) -> int:
        """Return the status; whatever is wrong with a token is 403 here."""
        return _FORBIDDEN if error.status == 401 else error.status

    def refusal_body(self, error: PlayheadError) -> dict[str, str]:
        """Return the error as everywhere, and under the names that clients of this door read."""
        body = error.body()
        return {"error": error.message, "documentation": body["docs"], **body}

    def refusal_headers(self, error: PlayheadError) -> Headers:
        """Return where the sender stands with its limit."""
        limit = self.config.requests_per_minute_per_address
        if not isinstance(error, RateLimited) or limit <= 0:
            return []
        return _limit_headers(limit, 0, error.retry_after_s)

    def limits(self) -> tuple[int, int]:
        """Return the limits of bodies of rows."""
        return self.config.max_log_body_bytes, self.config.max_log_decompressed_bytes

    def _request(self, scope: Scope, headers: dict[bytes, bytes]) -> Request:
        request = super()._request(scope, headers)
        if not request.secret and b"token=" in request.query:
            request.secret = request.parameter("token")
        request.source = request.parameter("name") if request.secret else ""
        return request

    def _source(self, name: str) -> Source:
        known = ", ".join(self._sources)
        if not name:
            raise InvalidRequest(
                "The data source is not named. Nothing was stored.",
                hint=f"Send to {PATH}?name=…; known are: {known}.",
            )
        source = self._sources.get(name)
        if source is None:
            shown = name[:NAME_SHOWN_MAX]
            raise NotFound(
                f"There is no data source '{shown}'. Nothing was stored.",
                hint=f"Known are: {known}.",
            )
        return source

    async def _entries(self, request: Request, source: Source, items: list[bytes]) -> list[Entry]:
        """Return the rows in entries of a named size; `request.refused` counts through them all."""
        size = self.config.max_events_per_request
        make = partial(self._events if source.rows is None else self._table, request, source)
        entries: list[Entry] = []
        refused: list[Refusal] = []
        for first, part in parts_of(items, size):
            request.refused = []
            entries.append(make(part))
            refused += [one.moved_to(first + one.index) for one in request.refused]
            await asyncio.sleep(0)
        request.count = len(items)
        request.refused = refused
        return entries

    def _events(self, request: Request, source: Source, items: list[bytes]) -> Entry:
        """Return the entry of telemetry events; the steps walk as at the telemetry door."""
        items = self.doorway.viewer_ids.of_items(request, items)
        request.events, request.refused = self._examined(items)
        drop_large(request, items, self.max_event_bytes)
        self.walk(JOURNEY, request)
        for one in request.refused:
            if not one.dropped:
                items[one.index] = quoted(items[one.index])
        return Entry(
            door=self.name,
            key=routing_key(request),
            events=len(items),
            meta=self.meta(request, source=source.name),
            body=b"[" + b",".join(items) + b"]",
        )

    def _examined(self, items: list[bytes]) -> tuple[list[Event | None], list[Refusal]]:
        """Return the events of rows, None where one is refused; mends what can be mended."""
        depth = self.config.max_json_depth
        if max(map(len, items)) <= ROW_MAX_BYTES:
            with suppress(InvalidBody):
                events, refused = examine(b"[" + b",".join(items) + b"]", max_depth=depth)
                # A row may hold a comma between two; a refused one is written anew by its index.
                if len(events) == len(items) and not refused:
                    return events, refused
        events, refused = [], []
        for index, item in enumerate(items):
            event: Event | None = None
            try:
                items[index], _ = value_of(item, max_depth=depth)
                [event], refusals = examine(b"[" + items[index] + b"]", max_depth=depth)
                refused += [one.moved_to(index) for one in refusals]
            except Fault as error:
                refused.append(Refusal(index, error.code, error.message))
            except InvalidBody as error:
                refused.append(Refusal(index, "invalid_json", error.message))
            events.append(event)
        return events, refused

    def _table(self, request: Request, source: Source, items: list[bytes]) -> Entry:
        """Return the entry of a table's rows."""
        key = ""
        for index, item in enumerate(items):
            try:
                row, items[index] = self._row(source, item)
            except Fault as error:
                message = source.kept(error.message)
                request.refused.append(Refusal(index, error.code, message))
                items[index] = quoted(item, source.kept)
                continue
            self._check_age(request, index, row.at)
            key = key or source.key(row)
        return Entry(
            door=self.name,
            key=key,
            events=len(items),
            meta=self.meta(request, rows=source.rows, source=source.name),
            body=b"\n".join(items),
        )

    def _row(self, source: Source, item: bytes) -> tuple[Row, bytes]:
        """Return a row, and as a line of the log."""
        item, value = value_of(item, max_depth=self.config.max_json_depth)
        if not isinstance(value, dict) or source.read is None:
            raise Fault("not_an_object", "A row must be a JSON object.")
        row = source.read(item, value)
        try:
            return row, _encode(row)
        except (ValueError, OverflowError, RecursionError) as error:
            raise Fault("invalid_value", f"The row cannot be kept: {error}.") from error

    def _check_age(self, request: Request, index: int, at: int) -> None:
        """Drop a row of too long ago, or so far ahead that no clock is that wrong."""
        if request.is_retried:
            return
        age_ms, config = request.received_at - at, self.config
        if age_ms > config.max_log_age_ms:
            limit = f"{span(config.max_log_age_ms)} old (collect.max_log_age_ms)"
            reason = DropReason.TOO_OLD
        elif -age_ms > config.max_event_age_ms:
            limit = f"{span(config.max_event_age_ms)} in the future (collect.max_event_age_ms)"
            reason = DropReason.TOO_FAR_AHEAD
        else:
            return
        message = f"The row is more than {limit}."
        request.refused.append(Refusal(index, reason.value, message, dropped=True))

    def _standing(self, request: Request) -> Headers:
        standing = None if request.is_own else self.doorway.rate.standing(request.address)
        return [] if standing is None else _limit_headers(*standing)


def _asks_to_wait(request: Request) -> bool:
    found = _WAITS.get(request.parameter("wait").lower())
    if found is None:
        raise InvalidRequest("wait is true or false. Nothing was stored.")
    return found


def _limit_headers(limit: int, remaining: int, reset_s: int) -> Headers:
    return [
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % reset_s),
    ]
