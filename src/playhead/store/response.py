"""What the store answers over HTTP: results' headers, errors in the engine's words."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from playhead.errors import QueryFailed, StoreBusy
from playhead.store.fault import ABORTED, TIMEOUT_EXCEEDED, TOO_MANY_QUERIES
from playhead.store.job import Job, refused
from playhead.store.session import Written
from playhead.store.statement import CONTENT_TYPES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_STATUS: Final = {
    62: 400, 6: 400, 27: 400, 26: 400, 36: 400, 41: 400, 42: 400, 43: 400, 46: 400, 47: 400,
    53: 400, 70: 400, 72: 400, 73: 400, 115: 400, 117: 400, 130: 400, 386: 400, 456: 400, 457: 400,
    60: 404, 81: 404, 159: 408, 164: 403, 497: 403, 516: 403, 48: 501, 202: 503, 236: 503,
}  # fmt: skip


def told(job: Job, fault: QueryFailed) -> QueryFailed:
    """Return the fault the client should see: a kill is told by its reason."""
    if job.reason == "timeout":
        sentence = f"Timeout exceeded: maximum: {job.timeout_ms} ms"
        return refused(TIMEOUT_EXCEEDED, sentence, "TIMEOUT_EXCEEDED")
    return stopping() if job.reason == "stopping" else fault


def busy_fault(busy: StoreBusy) -> QueryFailed:
    """Return what a full queue is in the engine's words."""
    return refused(TOO_MANY_QUERIES, busy.message, "TOO_MANY_SIMULTANEOUS_QUERIES")


def stopping() -> QueryFailed:
    """Return what a store that stops says."""
    return refused(ABORTED, "The store is stopping", "ABORTED")


async def fail(job: Job, fault: QueryFailed, send: Send) -> None:
    """Say why a statement failed; where its answer has begun, as the end of that."""
    if not job.answering:
        await refuse(send, fault, job)
    elif job.reason != "gone":
        # As ClickHouse does: the reason as the last block, then the connection is cut, because
        # the application returns without ending the body.
        tag = job.session.query_id[:16]
        text = fault.message.encode()
        block = b"\r\n__exception__\r\n%b\r\n%b\r\n%d %b\r\n__exception__\r\n" % (
            tag.encode(), text, len(text), tag.encode(),
        )  # fmt: skip
        await send({"type": "http.response.body", "body": block, "more_body": True})


async def finish(send: Send, job: Job, written: Written) -> None:
    """Say what a statement without a result did."""
    summary = {"written_rows": written.row_count, "written_bytes": written.byte_count}
    await send(start(200, headers_of(job, summary)))
    await send({"type": "http.response.body", "body": written.text})


async def refuse(send: Send, fault: QueryFailed, job: Job | None = None) -> None:
    """Answer with an error of the engine."""
    headers = [(b"x-clickhouse-exception-code", str(fault.engine_code).encode())]
    if job is not None:
        headers.append((b"x-clickhouse-query-id", job.session.query_id.encode()))
    status = _STATUS.get(fault.engine_code, 500)
    if status == StoreBusy.status:
        headers.append((b"retry-after", b"1"))
    await answer(send, status, f"{fault.message}\n".encode(), headers)


async def answer(
    send: Send, status: int, text: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Answer with a text."""
    plain = (b"content-type", b"text/plain; charset=UTF-8")
    length = (b"content-length", str(len(text)).encode())
    await send(start(status, [plain, length, *(headers or [])]))
    await send({"type": "http.response.body", "body": text})


def start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    """Return the message that begins an answer."""
    return {"type": "http.response.start", "status": status, "headers": headers}


def headers_of(job: Job, summary: dict[str, int]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a statement's answer; `summary` says what it read or wrote."""
    content_type = CONTENT_TYPES.get(job.format, "text/plain; charset=UTF-8")
    query_id = job.session.query_id.encode()
    told = json.dumps({name: str(value) for name, value in summary.items()})
    return [
        (b"content-type", content_type.encode()),
        (b"x-clickhouse-query-id", query_id),
        (b"x-clickhouse-format", job.format.encode()),
        (b"x-clickhouse-timezone", b"UTC"),
        (b"x-clickhouse-server-display-name", b"playhead"),
        (b"x-clickhouse-exception-tag", query_id[:16]),
        (b"x-clickhouse-summary", told.encode()),
    ]
