"""Load of the other doors: CMCD records, CDN log lines, rows of a project, from a process of its own.

    python tests/bench/posts.py --door cmcd --seconds 10 --out load.json

A closed loop: each connection sends a body, waits for the answer, sends the next. Every record and
line is different (ids, numbers, times), and the result says exactly what was acknowledged.
"""

import argparse
import asyncio
import contextlib
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from playhead.clock import SystemClock

RETRY_S = 0.05
DRAIN_S = 10.0
_HEAD_END = b"\r\n\r\n"


class Options(argparse.Namespace):
    """The command line."""

    url: str
    door: str
    seconds: float
    connections: int
    batch: int
    token: str
    out: str


class Source(Protocol):
    """Makes bodies for one connection."""

    path: str
    kind: str
    acked: int

    def body(self, now_ms: int) -> bytes:
        """Return the next body; repeated until it is acknowledged."""
        ...

    def acknowledged(self) -> None:
        """Count the last body."""
        ...

    def ledger(self) -> dict[str, int]:
        """Return what was acknowledged, by view or host."""
        ...


class Records:
    """CMCD event mode: the views of one connection in turn, a record each, `batch` a request."""

    path = "/cmcd"
    kind = "application/cmcd"

    def __init__(self, number: int, batch: int) -> None:
        self.acked = 0
        self._batch = batch
        self._sids = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{n}")) for n in range(batch)]
        self._sn = 0

    def body(self, now_ms: int) -> bytes:
        """Return one record of each view: starting, playing, then what players report in time."""
        sn = self._sn
        said = ("e=ps,{},sta=s", "e=ps,msd=812,{},sta=p")[sn] if sn < 2 else _SAID[sn % len(_SAID)]
        text = said.format(
            f'ltc=5210,mtp=(25400;v),pt={sn * 1000},sf=h,sid="%s",sn={sn},st=v,ts={now_ms},v=2'
        )
        start = 'bl=(21300;v 20000;a),br=(3200;v 128;a),cid="title-1",'
        return "\n".join(start + text % sid for sid in self._sids).encode()

    def acknowledged(self) -> None:
        """Count the last body."""
        self._sn += 1
        self.acked += self._batch

    def ledger(self) -> dict[str, int]:
        """Return the records acknowledged by view."""
        return dict.fromkeys(self._sids, self._sn)


_SAID = (
    "e=t,{},sta=p", "e=t,{},sta=p", "e=bc,{},sta=p", "e=t,pr=1,{},sta=p",
    'e=rr,rc=200,ttfb=35,ttlb=180,url="https://cdn-a.example.net/v/1/seg-1.m4s",{},sta=p',
)  # fmt: skip


class Lines:
    """Edgecast access log lines as NDJSON, `batch` a request."""

    path = "/logs/cdn?format=edgecast"
    kind = "application/x-ndjson"

    def __init__(self, number: int, batch: int) -> None:
        self.acked = 0
        self._number = number
        self._batch = batch
        self._sent = 0

    def body(self, now_ms: int) -> bytes:
        """Return the next lines: forty viewers, eight places, some errors and misses."""
        first, number = self._sent * self._batch, self._number
        return "\n".join(
            _LINE % {
                "agent": _AGENTS[n % len(_AGENTS)], "segment": n, "at": now_ms / 1000,
                "client": n % 40, "number": number, "status": 404 if n % 97 == 0 else 200,
                "cache": "TCP_MISS" if n % 11 == 0 else "TCP_HIT", "bytes": 1_000_000 + n,
                "write": (n % 300) / 1000, "pop": _POPS[n % len(_POPS)],
            }
            for n in range(first, first + self._batch)
        ).encode()  # fmt: skip

    def acknowledged(self) -> None:
        """Count the last body."""
        self._sent += 1
        self.acked += self._batch

    def ledger(self) -> dict[str, int]:
        """Return the lines acknowledged by host."""
        return {f"host-{self._number}.example.net": self.acked}


