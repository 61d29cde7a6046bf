"""The door of the data sources against anything, and its keys against kills at any moment."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import Promises, entrance_of
from playhead.collect.events import EventsDoor
from playhead.collect.idempotency import Keys
from playhead.config import Collect, Config
from playhead.log.base import Entry, Record
from playhead.log.memory import MemoryLog
from playhead.model.cdn_request import CdnRequest
from playhead.model.event import Event, Meta
from playhead.model.frame import Frame
from playhead.process.unpack import Unpacker
from support.knock import Got, knock

NOW = 1_765_837_003_500
HOUR_MS = 3_600_000
NAMES = [
    *Frame.__struct_fields__, *CdnRequest.__struct_fields__, *Event.__struct_encode_fields__,
    "streamId", "bitrateKbps",
]  # fmt: skip

numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(NOW - 10**9, NOW + 10**9),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
scalars = st.one_of(
    st.none(), st.booleans(), numbers, texts, st.sampled_from(["12", "720p", "hit"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
good = st.fixed_dictionaries(
    {
        "eventType": st.just("PLAY"),
        "timestamp": st.integers(NOW - 10**9, NOW + 10**9),
        "streamId": st.just("cam-1"),
    },
    optional={"fps": numbers, "status": numbers, "custom": values},
)
wild = st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=8)
rows = st.one_of(good, wild, values).map(msgspec.json.encode)
lines = st.lists(st.one_of(rows, st.binary(max_size=40)), max_size=8)
sources = st.sampled_from(["telemetry", "stream_frames", "cdn_requests"])


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    with tempfile.TemporaryDirectory() as folder:
        made = Tokens(Path(folder) / "access.db", ManualClock(NOW))
        yield made
        made.close()


def send(tokens: Tokens, body: bytes, query: str, **headers: bytes) -> tuple[Got, list[Entry]]:
    stored: list[Entry] = []

    async def append(*entries: Entry) -> int:
        stored.extend(entries)
        return 0

    config = Config(collect=Collect(max_events_per_request=3, max_json_depth=5))
    door = EventsDoor(entrance_of(config, append, tokens, ManualClock(NOW)))
    return asyncio.run(knock(door, body, query, **headers)), stored


def account(got: Got, stored: list[Entry]) -> None:
    """Every row is told as good or refused, and the worker finds it as that."""
    assert got.status == 202
    told = got.body["successful_rows"], got.body["quarantined_rows"]
    assert sum(entry.events for entry in stored) == sum(told)
    taken = refused = 0
    for offset, entry in enumerate(stored):
        named = len(msgspec.json.decode(entry.meta, type=Meta).refused)
        refused += named
        record = Record(offset, entry.door, entry.key, NOW, entry.events, entry.meta, entry.body)
        found = Unpacker().unpack(record)
        taken += len(found.events) + len(found.lines)
        assert found.quarantined_count + len(found.dropped) == named
        assert all(isinstance(json.loads(line.text), list) for line in found.lines)
    assert (taken, refused) == told


@given(body=st.binary(max_size=2_000), name=sources, form=st.sampled_from(["", "ndjson", "json"]))
@example(body=b"[" * 50_000, name="stream_frames", form="")
@example(body=b"[" * 50_000, name="telemetry", form="ndjson")
@example(body=b'{"at":1765837003500,"a":99999999999999999999999}', name="cdn_requests", form="")
@example(
    body=b'{"at":1765837003500,"a":1e999}\n{"at":"9999999999999999999999999e300"}',
    name="cdn_requests",
    form="",
)
@example(
    body=b'{"timestamp":1765837003500,"streamId":"\xed\xa0\x80"}', name="stream_frames", form=""
)
@example(body=b"\x1f\x8b\x08", name="telemetry", form="")
def test_any_bytes_get_an_answer(tokens: Tokens, body: bytes, name: str, form: str) -> None:
    got, stored = send(tokens, body, f"name={name}&format={form}")
    assert got.status in {202, 400, 413}
    if got.status == 202:
        account(got, stored)


@given(query=st.text(max_size=40), key=st.binary(max_size=300), token=st.binary(max_size=40))
def test_any_request_gets_an_answer(tokens: Tokens, query: str, key: bytes, token: bytes) -> None:
    body = b'{"timestamp":1765837003500,"streamId":"a"}'
    got, _ = send(tokens, body, f"name={query}", idempotency_key=key, authorization=token)
    assert got.status in {202, 400, 403, 404}


@given(items=lines, name=sources)
def test_every_line_is_accounted_for(tokens: Tokens, items: list[bytes], name: str) -> None:
    body = b"\n".join(item.replace(b"\n", b" ") for item in items)
    got, stored = send(tokens, body, f"name={name}&format=ndjson", content_encoding=b"identity")
    account(got, stored)


@given(items=st.lists(rows, max_size=8), name=sources)
def test_an_array_is_its_rows(tokens: Tokens, items: list[bytes], name: str) -> None:
    got, stored = send(tokens, b"[" + b",".join(items) + b"]", f"name={name}")
    account(got, stored)
    assert sum(entry.events for entry in stored) == len(items)


class Killed(asyncio.CancelledError):
    """The process ends here: no handler of an error runs any more."""


class World:
    """A log that outlives the processes that write it."""

    def __init__(self, folder: Path, tokens: Tokens) -> None:
        self.folder = folder
        self.tokens = tokens
        self.config = Config(collect=Collect(idempotency_ms=HOUR_MS))
        self.clock = ManualClock(NOW)
        self.log = MemoryLog(self.config.log, self.clock)
        self.kill = ""
        self.start(settles=True)

    def start(self, *, settles: bool) -> None:
        self.keys = Keys(self.folder / "doors.db", self.log, self.config.collect, self.clock)
        entrance = entrance_of(self.config, self.append, self.tokens, self.clock)
        self.door = EventsDoor(msgspec.structs.replace(entrance, promises=Promises(self.keys)))
        if settles:
            self.keys.settle()

    async def append(self, *entries: Entry) -> int:
        kill, self.kill = self.kill, ""
        if kill == "before":
            raise Killed
        first = self.log.append(entries)[0]
        if kill == "after":
            raise Killed
        return first

    async def send(self, key: int) -> Got | None:
        body = b'{"timestamp":%d,"streamId":"%d"}' % (NOW, key)
        try:
            return await knock(self.door, body, "name=stream_frames", idempotency_key=b"%d" % key)
        except asyncio.CancelledError:
            return None

    def stored(self, key: int, since: int) -> int:
        records = self.log.read(0, max_records=1_000, max_bytes=1 << 30)
        return sum(record.key == str(key) and record.received_at >= since for record in records)


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["", "", "before", "after"]),
        st.booleans(),
        st.sampled_from([0, 0, 0, 1_000, HOUR_MS + 1]),
    ),
    max_size=10,
)


@given(steps=steps)
@settings(max_examples=25, deadline=None)  # it writes to a disk
def test_a_key_stores_at_most_once_whenever_it_is_killed(
    tokens: Tokens, steps: list[tuple[int, str, bool, int]]
) -> None:
    async def play(world: World) -> None:
        since = NOW
        answers: dict[int, Any] = {}
        for key, kill, settles, later_ms in steps:
            world.kill = kill
            got = await world.send(key)
            if got is None:
                world.keys.close()
                world.start(settles=settles)
            else:
                assert (got.status, answers.setdefault(key, got.body)) == (202, got.body)
                assert world.stored(key, since) == 1
                assert world.stored(key, since) == 1
            assert world.stored(key, since) <= 1
            if later_ms > HOUR_MS:
                since = world.clock.now_ms() + later_ms
                answers.clear()
            world.clock.advance(later_ms)

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), tokens)
        asyncio.run(play(world))
        world.keys.close()
