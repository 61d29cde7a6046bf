"""The ClickHouse HTTP protocol over the embedded engine, as a raw ASGI application."""

import asyncio
import json
import os
import signal
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import zstandard

from playhead.config import Config
from playhead.errors import BodyTooLarge, QueryFailed, StoreBusy
from playhead.observe import logger
from playhead.store.engine import Cursor, Engine
from playhead.store.fault import ABORTED, BROKEN_PART, CANCELLED, TIMEOUT_EXCEEDED, TOO_MANY_QUERIES
from playhead.store.gate import Gate
from playhead.store.job import Arguments, Job, job_of, refused
from playhead.store.session import Written
from playhead.store.statement import CONTENT_TYPES, Lane, insert_parts

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

RESTART_EVERY_S: Final = 30.0
"""A store that found a broken part restarts, but no sooner than this after its last start."""
KILL_AGAIN_S: Final = 0.1
"""A kill can come before the statement has started in the engine, so it is repeated."""
SLOW_CLIENT_S: Final = 0.5
"""How long a stopped statement waits for its client to take the bytes under way."""
LARGE_BODY_BYTES: Final = 1 << 20
_STATUS: Final = {
    62: 400, 6: 400, 27: 400, 26: 400, 36: 400, 41: 400, 42: 400, 43: 400, 46: 400, 47: 400,
    53: 400, 70: 400, 72: 400, 73: 400, 115: 400, 117: 400, 130: 400, 386: 400, 456: 400, 457: 400,
    60: 404, 81: 404, 159: 408, 164: 403, 497: 403, 516: 403, 48: 501, 202: 503, 236: 503,
}  # fmt: skip
_LOG = logger("store")


