import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Scope, Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import LARGE_AT_ONCE, Promises, Stored, entrance_of
from playhead.collect.events import EventsDoor
from playhead.collect.request import Request
from playhead.config import Collect, Config
from playhead.errors import DiskLow
from playhead.log.base import Entry
from playhead.model import frame
from playhead.model.cdn_request import COLUMNS
from playhead.model.event import Meta, Rows
from support.knock import Got, knock

NOW = 1_765_837_003_500
DAY_MS = 86_400_000
EVENT = {"eventType": "PLAY", "timestamp": NOW - 100, "sessionId": "session-abc"}
FRAME = {"streamId": "cam-1", "timestamp": NOW - 100, "fps": 30}
CDN = {"at": NOW - 100, "cdn": "fastly", "status": 200, "address": "198.51.100.7"}


class Place:
    """The door, what it appended, and a way to knock."""

    def __init__(self, folder: Path, stored: Stored | None, collect: Collect) -> None:
        clock = ManualClock(NOW)
        self.entries: list[Entry] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.waiting = 0
        self.tokens = Tokens(folder / "access.db", clock)
        entrance = entrance_of(Config(collect=collect), self.append, self.tokens, clock)
        promises = Promises(stored=stored)
        self.door = EventsDoor(msgspec.structs.replace(entrance, promises=promises))

    async def append(self, *entries: Entry) -> int:
        if self.failure is not None:
            raise self.failure
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        self.entries += entries
        return len(self.entries) - len(entries)

    async def send(self, name: str, *rows: Any, query: str = "", **headers: bytes) -> Got:
        body = b"\n".join(
            one if isinstance(one, bytes) else msgspec.json.encode(one) for one in rows
        )
        return await knock(self.door, body, f"name={name}{query}", **headers)

    def meta(self, index: int = -1) -> Meta:
        return msgspec.json.decode(self.entries[index].meta, type=Meta)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.entries[-1].body.split(b"\n")]


Make = Callable[..., Place]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Place] = []

    def one(*, stored: Stored | None = None, **settings: Any) -> Place:
        made.append(Place(tmp_path, stored, Collect(**settings)))
        return made[-1]

    yield one
    for place in made:
        place.tokens.close()


def counts(good: int, bad: int) -> dict[str, int]:
    return {"successful_rows": good, "quarantined_rows": bad}


async def test_frames_become_rows(make: Make) -> None:
    place = make()
    got = await place.send("stream_frames", FRAME, {**FRAME, "fps": 29})
    assert (got.status, got.body) == (202, counts(2, 0))
    assert [line[6] for line in place.lines()] == [30.0, 29.0]


async def test_the_entry_says_what_it_holds(make: Make) -> None:
    place = make()
    await place.send("stream_frames", FRAME)
    entry, meta = place.entries[0], place.meta()
    assert (entry.door, entry.key, entry.events, meta.source) == (
        "events", "cam-1", 1, "stream_frames",
    )  # fmt: skip
    assert meta.rows == Rows(frame.TABLE, frame.COLUMNS)


async def test_a_bad_row_costs_only_itself(make: Make) -> None:
    place = make()
    got = await place.send("stream_frames", FRAME, b"{no", {**FRAME, "fps": "x"}, b"5", FRAME)
    assert (got.status, got.body) == (202, counts(2, 3))
    assert [(one.index, one.code) for one in place.meta().refused] == [
        (1, "invalid_json"), (2, "invalid_value"), (3, "not_an_object"),
    ]  # fmt: skip
    assert place.lines()[1:4] == [
        "{no",
        json.dumps({**FRAME, "fps": "x"}, separators=(",", ":")),
        "5",
    ]


async def test_the_reason_names_value_and_column(make: Make) -> None:
    place = make()
    await place.send("stream_frames", {**FRAME, "fps": "x"})
    assert place.meta().refused[0].message == "value 'x' on column 'fps' is not a number"
    assert place.door.refusals.recent()[0].field == "fps"