_POPS = ("dce", "lax", "fra", "ams", "sin", "nrt", "gru", "syd")
_AGENTS = (
    "AppleCoreMedia/1.0.0.18G82 (iPhone; U; CPU OS 14_7_1 like Mac OS X; en_us)",
    "AppleCoreMedia/1.0.0.18M60 (Apple TV; U; CPU OS 14_7 like Mac OS X; en_us)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
    "Roku/DVP-9.10 (519.10E04111A)",
)
_LINE = (
    '{"user_agent":"%(agent)s","path":"/auso/slices/56d/ba63d50dca2149d9a23b30587c75465d/'
    '56dce28cdd2940a1bd268be0b5c265bc/FP_F%(segment)08X.ts","timestamp":%(at).6f,'
    '"client_ip":"203.0.113.%(client)d","client_port":39670,"status_code":%(status)d,'
    '"status":"OK","cache_status":"%(cache)s","bytes_out":%(bytes)d,"write_time":%(write).6f,'
    '"file_size":1396276,"server_ip":"198.51.100.5","server_port":443,"method":"GET",'
    '"host":"host-%(number)d.example.net","query":"pbs=8950000a&cloud=aws&si=%(client)d",'
    '"read_time":0.0,"bytes_in":2002,"referer":"","client_asn":209,'
    '"client_as_org":"Example Networks","client_country_code":"US","client_city":"Greenville",'
    '"client_region":"NC","pop":"%(pop)s","platform":"wpc","scheme":"https",'
    '"client_protocol":"HTTP_2_0"}'
)


class Rows:
    """Rows of `ROW_COLUMNS` as NDJSON, `batch` a request, each with a number of its own."""

    path = "/v0/events?name=plays"
    kind = "application/x-ndjson"

    def __init__(self, number: int, batch: int) -> None:
        self.acked = 0
        self._sender = f"sender-{number}"
        self._batch = batch

    def body(self, now_ms: int) -> bytes:
        """Return the next rows: a hundred viewers, twenty titles, four devices, some without ratings."""
        at = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        sender, first = self._sender, self.acked
        return "\n".join([
            _ROW % (
                at, sender, n, n % 100, n * 2654435761 % 1_000_003, n % 20, n % 20, n % 14_400,
                n % 3_600 / 10, 800 + n % 5 * 900, n % 7, _DEVICES[n % 4], _COUNTRIES[n % 5],
                "true" if n % 3 else "false", "null" if n % 9 else n % 5 + 0.5,
            )
            for n in range(first, first + self._batch)
        ]).encode()  # fmt: skip

    def acknowledged(self) -> None:
        """Count the last body."""
        self.acked += self._batch

    def ledger(self) -> dict[str, int]:
        """Return the rows acknowledged by sender."""
        return {self._sender: self.acked}


