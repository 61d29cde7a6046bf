"""The ClickHouse HTTP protocol over the embedded engine, as a raw ASGI application."""

import asyncio
import os
import signal
import time
import zlib
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import zstandard

from playhead.config import Config
from playhead.errors import BodyTooLarge, QueryFailed, StoreBusy
from playhead.observe import logger
from playhead.store.engine import Cursor, Engine
from playhead.store.fault import BROKEN_PART, CANCELLED, names_a_file
from playhead.store.gate import Gate
from playhead.store.job import Arguments, Job, arguments_of, job_of, refused
from playhead.store.response import (
    Receive,
    Send,
    answer,
    busy_fault,
    fail,
    finish,
    headers_of,
    refuse,
    start,
    stopping,
    told,
)
from playhead.store.statement import Lane, insert_parts

T = TypeVar("T")

RESTART_EVERY_S: Final = 30.0
"""A store that found a broken part restarts, but no sooner than this after its last start."""
KILL_AGAIN_S: Final = 0.1
"""A kill can come before the statement has started in the engine, so it is repeated."""
LOOK_OUT_S: Final = 0.02
"""After this long a statement's client is watched for leaving."""
SLOW_CLIENT_S: Final = 0.5
"""How long a stopped statement waits for its client to take the bytes under way."""
COMMANDS_AT_ONCE: Final = 3
"""A copy's query is a command and may take minutes; a build does not wait for it."""
LARGE_BODY_BYTES: Final = 1 << 20
_LOG = logger("store")


class StoreApp:
    """Serves statements; `stop` ends those that run and refuses new ones."""

    def __init__(self, engine: Engine, config: Config) -> None:
        store = config.store
        self._engine = engine
        self._config = config
        self._jobs: set[Job] = set()
        self._stopping = self._restarting = False
        self._began_s = time.monotonic()
        lanes = {
            Lane.READ: (store.max_concurrent_queries, store.max_waiting_queries),
            Lane.INSERT: (store.max_concurrent_inserts, store.max_waiting_inserts),
            Lane.COMMAND: (COMMANDS_AT_ONCE, store.max_waiting_inserts),
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

    def _judged(self, job: Job, fault: QueryFailed) -> QueryFailed:
        """Return what to say of a failure; a part that cannot be read makes this process start anew.

        A disk that was full to the last byte can leave a merged part of empty files behind. At its
        start the engine detaches it and takes up the parts it was made from, while they are there. So
        whoever asked is told to come again, not what is in the files of this machine.
        """
        if job.lane is not Lane.READ or fault.engine_code not in BROKEN_PART:
            return fault
        if not self._restarting:
            self._restarting = True
            _LOG.error("part_broken", reason=fault.message, kept="its sources", does="restart")
            up_s = time.monotonic() - self._began_s
            wait_s = max(0.0, RESTART_EVERY_S - up_s)
            asyncio.get_running_loop().call_later(wait_s, self._restart)
        return stopping() if names_a_file(fault) else fault

    def _restart(self) -> None:
        if not self._stopping:
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
            await answer(send, 200, b"Ok.\n")
        elif scope["path"] != "/" or scope["method"] not in {"GET", "POST", "HEAD"}:
            await answer(send, 404, b"There is no handler for this path; use GET or POST /.\n")
        elif self._stopping:
            await refuse(send, stopping())
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
            arguments = arguments_of(scope["query_string"], headers)
            if int(headers.get("content-length") or LARGE_BODY_BYTES) < LARGE_BODY_BYTES or (
                scope["method"] == "GET"
            ):
                await self._admit(scope["method"], arguments, headers, (receive, send))
            else:
                async with self._bodies.enter():
                    await self._admit(scope["method"], arguments, headers, (receive, send))
        except QueryFailed as fault:
            await refuse(send, fault)
        except BodyTooLarge as fault:
            await answer(send, fault.status, f"{fault.message}\n".encode())
        except StoreBusy as busy:
            await refuse(send, busy_fault(busy))

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
            await answer(ends[1], 200, b"")
            return
        await self._attend(job, *ends)

    async def _attend(self, job: Job, receive: Receive, send: Send) -> None:
        """Run the job; end it when its client leaves, its time is up or the store stops.

        Most are over before anybody looks: the look-out for a client who leaves begins after a
        moment, and what ends a job begins when it is to be ended.
        """
        self._jobs.add(job)
        loop = asyncio.get_running_loop()
        beside: list[asyncio.Task[None]] = []

        def watch() -> None:
            beside.append(loop.create_task(_leave(job, receive)))

        def end() -> None:
            beside.append(loop.create_task(self._end_stopped(job)))

        job.work = asyncio.current_task()
        job.on_stop = end
        timer = loop.call_later(LOOK_OUT_S, watch)
        try:
            await self._work(job, send)
        except asyncio.CancelledError:
            if not job.given_up:
                raise
        finally:
            job.done.set()
            timer.cancel()
            for task in beside:
                task.cancel()
            # Else the job holds itself, and what came with it: an insert of many megabytes would
            # stay until the next look for such cycles.
            job.on_stop = job.work = None
            self._jobs.discard(job)

    async def _end_stopped(self, job: Job) -> None:
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
                job.given_up = True
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
            # Not by a name of its own: it would hold this frame, and so itself.
            await fail(job, told(job, self._judged(job, fault)), send)
        except StoreBusy as busy:
            await refuse(send, busy_fault(busy), job)

    async def _read(self, job: Job, send: Send) -> None:
        cursor: Cursor = await self._call(
            job.lane, self._engine.read, job.session, job.sql, job.format, job.params, job.external
        )
        headers = headers_of(job, {"read_rows": cursor.rows_read, "read_bytes": cursor.bytes_read})
        if cursor.whole:
            headers.append((b"content-length", str(len(cursor.first)).encode()))
            job.answering = job.sending = True
            await send(start(200, headers))
            await send({"type": "http.response.body", "body": cursor.first})
            return
        try:
            await send(start(200, headers))
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
        if job.external is not None:
            written = await self._call(
                job.lane, self._engine.run, job.session, job.sql, job.external
            )
        elif job.lane is Lane.INSERT and input_format:
            written = await self._call(
                job.lane, self._engine.insert, job.session, sql, input_format, job.data
            )
        else:
            statement = job.sql
            if job.data:
                statement += "\n" + job.data.decode("utf-8", "replace")
            written = await self._call(
                job.lane, self._engine.run, job.session, statement, None, job.params
            )
        await finish(send, job, written)

    async def _call(self, lane: Lane, function: Callable[..., T], *args: Any) -> T:
        """Run in the lane's own threads, so that queries cannot starve the loader.

        It runs to its end even if nobody waits for it any more.
        """
        loop = asyncio.get_running_loop()
        # No name holds what runs: it holds its error, which holds this frame and what came with it.
        return await asyncio.shield(_seen(loop.run_in_executor(self._pools[lane], function, *args)))


def _seen(running: "asyncio.Future[T]") -> "asyncio.Future[T]":
    """Take note of how it ends, so that it is not reported when who asked has left."""
    running.add_done_callback(lambda done: done.cancelled() or done.exception())
    return running


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
