import gzip
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.doors import doors
from playhead.collect.entrance import entrance_of
from playhead.collect.refusals import Refusals
from playhead.collect.telemetry import PATHS, TelemetryDoor
from playhead.config import Collect, Config
from playhead.errors import DiskLow
from playhead.log.base import Entry
from playhead.model.event import Meta
from support.knock import Got, knock

NOW = 1_765_837_003_500
EVENT = {"eventType": "PLAY", "timestamp": NOW - 100, "sessionId": "session-abc"}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148"


class Door:
    """A door, what it appended, and a way to knock."""

    def __init__(self, folder: Path, collect: Collect) -> None:
        clock = ManualClock(NOW)
        self.entries: list[Entry] = []
        self.failure: Exception | None = None
        self.tokens = Tokens(folder / "access.db", clock)
        self.door = TelemetryDoor(
            entrance_of(Config(collect=collect), self.append, self.tokens, clock)
        )

    async def append(self, entry: Entry) -> int:
        if self.failure is not None:
            raise self.failure
        self.entries.append(entry)
        return len(self.entries) - 1

    async def knock(self, body: Any, method: str = "POST", query: str = "", **headers: str) -> Got:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await knock(self.door, data, query, method, **headers)

    def meta(self) -> Meta:
        return msgspec.json.decode(self.entries[-1].meta, type=Meta)


Make = Callable[..., Door]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Door] = []

    def one(**settings: Any) -> Door:
        made.append(Door(tmp_path, Collect(**settings)))
        return made[-1]

    yield one
    for door in made:
        door.tokens.close()


async def test_an_event_is_answered_and_logged(make: Make) -> None:
    door = make()
    got = await door.knock(EVENT)
    assert (got.status, got.body) == (200, {"ok": True, "accepted": 1, "rejected": []})
    entry = door.entries[0]
    assert (entry.door, entry.key, entry.events) == ("telemetry", "session-abc", 1)
    assert msgspec.json.decode(entry.body) == [EVENT]


async def test_the_meta_has_the_context_and_never_the_address(make: Make) -> None:
    door = make()
    await door.knock(EVENT, user_agent=IPHONE, x_forwarded_for="198.51.100.7", cf_ipcountry="SE")
    context = door.meta().context
    assert (context.country, context.device_class, context.os) == ("SE", "phone", "iOS")
    assert b"198.51" not in door.entries[0].meta


async def test_the_device_of_the_client_wins(make: Make) -> None:
    door = make()
    await door.knock({**EVENT, "device": {"category": "tv", "os": "Mac"}}, user_agent=IPHONE)
    context = door.meta().context
    assert (context.device_class, context.os, context.browser_version) == ("tv", "macOS", "17")


async def test_a_faulty_event_is_named_and_the_rest_goes_on(make: Make) -> None:
    door = make()
    batch = [EVENT, {"eventType": "PLAY"}, 5, {**EVENT, "viewId": "x" * 257}, EVENT]
    got = await door.knock(batch)
    assert got.body["accepted"] == 2
    assert [(one["index"], one["code"]) for one in got.body["rejected"]] == [
        (1, "invalid_event"),
        (2, "not_an_object"),
        (3, "id_too_long"),
    ]
    assert door.entries[0].events == 5
    assert [one.index for one in door.meta().refused] == [1, 2, 3]


async def test_a_dropped_event_is_marked_as_such(make: Make) -> None:
    door = make()
    got = await door.knock([{**EVENT, "timestamp": 5}, EVENT, {**EVENT, "seq": -1}])
    assert [one["code"] for one in got.body["rejected"]] == ["too_old", "number_out_of_range"]
    assert [(one.index, one.dropped) for one in door.meta().refused] == [(0, True), (2, False)]


async def test_a_request_without_a_good_event_is_logged_for_quarantine(make: Make) -> None:
    door = make()
    got = await door.knock([{"a": 1}, None])
    assert (got.status, got.body["accepted"]) == (200, 0)
    assert door.entries[0].events == 2


async def test_an_empty_array_is_no_event(make: Make) -> None:
    door = make()
    got = await door.knock([])
    assert (got.status, got.body["accepted"], door.entries) == (200, 0, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"5",
        b"null",
        b'"a"',
        b"{",
        b"[{]",
        b'{"a":1},{"b":2}',
        b"[1,2",
        b"\xff\xfe",
        b'[{"eventType":"PLAY","timestamp":1,"x":"\xff"}]',
        b'[{"eventType":"PLAY","timestamp":1,"x":1e999}]',
        b'{"eventType":"PLAY","timestamp":1,"custom":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
        b'{"eventType":"PLAY","timestamp":1,"zone":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"eventType":"PLAY","timestamp":1,"x":' + b"[" * 99_999 + b"]" * 99_999 + b"}",
    ],
    ids=range(15),
)
async def test_what_is_no_json_is_refused_whole(make: Make, body: bytes) -> None:
    door = make()
    got = await door.knock(body)
    assert (got.status, got.body["code"], door.entries) == (400, "invalid_body", [])
    assert set(got.body) == {"code", "message", "hint", "docs"}


