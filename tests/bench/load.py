"""The load generator: telemetry batches over keep-alive connections, in a process of its own.

    python tests/bench/load.py --url http://127.0.0.1:8700 --rate 1500 --seconds 30 --out load.json

With `--rate` (requests a second) the loop is open: a request's latency counts from the moment it
was due, so a server that stalls cannot hide it. Without, each connection sends as soon as it has
an answer. A batch that was not acknowledged is sent again, unchanged, until it is; `ledger` in the
result says how many events of each view are acknowledged (`seq` 0 to n - 1) and `uncertain` which
range was still without an answer at the end, so that a store can be compared event by event.
"""

import argparse
import asyncio
import contextlib
import re
import resource
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.bodies import LoadView
from playhead.clock import SystemClock

RETRY_S = 0.05
RETRY_MAX_S = 1.0
DRAIN_S = 10.0
_HEAD_END = b"\r\n\r\n"
_RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)", re.IGNORECASE)
DUE_MAX = 100_000
"""Requests that are due and find no connection free; the oldest are given up, as viewers do."""


class Options(argparse.Namespace):
    """The command line."""

    url: str
    rate: float
    seconds: float
    connections: int
    events: int
    views: int
    batches_per_view: int
    seed: int
    key: str
    out: str
    addresses: int
    patience_s: float


class Load:
    """The run: its views, its schedule and what has been counted."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = SystemClock()
        self.ready: deque[LoadView] = deque()
        self.done: list[LoadView] = []
        self.latencies_ms: list[float] = []
        self.requests = self.retries = self.events = self.rejected = self.sent_bytes = 0
        self.refusals: dict[str, int] = {}
        self.first_refusal = ""
        self.dishonest = 0
        self.first_dishonest = ""
        self.late = 0
        self._number = 0
        self.due: deque[float] = deque()
        self.idle: deque[Connection] = deque()
        self.stopping = False
        for _ in range(options.views):
            self.ready.append(self._new_view())

    def _new_view(self) -> LoadView:
        self._number += 1
        options = self.options
        first_batches = options.batches_per_view
        if self._number <= options.views:  # so that views do not all end at the same moment
            first_batches = 2 + self._number * 7919 % max(1, first_batches - 1)
        return LoadView(self._number, options.seed, options.events, batches=first_batches,
                        now_ms=self.clock.now_ms())  # fmt: skip

    def acknowledged(self, view: LoadView, took_ms: float) -> None:
        """Count an acknowledged batch and give its view back."""
        view.acknowledged()
        self.requests += 1
        self.events += self.options.events
        self.latencies_ms.append(took_ms)
        if view.over:
            self.done.append(view)
            view = self._new_view()
        self.ready.append(view)

    def refused(self, reason: str, detail: str) -> None:
        """Count an answer other than an acknowledgement; the batch is sent again."""
        self.retries += 1
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        self.first_refusal = self.first_refusal or detail

    def judge(self, status: str, head: bytes) -> None:
        """Count an answer that neither stores nor says when to come again."""
        if status in {"429", "503"} and b"\r\nretry-after: " in head.lower():
            return
        self.dishonest += 1
        self.first_dishonest = self.first_dishonest or head.decode("latin-1")[:300]

    def pump(self) -> None:
        """Hand every due request to an idle connection."""
        while self.due and self.idle and self.ready:
            self.idle.popleft().send(self.due.popleft())


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time, answers read by hand."""

    def __init__(self, load: Load, number: int = 0) -> None:
        self.load = load
        self.view: LoadView | None = None
        self.lost = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._request = b""
        self._due_s = 0.0
        self._answer = b""
        self._backoff_s = RETRY_S
        parts = urlsplit(load.options.url)
        key = f"authorization: Bearer {load.options.key}\r\n" if load.options.key else ""
        at = divmod(number % load.options.addresses, 250) if load.options.addresses else None
        address = f"x-forwarded-for: 198.18.{at[0]}.{at[1] + 1}\r\n" if at else ""
        self._head = f"POST /telemetry HTTP/1.1\r\nhost: {parts.netloc}\r\n{key}{address}".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._answer = b""
        self.lost.clear()
        if self.view is None:
            self._next()
        else:
            self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self.view is not None:
            self.load.refused("connection lost", str(exc))
        with contextlib.suppress(ValueError):
            self.load.idle.remove(self)
        self.lost.set()

    def _next(self) -> None:
        if self.load.stopping:
            return
        if self.load.options.rate:
            self.load.idle.append(self)
            self.load.pump()
        elif self.load.ready:
            self.send(time.perf_counter())

    def send(self, due_s: float) -> None:
        """Send the next batch of the view that has waited longest."""
        view = self.view = self.load.ready.popleft()
        body = view.body(self.load.clock.now_ms())
        self._due_s = due_s
        self._request = b"%b%bcontent-length: %d\r\n\r\n%b" % (
            self._head, view.headers, len(body), body,
        )  # fmt: skip
        self.load.sent_bytes += len(body)
        assert self._transport is not None
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        answer = self._answer + data if self._answer else data
        end = answer.find(_HEAD_END)
        at = answer.lower().find(b"content-length:", 0, end) if end >= 0 else -1
        if at < 0:
            self._answer = answer
            return
        length = int(answer[at + 15 : answer.index(b"\r", at)])
        if len(answer) < end + 4 + length:
            self._answer = answer
            return
        self._answer = b""
        self._answered(answer[9:12], answer[end + 4 : end + 4 + length], answer[:end])

    def _answered(self, status: bytes, body: bytes, head: bytes) -> None:
        view = self.view
        assert view is not None
        if status == b"200":
            if b'"rejected":[]' not in body:
                told: dict[str, Any] = msgspec.json.decode(body)
                self.load.rejected += len(told.get("rejected", ()))
                self.load.first_refusal = self.load.first_refusal or body.decode()[:300]
            self.view = None
            self._backoff_s = RETRY_S
            self.load.acknowledged(view, (time.perf_counter() - self._due_s) * 1_000)
            self._next()
            return
        self.load.refused(status.decode(), body.decode("utf-8", "replace")[:300])
        self.load.judge(status.decode(), head)
        asked = _RETRY_AFTER.search(head)
        wait_s = min(float(asked[1]), self.load.options.patience_s) if asked else 0.0
        asyncio.get_running_loop().call_later(max(self._backoff_s, wait_s), self._again)
        self._backoff_s = min(RETRY_MAX_S, self._backoff_s * 2)

    def _again(self) -> None:
        if self._transport is not None:
            self._transport.write(self._request)