async def test_cdn_requests_come_in_our_own_names(make: Make) -> None:
    place = make()
    await place.send("cdn_requests", {**CDN, "bytesOut": "12", "path": "/a?token=x", "zone": 1})
    row = dict(zip(COLUMNS, place.lines()[0], strict=True))
    assert (row["cdn"], row["status"], row["bytes_out"], row["path"]) == ("fastly", 200, 12.0, "/a")
    assert row["extra"] == {"zone": 1}


@pytest.mark.parametrize("keep", [False, True])
async def test_an_address_is_kept_only_where_the_settings_say_so(make: Make, keep: bool) -> None:
    place = make(keep_addresses=keep)
    await place.send("cdn_requests", CDN)
    assert (b"198.51.100.0" in place.entries[0].body) is keep
    assert b"198.51.100.7" not in place.entries[0].body


@pytest.mark.parametrize(
    ("column", "value"),
    [("cache", "maybe"), ("status", -1), ("status", 1.5), ("asn", 2**32), ("bot", 2)],
)
async def test_a_cdn_column_has_its_range(make: Make, column: str, value: Any) -> None:
    got = await make().send("cdn_requests", {**CDN, column: value})
    assert got.body == counts(0, 1)


async def test_what_no_cdn_column_knows_is_kept_as_of_a_log_line(make: Make) -> None:
    place = make()
    said = {"client_ip": "198.51.100.7", "query": "k=s3cret", "seen": "/a?k=s3cret", "tier": 2}
    await place.send("cdn_requests", {**CDN, "path": "/a", **said, "extra": {"cookie": "s3cret"}})
    assert place.lines()[0][COLUMNS.index("extra")] == {"seen": "/a", "tier": 2}


async def test_a_cdn_row_without_at_is_a_log_line(make: Make) -> None:
    place = make()
    line = {"timestamp": NOW, "url": "/v/a.ts?x=1", "status": "206", "remote_addr": "198.51.100.7"}
    assert (await place.send("cdn_requests", line, {"timestamp": NOW})).body == counts(1, 1)
    row = dict(zip(COLUMNS, place.lines()[0], strict=True))
    assert (row["path"], row["status"]) == ("/v/a.ts", 206)


@pytest.mark.parametrize("keep", [False, True])
async def test_a_refused_cdn_row_keeps_no_address(make: Make, keep: bool) -> None:
    place = make(keep_addresses=keep, address_precision="full")
    await place.send("cdn_requests", {**CDN, "status": "198.51.100.9"})
    kept = place.entries[0].body + place.entries[0].meta
    assert [one in kept for one in (b"198.51.100.7", b"198.51.100.9")] == [keep, keep]


async def test_telemetry_walks_the_same_steps(make: Make) -> None:
    place = make()
    got = await place.send("telemetry", EVENT, {**EVENT, "timestamp": 5}, cf_ipcountry=b"SE")
    assert (got.status, got.body) == (202, counts(1, 1))
    assert (place.meta().context.country, place.entries[0].key) == ("SE", "session-abc")
    assert place.meta().refused[0].dropped


async def test_refused_telemetry_stands_as_text(make: Make) -> None:
    place = make()
    await place.send("telemetry", EVENT, b"{no", b'"a"', {"timestamp": 1}, b'{"a":1},{"b":2}')
    assert [(one.index, one.code) for one in place.meta().refused] == [
        (1, "invalid_json"), (2, "not_an_object"), (3, "invalid_event"), (4, "invalid_json"),
    ]  # fmt: skip
    assert json.loads(place.entries[0].body) == [
        EVENT, "{no", '"a"', '{"timestamp":1}', '{"a":1},{"b":2}',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row"), [("telemetry", EVENT), ("stream_frames", FRAME), ("cdn_requests", CDN)]
)
@pytest.mark.parametrize("form", ["lines", "array", "pretty", "one"])
async def test_rows_come_in_several_forms(make: Make, name: str, row: Any, form: str) -> None:
    body, rows = {
        "lines": (msgspec.json.encode(row) + b"\r\n\n" + msgspec.json.encode(row) + b"\n", 2),
        "array": (json.dumps([row, row], indent=1).encode(), 2),
        "pretty": (json.dumps(row, indent=1).encode(), 1),
        "one": (msgspec.json.encode(row), 1),
    }[form]
    got = await knock(make().door, body, f"name={name}")
    assert (got.status, got.body) == (202, counts(rows, 0))