class StoreApp:
    """Serves statements; `stop` ends those that run and refuses new ones."""

    def __init__(self, engine: Engine, config: Config) -> None:
        store = config.store
        self._engine = engine
        self._config = config
        self._jobs: set[Job] = set()
        self._stopping = False
        self._began_s = time.monotonic()
        lanes = {
            Lane.READ: (store.max_concurrent_queries, store.max_waiting_queries),
            Lane.INSERT: (store.max_concurrent_inserts, store.max_waiting_inserts),
            Lane.COMMAND: (1, store.max_waiting_inserts),
        }
        self._gates = {
            lane: Gate(lane.value, slots=slots, waiting_max=waiting, wait_ms=store.max_wait_ms)
            for lane, (slots, waiting) in lanes.items()
        }
        self._pools = {
            lane: ThreadPoolExecutor(slots, thread_name_prefix=f"store-{lane.value}")
            for lane, (slots, _) in lanes.items()
        }
        self._control = ThreadPoolExecutor(1, thread_name_prefix="store-control")
        self._bodies = Gate(
            "large",
            slots=store.max_concurrent_inserts,
            waiting_max=store.max_waiting_inserts,
            wait_ms=store.max_wait_ms,
        )

    def _restart_if_broken(self, fault: QueryFailed) -> None:
        """End this process when a part of a table cannot be read: only a start sets it aside.

        A disk that was full to the last byte can leave a merged part of empty files behind. At its
        start the engine detaches it and takes up the parts it was made from, while they are there.
        """
        up_s = time.monotonic() - self._began_s
        if fault.engine_code in BROKEN_PART and up_s > RESTART_EVERY_S and not self._stopping:
            _LOG.error("part_broken", reason=fault.message, kept="its sources", does="restart")
            os.kill(os.getpid(), signal.SIGTERM)

    def _restart_for(self, job: Job) -> None:
        """End this process when a query withstands its kill: it would hold a processor for ever.

        A few functions of the engine look whether they were killed only at their end. The worker
        repeats what it was inserting by its token.
        """
        if not self._stopping:
            _LOG.error("query_stuck", query_id=job.session.query_id, why=job.reason, does="restart")
            os.kill(os.getpid(), signal.SIGTERM)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"] in {"/ping", "/replicas_status"}:
            await _answer(send, 200, b"Ok.\n")
        elif scope["path"] != "/" or scope["method"] not in {"GET", "POST", "HEAD"}:
            await _answer(send, 404, b"There is no handler for this path; use GET or POST /.\n")
        elif self._stopping:
            await _refuse(send, _stopping())
        else:
            await self._serve(scope, receive, send)

    def stop(self, *, lanes: frozenset[Lane] = frozenset(Lane)) -> int:
        """Refuse new statements and end those of these lanes; return how many still run."""
        self._stopping = True
        for job in tuple(self._jobs):
            if job.lane in lanes:
                job.stop("stopping")
        return len(self._jobs)

    async def _serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            arguments = Arguments(scope["query_string"], headers)
            if int(headers.get("content-length") or LARGE_BODY_BYTES) < LARGE_BODY_BYTES or (
                scope["method"] == "GET"
            ):
                await self._admit(scope["method"], arguments, headers, (receive, send))
            else:
                async with self._bodies.enter():
                    await self._admit(scope["method"], arguments, headers, (receive, send))
        except QueryFailed as fault:
            await _refuse(send, fault)
        except BodyTooLarge as fault:
            await _answer(send, fault.status, f"{fault.message}\n".encode())
        except StoreBusy as busy:
            await _refuse(send, _busy(busy))

    async def _admit(
        self,
        method: str,
        arguments: Arguments,
        headers: dict[str, str],
        ends: tuple[Receive, Send],
    ) -> None:
        body = await _body(ends[0], headers, self._config.store.max_insert_bytes)
        if body is None:
            return
        job = job_of(arguments, body, self._config, writable=method == "POST")
        if method == "HEAD":
            await _answer(ends[1], 200, b"")
            return
        await self._attend(job, *ends)

    async def _attend(self, job: Job, receive: Receive, send: Send) -> None:
        """Run the job; end it when its client leaves, its time is up or the store stops."""
        self._jobs.add(job)
        job.work = asyncio.create_task(self._work(job, send))
        gone = asyncio.create_task(_leave(job, receive))
        killer = asyncio.create_task(self._end_when_stopped(job))
        try:
            await asyncio.wait({job.work})
        finally:
            job.done.set()
            gone.cancel()
            killer.cancel()
            self._jobs.discard(job)
        if not job.work.cancelled():
            job.work.result()

    async def _end_when_stopped(self, job: Job) -> None:
        await job.stopped.wait()
        loop = asyncio.get_running_loop()
        patience = loop.time() + SLOW_CLIENT_S
        given_up = loop.time() + self._config.store.stuck_ms / 1000
        while not job.done.is_set():
            try:
                await loop.run_in_executor(self._control, self._engine.kill, job.session.query_id)
            except QueryFailed as fault:
                _LOG.warning(
                    "query_kill_failed", query_id=job.session.query_id, error=fault.message
                )
            if job.sending and loop.time() > patience and job.work is not None:
                job.work.cancel()
            if job.lane is Lane.READ and loop.time() > given_up:
                self._restart_for(job)
                return
            try:
                await asyncio.wait_for(job.done.wait(), KILL_AGAIN_S)
            except TimeoutError:
                continue

    async def _work(self, job: Job, send: Send) -> None:
        try:
            async with self._gates[job.lane].enter():
                if job.reason:
                    raise refused(CANCELLED, "Query was cancelled", "QUERY_WAS_CANCELLED")
                timer = asyncio.get_running_loop().call_later(
                    job.timeout_ms / 1000, job.stop, "timeout"
                )
                try:
                    if job.lane is Lane.READ:
                        await self._read(job, send)
                    else:
                        await self._write(job, send)
                finally:
                    timer.cancel()
        except QueryFailed as fault:
            if job.lane is Lane.READ:
                self._restart_if_broken(fault)
            await _fail(job, _told(job, fault), send)
        except StoreBusy as busy:
            await _refuse(send, _busy(busy), job)

    async def _read(self, job: Job, send: Send) -> None:
        cursor: Cursor = await self._call(
            job.lane, self._engine.read, job.session, job.sql, job.format, job.params, job.external
        )
        headers = _headers(job, {"read_rows": cursor.rows_read, "read_bytes": cursor.bytes_read})
        if cursor.whole:
            headers.append((b"content-length", str(len(cursor.first)).encode()))
            job.answering = job.sending = True
            await send(_start(200, headers))
            await send({"type": "http.response.body", "body": cursor.first})
            return
        try:
            await send(_start(200, headers))
            job.answering = True
            await self._pump(job, cursor, send)
        finally:
            await self._call(job.lane, cursor.close)

    async def _pump(self, job: Job, cursor: Cursor, send: Send) -> None:
        """Send the blocks of a stream, each when the client has taken the one before."""
        chunk: bytes | None = cursor.first
        while chunk is not None:
            job.sending = True
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            job.sending = False
            if job.reason:
                raise refused(CANCELLED, "Query was cancelled", "QUERY_WAS_CANCELLED")
            chunk = await self._call(job.lane, cursor.fetch)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, job: Job, send: Send) -> None:
        sql, input_format = insert_parts(job.sql)
        if job.lane is Lane.INSERT and input_format:
            written = await self._call(
                job.lane, self._engine.insert, job.session, sql, input_format, job.data
            )
        else:
            statement = job.sql
            if job.data:
                statement += "\n" + job.data.decode("utf-8", "replace")
            written = await self._call(job.lane, self._engine.run, job.session, statement)
        await _finish(send, job, written)

    async def _call(self, lane: Lane, function: Callable[..., T], *args: Any) -> T:
        """Run in the lane's own threads, so that queries cannot starve the loader."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._pools[lane], function, *args))


async def _leave(job: Job, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    job.stop("gone")


async def _body(receive: Receive, headers: dict[str, str], max_bytes: int) -> bytes | None:
    """Return the body decompressed, or None when the client left before its end."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > max_bytes:
            raise BodyTooLarge
        more = message.get("more_body", False)
    return _decoded(b"".join(chunks), headers.get("content-encoding", ""), max_bytes)


