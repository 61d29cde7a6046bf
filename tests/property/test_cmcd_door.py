"""The CMCD door against anything: 204 or a client's error, and never an event unaccounted for."""

import asyncio
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.cmcd import CmcdDoor
from playhead.collect.entrance import entrance_of
from playhead.config import Collect, Config
from playhead.log.base import Entry
from playhead.model.cmcd.keys import EVENTS, KEYS, STATES
from playhead.model.event import Event, Meta
from playhead.model.telemetry import decode

NOW = 1_765_837_003_500
RECORDS_MAX = 40


class Answered(msgspec.Struct):
    status: int
    entries: list[Entry]


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    with tempfile.TemporaryDirectory() as folder:
        made = Tokens(Path(folder) / "access.db", ManualClock(NOW))
        yield made
        made.close()


def knock(tokens: Tokens, body: bytes, method: str = "POST", **headers: bytes) -> Answered:
    answered = Answered(0, [])

    async def append(*entries: Entry) -> int:
        answered.entries += entries
        return 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.status = message.get("status", answered.status)

    scope = {
        "type": "http",
        "method": method,
        "client": ("127.0.0.1", 1),
        "query_string": headers.pop("query", b""),
        "headers": [(name.replace("_", "-").encode(), value) for name, value in headers.items()],
    }
    config = Config(collect=Collect(max_body_bytes=100_000, max_events_per_request=RECORDS_MAX))
    asyncio.run(
        CmcdDoor(entrance_of(config, append, tokens, ManualClock(NOW)))(scope, receive, send)
    )
    return answered


def account(answered: Answered) -> None:
    """What the worker reads is what the entry counts: each item an event or a named refusal."""
    assert answered.status in {204, 400, 413}
    assert answered.status == 204 or not answered.entries
    for entry in answered.entries:
        meta = msgspec.json.decode(entry.meta, type=Meta)
        found = decode(entry.body)
        assert 0 < len(found) == entry.events <= RECORDS_MAX
        refused = {one.index for one in meta.refused}
        assert len(refused) == len(meta.refused)
        assert {i for i, one in enumerate(found) if not isinstance(one, Event)} <= refused


junk = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
raws = st.one_of(
    st.integers(-5, 2**70).map(str),
    st.sampled_from([*STATES, *EVENTS, '"', "(", ")", '"a,b"', "(1;v 2;a)", "()", "?1", '"a\\"']),
    st.lists(st.integers(0, 10**6), max_size=70).map(lambda all_: f"({' '.join(map(str, all_))})"),
    st.text('ab1%,;=()"\\? .-', max_size=12),
    junk,
)
names = st.sampled_from(list(KEYS)) | st.sampled_from(["com.x-a", "zz", "", " br ", "A-b"]) | junk
wild = st.lists(st.tuples(names, raws), max_size=12).map(
    lambda pairs: ",".join(f"{name}={raw}" if raw else name for name, raw in pairs)
)
sane = st.builds(
    lambda event, state, ts, more: f'{more},e={event},sid="s",sta={state},ts={ts},v=2',
    st.sampled_from(list(EVENTS)), st.sampled_from(list(STATES)),
    st.integers(NOW - 10**9, NOW + 10**9), wild,
)  # fmt: skip


@given(body=st.binary(max_size=2_000))
@example(body=b"[" * 50_000)
@example(body=b"{}")
@example(body=b'[{"e":{"a":1}},null,1e400,"\\u0000"]')
@example(body=b'{"bsd":[[[[1]]]]}')
@example(body=b'{"bsd":' + b"[" * 700 + b"]" * 700 + b"}")
@example(body=b"[" * 990 + b"]" * 990)
@example(body=b"\x1f\x8b\x08")
@example(body=b'"' * 60_000)
@example(body=b"(" * 60_000)
@example(body=b"\n" * 60_000)
@example(body=b"a=" + b"%25" * 20_000)
@example(body=b"v=2," + b"," * 60_000)
@example(body=b'cs="' + b"\\" * 60_000)
def test_any_bytes_get_an_answer(tokens: Tokens, body: bytes) -> None:
    account(knock(tokens, body))


@given(lines=st.lists(sane | wild, max_size=8), end=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_every_record_is_accounted_for(tokens: Tokens, lines: list[str], end: str) -> None:
    answered = knock(tokens, end.join(lines).encode())
    account(answered)
    assert answered.status == 204 or end.join(lines).count("\n") >= RECORDS_MAX


@given(line=sane)
def test_a_record_that_names_its_event_is_never_lost(tokens: Tokens, line: str) -> None:
    cleaned = "".join(c for c in line if c not in '"()\n\\%' and c.isprintable())
    answered = knock(tokens, cleaned.encode())
    assert not any(one.code == "invalid_record" for one in refused_of(answered))


def refused_of(answered: Answered) -> list[Any]:
    metas = [msgspec.json.decode(entry.meta, type=Meta) for entry in answered.entries]
    return [one for meta in metas for one in meta.refused]


@given(method=st.sampled_from(["GET", "POST"]), query=st.binary(max_size=60) | wild.map(str.encode),
       session=st.binary(max_size=60), request=wild.map(str.encode))  # fmt: skip
def test_any_request_mode_gets_an_answer(
    tokens: Tokens, method: str, query: bytes, session: bytes, request: bytes
) -> None:
    headers = {"cmcd_session": session, "cmcd_request": request} if session else {}
    account(knock(tokens, b"", method, query=b"CMCD=" + query, **headers))


@given(item=st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | junk,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
))  # fmt: skip
def test_any_json_gets_an_answer(tokens: Tokens, item: Any) -> None:
    account(knock(tokens, msgspec.json.encode(item)))