async def test_half_an_emoji_does_not_cost_a_batch(make: Make) -> None:
    door = make()
    pair, half, text = b"\\ud83d\\ude00", b"\\ud83d", b"\\\\ud83d"
    title = b'"videoTitle":"' + pair + half + text + b'"'
    got = await door.knock(msgspec.json.encode(EVENT).replace(b"{", b"{" + title + b",", 1))
    assert got.status == 200
    stored = msgspec.json.decode(door.entries[0].body)[0]["videoTitle"]
    assert stored == "\U0001f600\ufffd\\ud83d"


async def test_limits_of_size_and_number(make: Make) -> None:
    door = make(max_body_bytes=1_000, max_decompressed_bytes=2_000, max_events_per_request=3)
    large = msgspec.json.encode([{**EVENT, "videoTitle": "x" * 2_000}])
    assert (await door.knock(large)).status == 413
    assert (await door.knock(gzip.compress(large), content_encoding="gzip")).status == 413
    assert (await door.knock([EVENT] * 4)).status == 413
    assert (await door.knock([EVENT] * 3)).status == 200


@pytest.mark.parametrize("way", ["key", "x_playhead_key", "authorization"])
async def test_a_key_comes_in_three_ways(make: Make, way: str) -> None:
    door = make(require_key=True)
    _, secret = door.tokens.create("write", "page", "kids")
    given = f"Bearer {secret}" if way == "authorization" else secret
    got = await (
        door.knock(EVENT, query=f"a=b&key={given}")
        if way == "key"
        else door.knock(EVENT, **{way: given})
    )
    assert got.status == 200
    assert door.meta().context.property == "kids"


async def test_a_wrong_key_is_refused_even_where_none_is_needed(make: Make) -> None:
    door = make()
    _, reading = door.tokens.create("read")
    assert (await door.knock(EVENT, query="key=ph_write_x")).status == 401
    assert (await door.knock(EVENT, x_playhead_key=reading)).status == 403
    assert (await make(require_key=True).knock(EVENT)).status == 401
    assert door.entries == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_other_methods_are_named_wrong(make: Make, method: str) -> None:
    got = await make().knock(b"", method)
    assert (got.status, got.headers["allow"]) == (405, "POST, OPTIONS")


async def test_every_answer_can_be_read_by_the_page(make: Make) -> None:
    door = make(requests_per_minute_per_address=6)
    door.failure = DiskLow()
    origin = {"origin": "https://tv.example"}
    answers = [
        await door.knock(EVENT, **origin),
        await door.knock(b"", **origin),
        await door.knock(EVENT, "PUT", **origin),
        await door.knock(EVENT, query="key=x", **origin),
        await door.knock(EVENT, "OPTIONS", **origin),
    ]
    assert [got.status for got in answers] == [503, 400, 405, 401, 204]
    assert all(got.headers["access-control-allow-origin"] == "*" for got in answers)


async def test_overload_says_when_to_come_again(make: Make) -> None:
    door = make(requests_per_minute_per_address=1)
    door.failure = DiskLow(retry_after_s=7)
    full = await door.knock(EVENT, x_forwarded_for="192.0.2.1")
    busy = await door.knock(EVENT, x_forwarded_for="192.0.2.1")
    assert (full.status, full.headers["retry-after"]) == (503, "7")
    assert (busy.status, busy.headers["retry-after"]) == (429, "60")


async def test_a_fault_of_ours_is_a_500_with_a_body(make: Make) -> None:
    door = make()
    door.failure = ZeroDivisionError()
    got = await door.knock(EVENT)
    assert (got.status, got.body["code"]) == (500, "internal")


async def test_a_client_that_left_before_the_answer_is_no_fault(make: Make) -> None:
    door = make()

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": msgspec.json.encode(EVENT)}

    async def send(message: MutableMapping[str, Any]) -> None:
        raise RuntimeError("the handler is closed")

    await door.door({"type": "http", "method": "POST", "headers": []}, receive, send)
    assert len(door.entries) == 1


async def test_refusals_are_kept_with_the_field_at_fault(make: Make) -> None:
    door = make()
    await door.knock([{**EVENT, "quality": {"bitrateKbps": "x"}}])
    await door.knock(b"no")
    recent = door.door.refusals.recent()
    assert [(one.code, one.field) for one in recent] == [
        ("invalid_body", ""),
        ("invalid_event", "quality.bitrateKbps"),
    ]


async def test_a_nameless_viewer_gets_a_daily_id_as_key(make: Make) -> None:
    door = make()
    await door.knock({"eventType": "PLAY", "timestamp": NOW}, user_agent=IPHONE)
    assert len(door.entries[0].key) == 16
    assert door.meta().context.anonymous_id == door.entries[0].key


def test_the_doors_share_one_callable(make: Make) -> None:
    door = make()
    paths = doors(Config(), door.append, door.tokens, ManualClock(NOW), Refusals())
    assert len({id(paths[path]) for path in PATHS}) == 1
