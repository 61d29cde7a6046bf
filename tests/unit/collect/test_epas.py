import asyncio
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import entrance_of
from playhead.collect.epas import EpasDoor
from playhead.config import Collect, Config
from playhead.log.base import Entry, Record
from playhead.model.epas import KINDS
from playhead.model.event import Event, Meta, Refusal
from playhead.model.telemetry import decode
from playhead.process.unpack import Unpacker

NOW = 1_790_000_000_000
BASE = {"sessionId": "s1", "timestamp": NOW - 50}
SMALL = Collect(max_events_per_request=3, max_body_bytes=100_000)


class Answered(msgspec.Struct):
    status: int
    body: Any
    entries: list[Entry]

    def events(self) -> list[Event | Refusal]:
        return [event for entry in self.entries for event in decode(entry.body)]


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    with tempfile.TemporaryDirectory() as folder:
        made = Tokens(Path(folder) / "access.db", ManualClock(NOW))
        yield made
        made.close()


def knock(tokens: Tokens, body: Any, query: bytes = b"") -> Answered:
    answered = Answered(0, None, [])
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def append(*entries: Entry) -> int:
        answered.entries.extend(entries)
        return 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": text, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
        else:
            answered.body = msgspec.json.decode(message["body"])

    scope = {
        "type": "http", "method": "POST", "client": ("127.0.0.1", 1), "query_string": query,
        "headers": [],
    }  # fmt: skip
    entrance = entrance_of(Config(collect=SMALL), append, tokens, ManualClock(NOW))
    asyncio.run(EpasDoor(entrance)(scope, receive, send))
    return answered


def test_one_event_is_taken_with_playhead_zero(tokens: Tokens) -> None:
    got = knock(tokens, {**BASE, "event": "playing", "playhead": 0, "duration": 600})
    assert got.body == {"ok": True, "accepted": 1, "rejected": []}
    assert msgspec.to_builtins(got.events()) == [
        {
            "eventType": "PLAYING", "timestamp": NOW - 50, "sessionId": "s1", "durationSec": 600.0,
            "playbackPositionSec": 0.0, "heartbeatIntervalMs": 30_000,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(("query", "position"), [(b"units=s", 90_000.0), (b"units=ms", 90.0)])
def test_the_unit_can_be_named(tokens: Tokens, query: bytes, position: float) -> None:
    got = knock(tokens, {**BASE, "event": "heartbeat", "playhead": 90_000}, query)
    assert msgspec.to_builtins(got.events())[0]["playbackPositionSec"] == position


def test_each_session_has_its_own_unit(tokens: Tokens) -> None:
    seconds = {**BASE, "event": "heartbeat", "playhead": 60, "duration": 600}
    millis = {**seconds, "sessionId": "s2", "playhead": 60_000, "duration": 600_000}
    found = msgspec.to_builtins(knock(tokens, [seconds, millis]).events())
    assert [event["playbackPositionSec"] for event in found] == [60.0, 60.0]


def test_another_unit_is_refused(tokens: Tokens) -> None:
    got = knock(tokens, {**BASE, "event": "init"}, b"units=minutes")
    assert (got.status, got.entries) == (400, [])


def test_init_without_session_gets_one_for_all_that_follow(tokens: Tokens) -> None:
    nameless = {"event": "init", "timestamp": NOW}
    got = knock(tokens, [nameless, {**nameless, "event": "metadata"}])
    session = got.body["sessionId"]
    assert got.body["heartbeatInterval"] == 30_000
    assert [event["sessionId"] for event in msgspec.to_builtins(got.events())] == [session] * 2


def test_init_with_a_session_keeps_it(tokens: Tokens) -> None:
    assert knock(tokens, {**BASE, "event": "init"}).body["sessionId"] == "s1"


def test_refused_events_are_quarantined_as_they_came(tokens: Tokens) -> None:
    raw = b'{"event": "shrug",  "sessionId":"s1","timestamp":1790000000000}'
    good = msgspec.json.encode({**BASE, "event": "paused"})
    got = knock(tokens, b"[" + b",".join([good, good, good, good, raw]) + b"]")
    assert [one["index"] for one in got.body["rejected"]] == [4]
    entry = got.entries[-1]
    assert msgspec.json.decode(entry.body)[1] == raw.decode()
    record = Record(
        offset=7, received_at=NOW, door=entry.door, key=entry.key, events=entry.events,
        meta=entry.meta, body=entry.body,
    )  # fmt: skip
    [row] = Unpacker().unpack(record).quarantined
    assert (row[2], row[3], row[8]) == (1, "epas", raw.decode())


numbers = st.integers() | st.floats(allow_nan=False) | st.integers(NOW - 10**6, NOW + 10**6)
values = st.none() | st.booleans() | numbers | st.text(max_size=300) | st.just("s1")
payloads = st.dictionaries(
    st.sampled_from(["live", "contentId", "contentUrl", "bitrate", "reason", "code", "more"]),
    values | st.lists(values, max_size=2), max_size=4,
)  # fmt: skip
items = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from([*KINDS, "shrug"]) | values,
        "sessionId": st.just("s1") | values,
        "timestamp": st.integers(NOW - 10**6, NOW) | values,
        "playhead": values,
        "duration": values,
        "payload": payloads | values,
        "other": values,
    },
)


@settings(max_examples=300, deadline=None)
@given(batch=st.lists(items | values, max_size=8))
def test_every_event_is_accounted_for(tokens: Tokens, batch: list[Any]) -> None:
    try:
        text = msgspec.json.encode(batch)
    except (OverflowError, UnicodeEncodeError):
        return
    got = knock(tokens, text)
    assert (got.status, sum(entry.events for entry in got.entries)) == (200, len(batch))
    refused = [r for e in got.entries for r in msgspec.json.decode(e.meta, type=Meta).refused]
    assert got.body["accepted"] + len(refused) == len(batch) == len(got.events())
    faults = sum(isinstance(event, Refusal) for event in got.events())
    assert faults == sum(not one.dropped for one in refused)


@settings(deadline=None)
@given(body=st.binary(max_size=500))
@example(body=b'[{"event":"init","sessionId":1' + b"0" * 5_000 + b"}]")
@example(body=b"[" * 5_000)
@example(body=b'{"event":"init","timestamp":1,"payload":{"contentUrl":"http://[x"}}')
def test_any_bytes_get_an_answer(tokens: Tokens, body: bytes) -> None:
    got = knock(tokens, body)
    assert got.status in {200, 400, 413}
    assert got.status == 200 or not got.entries
