"""The endpoints of quarantine: what was refused, why, and taking it up again."""

import asyncio
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.access import Grant
from playhead.collect.retry import Held, Retry, StillRefused
from playhead.errors import Forbidden, InvalidRequest, PlayheadError, Unavailable
from playhead.observe import logger
from playhead.query import quarantine as query
from playhead.query.cursor import cursor_text
from playhead.query.span import iso, span_of
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, body_of, while_connected
from playhead.serve.services import Services

RETRY_MAX: Final = 1_000
"""Rows taken up by one call."""
_AT_ONCE: Final = 32
"""Rows read and appended at a time: one of a project may be 1 MiB."""
_BODY_MAX_BYTES: Final = 65_536
_BODY_TIMEOUT_S: Final = 10.0
_LOG = logger("serve")


class _Asked(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The body of a call to take rows up; all of it optional."""

    door: str = ""
    code: str = ""
    source: str = ""
    property: str = ""
    from_: str = ""
    to: str = ""
    ids: list[str] = []
    limit: int | float = RETRY_MAX
    """A whole number; JSON has but one kind of number, so `10.0` is one."""
    cursor: str = ""


class _Taking(msgspec.Struct):
    """One call to take rows up, as far as it came."""

    wanted: query.Wanted
    limit: int
    last: query.Place | None
    taken: int = 0
    """Rows looked at."""
    refused: list[StillRefused] = []
    more: bool = False


class Quarantine:
    """Answers about quarantine."""

    def __init__(self, services: Services, desk: Desk) -> None:
        self._services = services
        self._desk = desk

    async def rows(self, request: Request) -> Response:
        """`GET /v1/quarantine`: a page of refused events."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = query.quarantine_question_of(values_of(request), self._desk.asking(grant))
        rows, cursor = await while_connected(request, query.page(self._desk.reader, question))
        response = answer(rows, _meta(question) | {"next_cursor": cursor}, form)
        if cursor is not None:
            response.headers["x-next-cursor"] = cursor
        return response

    async def reasons(self, request: Request) -> Response:
        """`GET /v1/quarantine/reasons`: how many by door, source and code."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        asking = self._desk.asking(grant)
        question = query.quarantine_question_of(values_of(request), asking, pages=False)
        rows = await while_connected(request, query.reasons(self._desk.reader, question))
        return answer(rows, _meta(question), form)

    async def retry(self, request: Request) -> Response:
        """`POST /v1/quarantine/retry`: take up what passes now; `collect/retry.py` says how once."""
        grant = self._desk.admission.reader(request)
        if grant.kind != "admin":
            raise Forbidden(
                "Only an admin token may take up what was refused.",
                hint="The admin token is in the data folder's admin.token.",
            )
        taking = self._taking(await _asked(request), grant)
        retry = self._services.retry
        if retry is None:
            raise Unavailable("This process does not write the log; nothing was taken up.")
        if retry.turn.locked():
            raise Unavailable("Another call is taking rows up; nothing was taken up by this one.")
        async with retry.turn:
            skipped = await query.cut(self._desk.reader, taking.wanted)
            try:
                await self._take(retry, taking)
            except PlayheadError as error:
                if not taking.taken:
                    raise
                # What was taken up so far is; the rest is one more call.
                _LOG.warning("quarantine_retry_cut", reason=error.message)
                taking.more = True
        accepted = taking.taken - len(taking.refused)
        _LOG.info("quarantine_retried", taken=taking.taken, accepted=accepted)
        data = {
            "taken": taking.taken,
            "accepted": accepted,
            "still_refused": [msgspec.to_builtins(one) for one in taking.refused],
            "skipped_truncated": skipped,
        }
        last = taking.last if taking.more else None
        return answer(data, {"next_cursor": cursor_text(last) if last else None})

    async def _take(self, retry: Retry, taking: _Taking) -> None:
        """Take up what passes, oldest first, up to the limit."""
        services = self._services
        while True:
            asked_for = min(_AT_ONCE, taking.limit - taking.taken)
            if not asked_for:
                taking.more = True
                return
            position = await asyncio.to_thread(services.ledger.position)
            end = await asyncio.to_thread(lambda: services.log.bounds().next)
            retry.confirm(position, end)
            rows = await query.waiting(self._desk.reader, taking.wanted, asked_for, taking.last)
            if not rows:
                return
            fresh = retry.fresh(_held(row) for row in rows)
            taking.refused += await retry.take(fresh, services.clock.now_ms())
            taking.taken += len(fresh)
            taking.last = query.place_of(rows[-1])

    def _taking(self, asked: _Asked, grant: Grant) -> _Taking:
        if not 1 <= asked.limit <= RETRY_MAX or asked.limit != int(asked.limit):
            raise InvalidRequest(f"'limit' must be a whole number from 1 to {RETRY_MAX}.")
        if len(asked.ids) > RETRY_MAX:
            raise InvalidRequest(f"More than {RETRY_MAX} ids.", hint="Send them in several calls.")
        span = None
        if asked.from_ or asked.to:
            now_ms = self._desk.reader.now_ms()
            span = span_of(asked.from_ or "0" * 9, asked.to or None, now_ms, zone=ZoneInfo("UTC"))
        wanted = query.Wanted(
            span=span,
            bound_to=grant.property,
            door=asked.door,
            code=asked.code,
            source=asked.source,
            property=asked.property,
            ids=tuple(query.at_of(text) for text in asked.ids),
        )
        return _Taking(wanted, int(asked.limit), query.cursor_of(asked.cursor or None))


def _meta(question: query.QuarantineQuestion) -> dict[str, Any]:
    span = question.span
    return {"from": iso(span.from_ms), "to": iso(span.to_ms), "timezone": "UTC"}


def _held(row: query.Row) -> Held:
    return Held(
        offset=row["log_offset"],
        index=row["log_index"],
        received_at=row["received_at"],
        door=row["door"],
        property=row["property"],
        source=row["source"],
        code=row["code"],
        body=row["body"],
        context=row["context"],
    )


async def _asked(request: Request) -> _Asked:
    text = await body_of(request, max_bytes=_BODY_MAX_BYTES, timeout_s=_BODY_TIMEOUT_S)
    try:
        return msgspec.json.decode(text or b"{}", type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = 'Send {"door", "code", "source", "property", "from", "to", "ids", "limit", "cursor"}, or {}.'
        raise InvalidRequest(f"The body cannot be read: {error}.", hint=hint) from None