ROW_COLUMNS = (
    ("at", "DateTime64(3)"), ("sender", "LowCardinality(String)"), ("number", "UInt64"),
    ("viewer_id", "String"), ("session_id", "String"), ("video_id", "LowCardinality(String)"),
    ("title", "String"), ("position_s", "UInt32"), ("watched_s", "Float64"),
    ("bitrate_kbps", "UInt32"), ("stalls", "UInt16"), ("device", "LowCardinality(String)"),
    ("country", "LowCardinality(String)"), ("autoplay", "Bool"), ("rating", "Nullable(Float32)"),
)  # fmt: skip
_ROW = (
    '{"at":"%s","sender":"%s","number":%d,"viewer_id":"viewer-%d","session_id":"session-%d",'
    '"video_id":"video-%d","title":"A title of some length, number %d","position_s":%d,'
    '"watched_s":%s,"bitrate_kbps":%d,"stalls":%d,"device":"%s","country":"%s","autoplay":%s,'
    '"rating":%s}'
)
_DEVICES = ("tv", "phone", "desktop", "tablet")
_COUNTRIES = ("DE", "US", "BR", "JP", "IN")
SOURCES: dict[str, Callable[[int, int], Source]] = {"cmcd": Records, "cdn": Lines, "rows": Rows}


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time."""

    def __init__(
        self, url: str, source: Source, latencies_ms: list[float], *, token: str = ""
    ) -> None:
        self.source = source
        self.stopping = self.busy = False
        self.lost = asyncio.Event()
        self.refused: dict[str, int] = {}
        self.first_refusal = ""
        self._latencies_ms = latencies_ms
        self._clock = SystemClock()
        self._transport: asyncio.Transport | None = None
        self._request = self._answer = b""
        self._began_s = 0.0
        self._head = (
            f"POST {source.path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\n"
            f"content-type: {source.kind}\r\n"
            + (f"authorization: Bearer {token}\r\n" if token else "")
            + "content-length: "
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._answer = b""
        self.lost.clear()
        if self.busy:
            self._transport.write(self._request)
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's name)
        self._transport = None
        self.lost.set()

    def _next(self) -> None:
        self.busy = not self.stopping
        if self.stopping or self._transport is None:
            return
        body = self.source.body(self._clock.now_ms())
        self._request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        self._began_s = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        answer = self._answer + data if self._answer else data
        end = answer.find(_HEAD_END)
        self._answer = answer
        if end < 0:
            return
        at = answer.lower().find(b"content-length:", 0, end)
        length = int(answer[at + 15 : answer.index(b"\r", at)]) if at >= 0 else 0
        if len(answer) < end + 4 + length:
            return
        self._answer = b""
        if answer[9:10] == b"2":
            self._latencies_ms.append((time.perf_counter() - self._began_s) * 1_000)
            self.source.acknowledged()
            self._next()
            return
        status = answer[9:12].decode()
        self.refused[status] = self.refused.get(status, 0) + 1
        self.first_refusal = self.first_refusal or answer[end:].decode("utf-8", "replace")[:300]
        asyncio.get_running_loop().call_later(RETRY_S, self._again)

    def _again(self) -> None:
        if self._transport is not None:
            self._transport.write(self._request)


async def _keep(connection: Connection, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    while not (connection.stopping and not connection.busy):
        try:
            await loop.create_connection(lambda: connection, host, port)
        except OSError:
            await asyncio.sleep(RETRY_S)
            continue
        await connection.lost.wait()


async def run(options: Options) -> dict[str, object]:
    """Send for the time asked and return the result."""
    parts = urlsplit(options.url)
    latencies_ms: list[float] = []
    made: list[Source] = [
        SOURCES[options.door](n, options.batch) for n in range(options.connections)
    ]
    connections = [
        Connection(options.url, source, latencies_ms, token=options.token) for source in made
    ]
    began_s, cpu_s = time.perf_counter(), time.process_time()
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    keepers = [asyncio.create_task(_keep(c, host, port)) for c in connections]
    await asyncio.sleep(options.seconds)
    took_s = time.perf_counter() - began_s
    in_time = sum(source.acked for source in made)
    for connection in connections:
        connection.stopping = True
    until_s = time.perf_counter() + DRAIN_S
    while any(c.busy for c in connections) and time.perf_counter() < until_s:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    for keeper in keepers:
        keeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*keepers, return_exceptions=True)
    ordered = sorted(latencies_ms)
    return {
        "records": sum(source.acked for source in made),
        "records_per_s": in_time / took_s,
        "requests": len(ordered),
        "latency_ms": {
            "p50": ordered[len(ordered) // 2] if ordered else None,
            "p99": ordered[int(len(ordered) * 0.99)] if ordered else None,
        },
        "cpu_us_per_record": (time.process_time() - cpu_s) / max(1, in_time) * 1e6,
        "refused": [c.refused for c in connections if c.refused],
        "first_refusal": next((c.first_refusal for c in connections if c.first_refusal), ""),
        "unanswered": sum(c.busy for c in connections),
        "ledger": {key: count for source in made for key, count in source.ledger().items()},
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8700")
    parser.add_argument("--door", choices=sorted(SOURCES), default="cmcd")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--batch", type=int, default=50, help="records or lines a request")
    parser.add_argument("--token", default="")
    parser.add_argument("--out", default="", help="write the whole result here as JSON")
    options = parser.parse_args(namespace=Options())
    result = asyncio.run(run(options))
    if options.out:
        Path(options.out).write_bytes(msgspec.json.encode(result))
    result.pop("ledger")
    print(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())


if __name__ == "__main__":
    main()