async def test_json_must_be_json(make: Make) -> None:
    place = make()
    assert (await place.send("stream_frames", b"[{]")).status == 400
    assert (await place.send("stream_frames", b"no", query="&format=json")).status == 400


async def test_lines_may_be_said_to_be_lines(make: Make) -> None:
    got = await make().send("stream_frames", b"[1]", FRAME, query="&format=ndjson")
    assert got.body == counts(1, 1)


async def test_half_an_emoji_costs_nothing(make: Make) -> None:
    row = msgspec.json.encode(FRAME).replace(b"{", b'{"title":"\\ud83d",', 1)
    event = msgspec.json.encode(EVENT).replace(b"{", b'{"videoTitle":"\\ud83d",', 1)
    assert (await make().send("stream_frames", row)).body == counts(1, 0)
    assert (await make().send("telemetry", event)).body == counts(1, 0)


async def test_nothing_is_no_row(make: Make) -> None:
    place = make()
    got = await place.send("stream_frames", b" \n ")
    assert (got.status, got.body, place.entries) == (202, counts(0, 0), [])


@pytest.mark.parametrize("name", ["telemetry", "stream_frames"])
async def test_many_rows_are_several_entries(make: Make, name: str) -> None:
    place = make(max_events_per_request=2)
    row = EVENT if name == "telemetry" else FRAME
    got = await place.send(name, row, b"x", row, b"y", row)
    assert got.body == counts(3, 2)
    assert [entry.events for entry in place.entries] == [2, 2, 1]
    assert [[one.index for one in place.meta(i).refused] for i in range(3)] == [[1], [1], []]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOW - 3_651 * DAY_MS, "too_old"),
        (NOW - 29 * DAY_MS, None),
        (NOW + 6 * DAY_MS, None),
        (NOW + 8 * DAY_MS, "too_far_ahead"),
    ],
)
async def test_rows_have_an_age(make: Make, at: int, code: str | None) -> None:
    place = make()
    got = await place.send("stream_frames", {**FRAME, "timestamp": at})
    assert [(one.code, one.dropped) for one in place.meta().refused] == (
        [(code, True)] if code else []
    )
    assert got.body == (counts(0, 1) if code else counts(1, 0))


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid_request"),
        ("name=", 400, "invalid_request"),
        ("name=nothing", 404, "not_found"),
        ("name=stream_frames&wait=perhaps", 400, "invalid_request"),
        ("name=stream_frames&format=csv", 400, "invalid_request"),
        ("name=stream_frames&token=x", 403, "unauthenticated"),
    ],
)
async def test_what_is_asked_wrong_is_told(make: Make, query: str, status: int, code: str) -> None:
    place = make()
    got = await knock(place.door, msgspec.json.encode(FRAME), query)
    assert (got.status, got.body["code"], place.entries) == (status, code, [])
    assert got.body["error"] == got.body["message"]


async def test_an_unknown_source_is_told_the_known_ones(make: Make) -> None:
    got = await make().send("x" * 500, FRAME)
    assert "telemetry, stream_frames, cdn_requests" in got.body["hint"]
    assert len(got.body["message"]) < 200


async def test_a_token_may_be_in_the_query(make: Make) -> None:
    place = make(require_key=True)
    _, secret = place.tokens.create("write", "encoder", "studio")
    assert (await place.send("stream_frames", FRAME, query=f"&token={secret}")).status == 202
    assert place.meta().context.property == "studio"


