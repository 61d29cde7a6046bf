import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import Promises, entrance_of
from playhead.collect.events import EventsDoor
from playhead.collect.idempotency import KEY_BYTES_MAX, Key, Keys, key_of
from playhead.config import Collect, Config
from playhead.errors import InvalidRequest, LogUnavailable, RateLimited, SchemaTooNew
from playhead.log.base import Entry
from playhead.log.memory import MemoryLog
from playhead.model.event import Meta
from support.knock import Got, knock

NOW = 1_765_837_003_500
FRAME = {"streamId": "cam-1", "timestamp": NOW - 100}
ANSWER = (202, b'{"successful_rows":1}')
KEY = key_of(b"one", ("events", "default", ""), b"name=stream_frames", b"body")


class Place:
    """A log, its keys, and the door that takes them."""

    def __init__(self, folder: Path, collect: Collect) -> None:
        self.folder = folder
        self.config = Config(collect=collect)
        self.clock = ManualClock(NOW)
        self.log = MemoryLog(self.config.log, self.clock)
        self.tokens = Tokens(folder / "access.db", self.clock)
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.start()

    def start(self) -> None:
        """Begin as a new process does; what the one before remembered is gone."""
        self.keys = Keys(self.folder / "doors.db", self.log, self.config.collect, self.clock)
        entrance = entrance_of(self.config, self.append, self.tokens, self.clock)
        promises = Promises(self.keys)
        self.door = EventsDoor(msgspec.structs.replace(entrance, promises=promises))

    async def append(self, *entries: Entry) -> int:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.log.append(entries)[0]

    async def send(self, key: bytes, row: Any = FRAME, **headers: bytes) -> Got:
        body = msgspec.json.encode(row)
        return await knock(self.door, body, "name=stream_frames", idempotency_key=key, **headers)

    async def until_running(self, running: bool) -> None:
        while bool(self.keys._running) is not running:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0)

    def records(self) -> int:
        return self.log.bounds().next


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, Collect(max_idempotency_keys=3))
    yield made
    made.keys.close()
    made.tokens.close()


def marked(key: Key) -> Entry:
    meta = msgspec.json.encode(Meta(idempotency=key.text))
    return Entry(door="events", key="", events=1, meta=meta, body=b"[]")


async def test_the_same_key_gets_the_first_answer_and_stores_nothing(place: Place) -> None:
    first = await place.send(b"one", [FRAME, 5])
    second = await place.send(b"one", [FRAME, 5])
    assert (second.status, second.body) == (first.status, first.body) == (
        202, {"successful_rows": 1, "quarantined_rows": 1},
    )  # fmt: skip
    assert place.records() == 1


async def test_without_a_key_every_request_is_a_new_one(place: Place) -> None:
    for _ in range(2):
        await knock(place.door, msgspec.json.encode(FRAME), "name=stream_frames")
    assert place.records() == 2


async def test_another_token_has_keys_of_its_own(place: Place) -> None:
    _, secret = place.tokens.create("write", "a")
    await place.send(b"one")
    await place.send(b"one", x_playhead_key=secret.encode())
    assert place.records() == 2


async def test_another_body_under_the_same_key_is_refused(place: Place) -> None:
    await place.send(b"one")
    got = await place.send(b"one", {**FRAME, "fps": 1})
    assert (got.status, got.body["code"]) == (400, "invalid_request")
    assert place.records() == 1


async def test_the_answer_survives_a_restart(place: Place) -> None:
    await place.send(b"one")
    place.start()
    assert (await place.send(b"one")).status == 202
    assert place.records() == 1


async def test_a_key_is_forgotten_after_its_time(place: Place) -> None:
    await place.send(b"one")
    place.clock.advance(3_600_001)
    await place.send(b"one", {**FRAME, "fps": 1})
    assert place.records() == 2


@pytest.mark.parametrize("key", [b"", b"x" * (KEY_BYTES_MAX + 1)])
async def test_a_key_has_a_length(place: Place, key: bytes) -> None:
    assert ((await place.send(key)).status, place.records()) == (400, 0)


async def test_keys_have_a_number(place: Place) -> None:
    answers = [await place.send(b"key %d" % number) for number in range(4)]
    assert [got.status for got in answers] == [202, 202, 202, 429]
    place.clock.advance(3_600_001)
    fresh = {**FRAME, "timestamp": place.clock.now_ms()}
    assert (await place.send(b"key 3", fresh)).status == 202