async def _keep(connection: Connection, host: str, port: int) -> None:
    """Keep a connection open, however often the server goes away."""
    loop = asyncio.get_running_loop()
    wait_s = RETRY_S
    while not (connection.load.stopping and connection.view is None):
        try:
            await loop.create_connection(lambda: connection, host, port)
        except OSError as error:
            connection.load.refused("no connection", str(error))
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MAX_S, wait_s * 2)
            continue
        wait_s = RETRY_S
        await connection.lost.wait()


async def _schedule(load: Load, until_s: float) -> None:
    """Make requests due at the rate asked for."""
    step_s = 1 / load.options.rate
    next_s = time.perf_counter()
    while (now_s := time.perf_counter()) < until_s:
        while next_s <= now_s:
            if len(load.due) >= DUE_MAX:
                load.due.popleft()
                load.late += 1
            load.due.append(next_s)
            next_s += step_s
        load.pump()
        await asyncio.sleep(max(0.001, next_s - time.perf_counter()))
    load.late += len(load.due)
    load.due.clear()


async def run(options: Options) -> dict[str, Any]:
    """Send for the time asked and return the result."""
    load = Load(options)
    parts = urlsplit(options.url)
    connections = [Connection(load, number) for number in range(options.connections)]
    began_s, cpu_s = time.perf_counter(), time.process_time()
    keepers = [
        asyncio.create_task(_keep(c, parts.hostname or "127.0.0.1", parts.port or 80))
        for c in connections
    ]
    if options.rate:
        await _schedule(load, began_s + options.seconds)
    else:
        await asyncio.sleep(options.seconds)
    load.stopping = True
    took_s = time.perf_counter() - began_s
    acked_in_time = load.requests
    drained_by_s = time.perf_counter() + DRAIN_S
    while any(c.view for c in connections) and time.perf_counter() < drained_by_s:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    cpu_s = time.process_time() - cpu_s
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)
    return _result(load, connections, took_s=took_s, acked_in_time=acked_in_time, cpu_s=cpu_s)


def _result(
    load: Load, connections: list[Connection], *, took_s: float, acked_in_time: int, cpu_s: float
) -> dict[str, Any]:
    ordered = sorted(load.latencies_ms)
    views = [*load.done, *load.ready, *(c.view for c in connections if c.view)]
    events = load.options.events
    return {
        "seconds": took_s,
        "requests": load.requests,
        "requests_per_s": acked_in_time / took_s,
        "events": load.events,
        "events_per_s": acked_in_time * events / took_s,
        "events_per_request": events,
        "mean_body_bytes": load.sent_bytes / max(1, load.requests),
        "latency_ms": {
            name: _quantile(ordered, share)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))
        },
        "latency_max_ms": ordered[-1] if ordered else None,
        "retries": load.retries,
        "retried_because": load.refusals,
        "first_refusal": load.first_refusal,
        "dishonest": load.dishonest,
        "first_dishonest": load.first_dishonest,
        "rejected_events": load.rejected,
        "not_sent_in_time": load.late,
        "cpu_us_per_request": cpu_s / max(1, load.requests) * 1e6,
        "peak_rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "views": sum(view.acked > 0 for view in views),
        "ledger": {view.view_id: view.acked for view in views if view.acked},
        "uncertain": {
            c.view.view_id: [c.view.acked, c.view.acked + events] for c in connections if c.view
        },
    }


def _quantile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def parse(arguments: list[str]) -> Options:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8700")
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0 = closed loop")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--events", type=int, default=20, help="events a request")
    parser.add_argument("--views", type=int, default=1_000, help="views at a time")
    parser.add_argument("--batches-per-view", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--key", default="", help="write key, where the server asks for one")
    parser.add_argument("--addresses", type=int, default=0, help="senders behind a proxy; 0 = one")
    parser.add_argument(
        "--patience-s", type=float, default=0, help="heed Retry-After up to so long"
    )
    parser.add_argument("--out", default="", help="write the whole result here as JSON")
    options = parser.parse_args(arguments, namespace=Options())
    if options.views < options.connections:
        parser.error("--views must not be fewer than --connections: a view sends in order")
    if options.events < 3:
        parser.error("--events must be at least 3")
    return options


def main() -> None:
    """Run from the command line."""
    options = parse(sys.argv[1:])
    try:
        import uvloop  # noqa: PLC0415 (not on every machine)

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    except ImportError:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(run(options))
    text = msgspec.json.format(msgspec.json.encode(result), indent=1)
    if options.out:
        Path(options.out).write_bytes(text)
    brief = {k: v for k, v in result.items() if k not in {"ledger", "uncertain"}}
    print(msgspec.json.format(msgspec.json.encode(brief), indent=1).decode())


if __name__ == "__main__":
    main()