def _decoded(body: bytes, encoding: str, max_bytes: int) -> bytes:
    try:
        if encoding == "gzip":
            inflater = zlib.decompressobj(31)
            plain = inflater.decompress(body, max_bytes + 1)
        elif encoding == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(body) as reader:
                plain = reader.read(max_bytes + 1)
        elif encoding in {"", "identity"}:
            plain = body
        else:
            raise refused(48, f"Content-Encoding {encoding!r} is not supported", "NOT_IMPLEMENTED")
    except (zlib.error, zstandard.ZstdError) as error:
        raise refused(
            354, f"The body cannot be decompressed: {error}", "ZLIB_INFLATE_FAILED"
        ) from error
    if len(plain) > max_bytes:
        raise BodyTooLarge
    return plain


def _told(job: Job, fault: QueryFailed) -> QueryFailed:
    """Return the fault the client should see: a kill is told by its reason."""
    if job.reason == "timeout":
        sentence = f"Timeout exceeded: maximum: {job.timeout_ms} ms"
        return refused(TIMEOUT_EXCEEDED, sentence, "TIMEOUT_EXCEEDED")
    return _stopping() if job.reason == "stopping" else fault


def _busy(busy: StoreBusy) -> QueryFailed:
    return refused(TOO_MANY_QUERIES, busy.message, "TOO_MANY_SIMULTANEOUS_QUERIES")


def _stopping() -> QueryFailed:
    return refused(ABORTED, "The store is stopping", "ABORTED")


async def _fail(job: Job, fault: QueryFailed, send: Send) -> None:
    if not job.answering:
        await _refuse(send, fault, job)
    elif job.reason != "gone":
        # As ClickHouse does: the reason as the last block, then the connection is cut, because
        # the application returns without ending the body.
        tag = job.session.query_id[:16]
        text = fault.message.encode()
        block = b"\r\n__exception__\r\n%b\r\n%b\r\n%d %b\r\n__exception__\r\n" % (
            tag.encode(), text, len(text), tag.encode(),
        )  # fmt: skip
        await send({"type": "http.response.body", "body": block, "more_body": True})


async def _finish(send: Send, job: Job, written: Written) -> None:
    summary = {"written_rows": written.row_count, "written_bytes": written.byte_count}
    await send(_start(200, _headers(job, summary)))
    await send({"type": "http.response.body", "body": written.text})


async def _refuse(send: Send, fault: QueryFailed, job: Job | None = None) -> None:
    headers = [(b"x-clickhouse-exception-code", str(fault.engine_code).encode())]
    if job is not None:
        headers.append((b"x-clickhouse-query-id", job.session.query_id.encode()))
    status = _STATUS.get(fault.engine_code, 500)
    if status == StoreBusy.status:
        headers.append((b"retry-after", b"1"))
    await _answer(send, status, f"{fault.message}\n".encode(), headers)


async def _answer(
    send: Send, status: int, text: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    plain = (b"content-type", b"text/plain; charset=UTF-8")
    length = (b"content-length", str(len(text)).encode())
    await send(_start(status, [plain, length, *(headers or [])]))
    await send({"type": "http.response.body", "body": text})


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _headers(job: Job, summary: dict[str, int]) -> list[tuple[bytes, bytes]]:
    content_type = CONTENT_TYPES.get(job.format, "text/plain; charset=UTF-8")
    values = {
        "content-type": content_type,
        "x-clickhouse-query-id": job.session.query_id,
        "x-clickhouse-format": job.format,
        "x-clickhouse-timezone": "UTC",
        "x-clickhouse-server-display-name": "playhead",
        "x-clickhouse-exception-tag": job.session.query_id[:16],
        "x-clickhouse-summary": json.dumps({name: str(value) for name, value in summary.items()}),
    }
    return [(name.encode(), value.encode()) for name, value in values.items()]
