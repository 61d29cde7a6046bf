"""The telemetry door against anything: never an exception, never an event unaccounted for."""

import asyncio
import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import entrance_of
from playhead.collect.telemetry import TelemetryDoor
from playhead.config import Collect, Config
from playhead.errors import InvalidBody
from playhead.log.base import Entry
from playhead.model.event import Event, Meta, Refusal
from playhead.model.telemetry import decode, examine

NOW = 1_765_837_003_500
FIELDS = [field.encode_name for field in msgspec.structs.fields(Event)]
PARTS = ["quality", "buffering", "network", "device", "player", "engagement", "error", "ad"]
INSIDE = ["bitrateKbps", "width", "startedAt", "os", "category", "fatal", "podIndex", "other"]

numbers = st.one_of(
    st.integers(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(min_value=NOW - 10**9, max_value=NOW + 10**9),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, st.just("x" * 300), st.just("12"))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(st.sampled_from(INSIDE), scalars, max_size=4)
optional: dict[str, st.SearchStrategy[Any]] = {
    "sentAt": numbers,
    "sessionId": texts,
    "seq": numbers,
    "custom": values,
    "zone": values,
}
optional.update(dict.fromkeys(PARTS, parts))
good = st.fixed_dictionaries(
    {"eventType": st.just("PLAY"), "timestamp": st.integers(NOW - 10**9, NOW + 10**9)},
    optional=optional,
)
wild = st.dictionaries(st.sampled_from(FIELDS) | texts, values | parts, max_size=8)
batches = st.lists(st.one_of(good, wild, values), max_size=6)


class Answered(msgspec.Struct):
    status: int
    body: Any
    entries: list[Entry]


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    with tempfile.TemporaryDirectory() as folder:
        made = Tokens(Path(folder) / "access.db", ManualClock(NOW))
        yield made
        made.close()


def knock(tokens: Tokens, body: bytes, **headers: bytes) -> Answered:
    answered = Answered(0, None, [])

    async def append(entry: Entry) -> int:
        answered.entries.append(entry)
        return 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
        else:
            answered.body = msgspec.json.decode(message["body"])

    scope = {
        "type": "http",
        "method": "POST",
        "client": ("127.0.0.1", 1),
        "query_string": headers.pop("query", b""),
        "headers": [(name.replace("_", "-").encode(), value) for name, value in headers.items()],
    }
    config = Config(collect=Collect(max_body_bytes=100_000, max_decompressed_bytes=200_000))
    entrance = entrance_of(config, append, tokens, ManualClock(NOW))
    asyncio.run(TelemetryDoor(entrance)(scope, receive, send))
    return answered


def account(answered: Answered, items: int) -> None:
    """Every item is accepted or refused, and all of them are in the log, or none is."""
    assert answered.status == 200
    assert answered.body["accepted"] + len(answered.body["rejected"]) == items
    assert sum(entry.events for entry in answered.entries) == items
    for entry in answered.entries:
        meta = msgspec.json.decode(entry.meta, type=Meta)
        refused = {one.index for one in meta.refused}
        assert refused == {one["index"] for one in answered.body["rejected"]}
        found = decode(entry.body)
        assert len(found) == items
        faults = {index for index, one in enumerate(found) if isinstance(one, Refusal)}
        assert faults <= refused


@given(body=st.binary(max_size=2_000))
@example(body=b"[")
@example(body=b"\x1f\x8b\x08")
@example(body=b"\x28\xb5\x2f\xfd\x00")
@example(body=b"[" * 50_000)
@example(body=b'[{"eventType":"\xff","timestamp":1}]')
@example(body=b'[{"eventType":"a","timestamp":1,"x":"\xed\xa0\x80"}]')
def test_any_bytes_get_an_answer(tokens: Tokens, body: bytes) -> None:
    answered = knock(tokens, body)
    assert answered.status in {200, 400, 413}
    assert answered.status == 200 or not answered.entries


@given(
    user_agent=st.binary(max_size=700),
    x_forwarded_for=st.binary(max_size=100),
    cf_ipcountry=st.binary(max_size=9),
    x_asn=st.binary(max_size=20),
    authorization=st.binary(max_size=50),
    content_encoding=st.binary(max_size=9),
    content_length=st.binary(max_size=9),
    origin=st.binary(max_size=50),
    query=st.binary(max_size=50),
)
def test_any_headers_get_an_answer(tokens: Tokens, **headers: bytes) -> None:
    answered = knock(tokens, b'{"eventType":"PLAY","timestamp":1765837003500}', **headers)
    assert answered.status in {200, 400, 401, 413}


@given(batch=batches)
def test_every_item_is_accounted_for(tokens: Tokens, batch: list[Any]) -> None:
    account(knock(tokens, msgspec.json.encode(batch)), len(batch))


PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"zstd": zstandard.compress,
}


@given(batch=batches, encoding=st.sampled_from(list(PACKERS)))
def test_compression_changes_nothing(tokens: Tokens, batch: list[Any], encoding: bytes) -> None:
    plain = msgspec.json.encode(batch)
    there = knock(tokens, PACKERS[encoding](plain), content_encoding=encoding)
    here = knock(tokens, plain)
    assert (there.status, there.body) == (here.status, here.body)
    assert [entry.body for entry in there.entries] == [entry.body for entry in here.entries]


@given(prefix=st.binary(max_size=30), batch=batches, suffix=st.binary(max_size=30))
@settings(max_examples=200)
def test_what_the_door_can_read_the_worker_can_read(
    prefix: bytes, batch: list[Any], suffix: bytes
) -> None:
    array = b"[" + prefix + msgspec.json.encode(batch)[1:-1] + suffix + b"]"
    try:
        array.decode()
        events, refused = examine(array, max_depth=32)
    except (UnicodeDecodeError, InvalidBody):
        return
    found = decode(array)
    assert len(found) == len(events)
    gone = {one.index for one in refused}
    assert all(isinstance(one, Event) for i, one in enumerate(found) if i not in gone)


@given(batch=batches, cut=st.integers(0, 2_000), junk=st.binary(min_size=1, max_size=4))
def test_a_damaged_body_is_refused_whole_or_accounted_for(
    tokens: Tokens, batch: list[Any], cut: int, junk: bytes
) -> None:
    body = msgspec.json.encode(batch)
    answered = knock(tokens, body[:cut] + junk + body[cut + 1 :])
    if answered.status == 200:
        account(answered, sum(entry.events for entry in answered.entries))
    else:
        assert (answered.status, answered.entries) == (400, [])