async def test_waiting_is_for_the_last_entry(make: Make) -> None:
    asked: list[int] = []

    async def stored(offset: int) -> bool:
        asked.append(offset)
        return True

    place = make(stored=stored, max_events_per_request=1)
    got = await place.send("stream_frames", FRAME, FRAME, FRAME, query="&wait=true")
    assert (got.status, asked) == (200, [2])
    assert (await place.send("stream_frames", FRAME)).status == 202


async def test_what_is_not_stored_in_time_is_still_accepted(make: Make) -> None:
    async def stored(_: int) -> bool:
        return False

    got = await make(stored=stored).send("stream_frames", FRAME, query="&wait=true")
    assert (got.status, got.body) == (202, counts(1, 0))


async def test_a_limit_is_told_in_headers(make: Make) -> None:
    place = make(requests_per_minute_per_address=1)
    first = await place.send("stream_frames", FRAME, x_forwarded_for=b"192.0.2.1")
    second = await place.send("stream_frames", FRAME, x_forwarded_for=b"192.0.2.1")
    names = ("x-ratelimit-limit", "x-ratelimit-remaining")
    assert [first.headers[name] for name in names] == ["1", "0"]
    assert (second.status, second.headers["x-ratelimit-reset"], second.headers["retry-after"]) == (
        429, "60", "60",
    )  # fmt: skip


async def test_without_a_limit_there_are_no_such_headers(make: Make) -> None:
    got = await make().send("stream_frames", FRAME)
    assert not any(name.startswith("x-ratelimit") for name in got.headers)


async def test_overload_is_a_503(make: Make) -> None:
    place = make()
    place.failure = DiskLow(retry_after_s=7)
    got = await place.send("stream_frames", FRAME)
    assert (got.status, got.headers["retry-after"]) == (503, "7")


async def test_bodies_have_limits(make: Make) -> None:
    place = make(
        max_log_body_bytes=900, max_log_decompressed_bytes=2_000, max_decompressed_bytes=500
    )
    assert (await place.send("stream_frames", *[FRAME] * 20)).status == 413
    packed = gzip.compress(b"\n".join([msgspec.json.encode(FRAME)] * 20))
    assert (await place.send("stream_frames", packed, content_encoding=b"gzip")).status == 202
    packed = gzip.compress(msgspec.json.encode([FRAME] * 20))
    assert (await place.send("stream_frames", packed, content_encoding=b"gzip")).status == 413


async def test_many_refusals_are_counted_and_few_are_kept(make: Make) -> None:
    place = make()
    await place.send("stream_frames", *[b"x"] * 150)
    assert len(place.door.refusals.recent()) == 100


async def test_refusals_are_counted_through_all_entries(make: Make) -> None:
    request = Request({}, "", [], "", NOW, query=b"name=stream_frames")
    await make(max_events_per_request=2).door.entries(request, b"x\nx\nx")
    assert [one.index for one in request.refused] == [0, 1, 2]


async def test_rows_that_only_together_are_json_are_none(make: Make) -> None:
    place = make()
    event = msgspec.json.encode(EVENT)
    got = await place.send(
        "telemetry", b'{"x":[1', b"2]}", b'{"bad":1},' + event, event, query="&format=ndjson"
    )
    assert (got.body, place.entries[0].events) == (counts(1, 3), 4)
    assert len(json.loads(place.entries[0].body)) == 4


