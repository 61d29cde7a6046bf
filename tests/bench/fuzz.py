"""A million hostile inputs against every door: no crash, no 5xx, and the books balance.

    python -m tests.bench --fuzz 1000000

Hypothesis makes bodies out of what each door's vectors and traps look like, broken in all the ways
it can think of. The doors are the real ones, in this process, before a log in memory.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bench.lines import Line
from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.door import ASGIApp
from playhead.collect.doors import doors
from playhead.collect.refusals import Refusals
from playhead.config import Collect, Config
from playhead.log.base import Entry
from playhead.model.event import Meta

NOW = 1_765_837_003_500
LINES_MAX = 8
_PIECES: Mapping[str, tuple[str, ...]] = {
    "cmcd": (
        'sid="a"', "cid=x", "e=ps", "e=t", "e=rr", "sta=p", "sta=r", "ts=1765837003000", "v=2",
        "v=3", "sn=1", "bsd=(500 700)", "bsd=(-1)", "br=(3200;v 128;a)", "br=3200", "bs", "bs=?0",
        "ec=(3)", "ec=7", 'ec=("a")', 'nor="..%2F1"', "pt=111000", "msd=1e3", "pr=1.05", "x-y=1",
        'cmsdd="AAA"', "cmsdd=:AAA=:", 'url="http://h/p?q"', "rc=200", "(", ")", ";", '"', "%2C", ",",
    ),
    "json": (
        '{"event":"init"}', '{"event":"heartbeat","sessionId":"s","timestamp":1765837003000}',
        '{"eventType":"PLAY","timestamp":1765837003000}', '{"streamId":"a","timestamp":1}',
        '{"timestamp":1765837003.5,"path":"/a/b.ts","client_ip":"203.0.113.1"}', "null", "[", "]",
        '{"playhead":-1,"duration":1e400}', '"\\ud800"', "1" * 400, '{"a":' * 40,
    ),
    "logs": (
        '203.0.113.9 - - [22/Nov/2026:05:00:00 +0000] "GET /a/b.ts HTTP/1.1" 200 5 "-" "curl/8"',
        "2026-11-22\t05:00:00\tIAD\t5\t203.0.113.9\tGET\th\t/a.ts\t200\t-\t-", "#Fields: date time",
        "1732251600.123\t203.0.113.9\t0.001\t200\t5\tGET\thttps\th\t/a.ts", "\t" * 40, "[99/Foo/0000",
    ),
}  # fmt: skip
_TARGETS = (
    ("/cmcd", ("cmcd",), (b"",)),
    ("/epas", ("json",), (b"", b"units=s", b"units=x")),
    ("/logs/cdn", ("json", "logs", "cmcd"), (
        b"", b"format=edgecast", b"format=cloudfront", b"format=cloudfront-realtime",
        b"format=akamai", b"format=fastly", b"format=nginx", b"format=json", b"format=nothing",
    )),
    ("/v0/events", ("json",), (b"", b"name=telemetry", b"name=stream_frames", b"name=cdn_requests")),
    ("/telemetry", ("json",), (b"",)),
)  # fmt: skip


def bodies(kinds: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Return bodies of some lines, each pieced together, or any bytes at all."""
    pieces = st.sampled_from([piece for kind in kinds for piece in _PIECES[kind]])
    piece = st.one_of(pieces, pieces, st.text(max_size=12))
    line = st.lists(piece, max_size=9).map(",".join)
    text = st.lists(line, max_size=LINES_MAX).map("\n".join)
    array = st.lists(pieces, max_size=LINES_MAX).map(lambda some: f"[{','.join(some)}]")
    return st.one_of(
        st.one_of(text, array).map(lambda value: value.encode("utf-8", "surrogatepass")),
        st.binary(max_size=200),
    )


class Fuzzed:
    """What happened so far: inputs are lines, for each is read on its own."""

    def __init__(self) -> None:
        self.inputs = 0
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []


@contextmanager
def opened(entries: list[Entry]) -> Iterator[Mapping[str, ASGIApp]]:
    """Every door, before a list instead of a log."""

    async def append(*some: Entry) -> int:
        entries.extend(some)
        return 0

    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(NOW)
        tokens = Tokens(Path(folder) / "access.db", clock)
        config = Config(collect=Collect(max_events_per_request=5))
        try:
            yield doors(config, append, tokens, clock, Refusals())
        finally:
            tokens.close()


async def knock(door: ASGIApp, path: str, query: bytes, body: bytes) -> int:
    """Send one body and return the status."""
    status = 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "method": "POST", "path": path, "client": ("127.0.0.1", 1),
        "query_string": query, "headers": [],
    }  # fmt: skip
    await door(scope, receive, send)
    return status


def faults_of(entry: Entry) -> str:
    """Return what is wrong with the books of an entry, empty if nothing is."""
    meta = msgspec.json.decode(entry.meta, type=Meta)
    if meta.rows is None:
        items = msgspec.json.decode(entry.body)
    else:
        items = [msgspec.json.decode(line) for line in entry.body.splitlines() if line]
    named = {one.index for one in meta.refused}
    unnamed = [n for n, item in enumerate(items) if isinstance(item, str) and n not in named]
    if len(items) != entry.events or unnamed or any(not 0 <= n < len(items) for n in named):
        return f"{entry.door}: {entry.events} said, {len(items)} held, unnamed {unnamed}"
    return ""


def fuzz(inputs: int) -> list[Line]:
    """Send at least so many lines, to each door its share; return a row a door."""
    lines = []
    for path, kinds, queries in _TARGETS:
        fuzzed = _fuzz_one(path, kinds, queries, inputs // len(_TARGETS))
        print(f"  {path}: {dict(fuzzed.statuses)}", file=sys.stderr, flush=True)
        for fault in fuzzed.faults[:3]:
            print(f"  {path}: {fault}", file=sys.stderr, flush=True)
        said = f"{fuzzed.inputs:,} lines, {len(fuzzed.faults)} faults"
        lines.append(Line(f"hostile inputs at {path}", said, "no crash, no 5xx, books balance"))
    return lines


def _fuzz_one(path: str, kinds: tuple[str, ...], queries: tuple[bytes, ...], inputs: int) -> Fuzzed:
    entries: list[Entry] = []
    fuzzed = Fuzzed()
    with opened(entries) as every, asyncio.Runner() as runner:

        @settings(
            max_examples=5_000, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(body=bodies(kinds), query=st.sampled_from(queries))
        def one(body: bytes, query: bytes) -> None:
            status = runner.run(knock(every[path], path, query, body))
            fuzzed.inputs += 1 + body.count(b"\n")
            fuzzed.statuses[status] += 1
            if not 200 <= status < 500:
                fuzzed.faults.append(f"{status} for {query!r} {body[:200]!r}")
            fuzzed.faults += [fault for fault in map(faults_of, entries) if fault][:5]
            entries.clear()

        while fuzzed.inputs < inputs and not fuzzed.faults:
            one()
    return fuzzed