async def test_a_key_on_its_way_must_wait(place: Place) -> None:
    place.gate = asyncio.Event()
    first = asyncio.create_task(place.send(b"one"))
    await place.until_running(True)
    busy = await place.send(b"one")
    place.gate.set()
    assert (busy.status, busy.headers["retry-after"], (await first).status) == (429, "1", 202)
    assert place.records() == 1


async def test_a_request_goes_on_when_its_caller_leaves(place: Place) -> None:
    place.gate = asyncio.Event()
    first = asyncio.create_task(place.send(b"one"))
    await place.until_running(True)
    first.cancel()
    place.gate.set()
    await place.until_running(False)
    assert place.records() == 1
    assert ((await place.send(b"one")).status, place.records()) == (202, 1)


@pytest.mark.parametrize("failure", [LogUnavailable(), OSError("gone")], ids=["log", "disk"])
async def test_a_failed_append_leaves_the_key_free(place: Place, failure: Exception) -> None:
    place.failure = failure
    assert (await place.send(b"one")).status == 503
    place.failure = None
    assert ((await place.send(b"one")).status, place.records()) == (202, 1)


async def test_killed_after_the_append_the_answer_is_known(place: Place) -> None:
    place.keys._intend(KEY, ANSWER)
    place.log.append([marked(KEY), marked(KEY)])
    place.start()
    assert place.keys.settle() == 1
    kept = await place.keys.find(KEY)
    assert kept is not None
    assert ((kept.status, kept.body), kept.offset) == (ANSWER, 1)


async def test_killed_before_the_append_the_key_is_free(place: Place) -> None:
    place.log.append([marked(KEY)])  # an hour ago, under the same key
    place.keys._intend(KEY, ANSWER)
    place.start()
    assert place.keys.settle() == 1
    assert await place.keys.find(KEY) is None


async def test_what_could_not_be_settled_at_the_start_is_when_it_is_asked(place: Place) -> None:
    place.keys._intend(KEY, ANSWER)
    place.log.append([marked(KEY)])
    place.start()
    kept = await place.keys.find(KEY)
    assert kept is not None
    assert (place.keys.settle(), kept.offset) == (0, 0)


async def test_an_answer_that_could_not_be_marked_is_known_all_the_same(place: Place) -> None:
    def fails(hashed: bytes, offset: int) -> None:
        raise LogUnavailable

    done, place.keys._done = place.keys._done, fails  # type: ignore[method-assign]
    assert (await place.send(b"one")).status == 202
    place.keys._done = done  # type: ignore[method-assign]
    assert ((await place.send(b"one")).status, place.records()) == (202, 1)


def test_settling_forgets_what_is_too_old(place: Place) -> None:
    place.keys._intend(KEY, ANSWER)
    place.clock.advance(3_600_001)
    assert (place.keys.settle(), place.keys._count) == (0, 0)


def test_the_count_is_read_again_after_a_restart(place: Place) -> None:
    for number in range(3):
        place.keys._intend(Key(b"%d" % number, b""), ANSWER)
    place.start()
    with pytest.raises(RateLimited):
        place.keys._intend(Key(b"3", b""), ANSWER)


def test_a_newer_file_is_left_alone(place: Place) -> None:
    place.keys.settle()
    with sqlite3.connect(place.folder / "doors.db") as connection:
        connection.execute("PRAGMA user_version=9")
    connection.close()
    place.start()
    with pytest.raises(SchemaTooNew):
        place.keys.settle()


def test_keys_are_told_apart(place: Place) -> None:
    who = ("events", "default", "")
    keys = [
        key_of(b"a", who, b"", b""),
        key_of(b"b", who, b"", b""),
        key_of(b"a", ("events", "kids", ""), b"", b""),
    ]
    assert len({key.hash for key in keys}) == 3
    with pytest.raises(InvalidRequest):
        key_of(b"", who, b"", b"")


def test_a_token_in_the_query_and_waiting_make_no_other_body() -> None:
    who = ("events", "default", "")
    plain = key_of(b"a", who, b"name=x&format=json", b"")
    assert key_of(b"a", who, b"format=json&name=x&wait=true&token=t&key=k", b"") == plain
    assert key_of(b"a", who, b"format=json&name=y", b"") != plain