@pytest.mark.parametrize("name", ["telemetry", "stream_frames"])
async def test_a_row_that_is_too_large_costs_only_itself(
    make: Make, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("events", "items"):
        monkeypatch.setattr(f"playhead.collect.{where}.ROW_MAX_BYTES", 200)
    row = EVENT if name == "telemetry" else FRAME
    place = make()
    got = await place.send(name, row, {**row, "a": "x" * 200})
    assert (got.body, place.meta().refused[0].code) == (counts(1, 1), "too_large")


async def test_large_rows_are_entries_of_their_own(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playhead.collect.items.PART_BYTES", 100)
    place = make()
    await place.send("stream_frames", FRAME, FRAME, {**FRAME, "a": "x" * 100}, FRAME)
    assert [entry.events for entry in place.entries] == [2, 1, 1]


@pytest.mark.parametrize(("size", "at_once"), [(300, LARGE_AT_ONCE), (30, 6)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_few_large_bodies_are_in_work_at_a_time(
    make: Make, size: int, at_once: int, pack: Callable[[bytes], bytes]
) -> None:
    place = make(max_decompressed_bytes=200)
    place.gate = asyncio.Event()
    body = pack(msgspec.json.encode({**FRAME, "a": "x" * size}))
    sent = [asyncio.create_task(place.send("stream_frames", body)) for _ in range(6)]
    while place.waiting < at_once:  # noqa: ASYNC110 (large ones are unpacked beside the loop)
        await asyncio.sleep(0.001)
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert place.waiting == at_once
    place.gate.set()
    assert [got.status for got in await asyncio.gather(*sent)] == [202] * 6


async def test_two_events_in_one_line_are_no_row(make: Make) -> None:
    place = make()
    event = msgspec.json.encode(EVENT)
    got = await place.send("telemetry", event + b"," + event)
    assert (got.body, place.entries[0].events) == (counts(0, 1), 1)


@pytest.mark.parametrize("name", ["telemetry", "stream_frames"])
async def test_a_row_that_nests_too_deep_costs_only_itself(make: Make, name: str) -> None:
    row = EVENT if name == "telemetry" else FRAME
    place = make(max_json_depth=3)
    got = await place.send(name, row, {**row, "a": {"b": {"c": {}}}})
    assert (got.body, place.meta().refused[0].code) == (counts(1, 1), "too_deep")


async def test_a_row_out_of_quarantine_is_read_again(make: Make) -> None:
    place = make()
    request = Request({}, "", [], "", NOW, property="kids", is_retried=True)
    old = msgspec.json.encode({**FRAME, "timestamp": NOW - 90 * DAY_MS})
    [entry] = await place.door.reread(request, old, "stream_frames")
    assert (entry.events, request.refused) == (1, [])


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (Scope("DATASOURCES:APPEND", "stream_frames"), 202),
        (Scope("DATASOURCES:CREATE"), 202),
        (Scope("ADMIN"), 202),
        (Scope("DATASOURCES:APPEND", "telemetry"), 403),
        (Scope("DATASOURCES:READ", "stream_frames"), 403),
        (Scope("WORKSPACE:READ_ALL"), 403),
    ],
)
async def test_a_token_with_scopes_sends_what_they_say(
    make: Make, scope: Scope, status: int
) -> None:
    place = make()
    _, secret = place.tokens.create_scoped("sender", [scope])
    for got in (
        await place.send("stream_frames", FRAME, query=f"&token={secret}"),
        await place.send("stream_frames", FRAME, authorization=b"Bearer " + secret.encode()),
    ):
        assert got.status == status
    assert len(place.entries) == (2 if status == 202 else 0)


async def test_a_jwt_sends_what_it_says(make: Make, tmp_path: Path) -> None:
    place = make()
    place.tokens.ensure_admin(tmp_path)
    ends_s = NOW // 1000 + 60
    scopes = [Scope("DATASOURCES:APPEND", "stream_frames")]
    _, token = place.tokens.signed.mint("sender", scopes, expires_at_s=ends_s)
    assert (await place.send("stream_frames", FRAME, query=f"&token={token}")).status == 202
    assert (await place.send("telemetry", EVENT, query=f"&token={token}")).status == 403
    assert (await place.send("stream_frames", FRAME, query=f"&token={token}x")).status == 403
