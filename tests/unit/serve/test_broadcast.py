"""Channels with a feed of numbers: who is sent what."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, cast

import msgspec
import pytest

from playhead.access import Grant
from playhead.clock import ManualClock
from playhead.config import Query
from playhead.errors import ListenersFull, StoreUnavailable
from playhead.query.live import BUCKET_MS, LiveNumbers, LiveQuestion, Sums
from playhead.query.live_feed import LiveFeed
from playhead.query.scope import Scope
from playhead.query.span import Span
from playhead.serve.admission import Caller
from playhead.serve.broadcast import Broadcast, Listener

NOW_MS = 1_700_000_000_000
CALLER = Caller(Grant("1", "", "read", None, 0))
LIMITS = msgspec.structs.replace(Query(), live_every_ms=10, live_ping_ms=60_000)


class Feed:
    """Numbers that a test sets; counts how often it was asked."""

    def __init__(self) -> None:
        self.question = LiveQuestion(span=Span(0, 2 * BUCKET_MS), scope=Scope())
        self.viewers = 1
        self.asked = 0
        self.fails: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def ask(self, _: int) -> LiveNumbers:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        rows: list[Sums] = [(n, 0, 0, 0, 0, 0, 0) for n in (5, self.viewers)]
        return LiveNumbers(Span(NOW_MS, NOW_MS + 2 * BUCKET_MS), {("", False): rows})


class Hall:
    """A broadcast whose listeners read what they are sent."""

    def __init__(self, **limits: int) -> None:
        self.feed = Feed()
        self.admitted = True
        settings = msgspec.structs.replace(LIMITS, **limits)
        self.broadcast = Broadcast(ManualClock(), settings, lambda _: self.admitted, self._nothing)
        self.reading: list[asyncio.Task[None]] = []

    async def _nothing(self) -> dict[str, Any]:
        return {}

    def join(self, key: str = "q", last_id: str = "") -> tuple[Listener, list[bytes]]:
        listener = self.broadcast.join(key, cast("LiveFeed", self.feed), CALLER, last_id)
        got: list[bytes] = []
        listener.task = asyncio.ensure_future(self._read(listener, got))
        self.reading.append(listener.task)
        return listener, got

    async def _read(self, listener: Listener, got: list[bytes]) -> None:
        while not listener.has_ended:
            message = listener.channel.message(listener)
            if message is None:
                await listener.channel.turn()
            else:
                got.append(message["body"])
        if listener.farewell:
            got.append(listener.farewell)

    async def close(self) -> None:
        self.broadcast.stop()
        await asyncio.gather(*self.reading, return_exceptions=True)


@pytest.fixture
async def hall() -> AsyncGenerator[Hall, None]:
    made = Hall()
    yield made
    await made.close()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (the end is no event of anybody)
            await asyncio.sleep(0.005)


def _is_last(got: list[bytes], said: bytes) -> bool:
    return said in got[-1]


def decoded(text: bytes) -> tuple[str, dict[str, Any]]:
    """The id and the data of a live event."""
    fields = dict(line.split(": ", 1) for line in text.decode().strip().split("\n"))
    return fields["id"], json.loads(fields["data"])


async def test_all_listeners_are_sent_the_same_bytes_of_one_question(hall: Hall) -> None:
    _, first = hall.join()
    _, second = hall.join()
    await until(lambda: len(first) > 3 and len(second) > 3)
    assert first[:3] == second[:3]
    assert all(a is b for a, b in zip(first, second, strict=False))
    assert hall.feed.asked <= max(len(first), len(second)) + 1


async def test_first_the_window_then_what_changed(hall: Hall) -> None:
    _, got = hall.join()
    await until(lambda: len(got) > 1)
    hall.feed.viewers = 7
    await until(lambda: any(b'"concurrent_viewers":7' in text for text in got))
    events = [decoded(text)[1] for text in got]
    assert [len(one["rows"]) for one in events if one["snapshot"]] == [2]
    assert [one["rows"][0]["concurrent_viewers"] for one in events[1:] if one["rows"]] == [7]
    assert events[-1]["totals"]["concurrent_viewers"] == 7


async def test_who_comes_back_is_sent_what_changed_meanwhile(hall: Hall) -> None:
    leaver, got = hall.join()
    hall.join()
    await until(lambda: got)
    hall.broadcast.leave("q", leaver)
    hall.feed.viewers = 3
    asked = hall.feed.asked
    await until(lambda: hall.feed.asked > asked + 3)
    _, again = hall.join(last_id=decoded(got[-1])[0])
    await until(lambda: again)
    data = decoded(again[0])[1]
    assert (data["snapshot"], [row["concurrent_viewers"] for row in data["rows"]]) == (False, [3])


async def test_the_only_listener_may_come_back_as_well(hall: Hall) -> None:
    leaver, got = hall.join()
    await until(lambda: got)
    hall.broadcast.leave("q", leaver)
    asked = hall.feed.asked
    await asyncio.sleep(0.05)
    assert hall.feed.asked <= asked + 1
    _, again = hall.join(last_id=decoded(got[-1])[0])
    await until(lambda: again)
    assert decoded(again[0])[1]["snapshot"] is False


@pytest.mark.parametrize("last_id", ["", "other-1", "-", "x", "é-1", "9" * 9_000])
async def test_an_id_that_is_not_known_gets_the_window(hall: Hall, last_id: str) -> None:
    _, got = hall.join(last_id=last_id)
    await until(lambda: got)
    assert decoded(got[0])[1]["snapshot"] is True


async def test_a_gap_longer_than_the_history_gets_the_window() -> None:
    hall = Hall(live_history_ms=30)
    leaver, got = hall.join()
    hall.join()
    await until(lambda: got)
    hall.broadcast.leave("q", leaver)
    asked = hall.feed.asked
    await until(lambda: hall.feed.asked > asked + 5)
    _, again = hall.join(last_id=decoded(got[-1])[0])
    await until(lambda: again)
    assert decoded(again[0])[1]["snapshot"] is True
    await hall.close()


async def test_a_slow_listener_is_sent_all_it_missed_at_once(hall: Hall) -> None:
    slow = hall.broadcast.join("q", cast("LiveFeed", hall.feed), CALLER, "")
    _, fast = hall.join()
    await until(lambda: fast)
    assert slow.channel.message(slow) is not None
    for viewers in (8, 9):
        hall.feed.viewers = viewers
        said = f'"concurrent_viewers":{viewers}'.encode()
        await until(partial(_is_last, fast, said))
    message = slow.channel.message(slow)
    assert message is not None
    data = decoded(message["body"])[1]
    assert [row["concurrent_viewers"] for row in data["rows"]] == [9]
    assert slow.channel.message(slow) is None


async def test_a_listener_that_takes_nothing_is_let_go() -> None:
    hall = Hall(live_stalled_ms=50)
    stuck = hall.broadcast.join("q", cast("LiveFeed", hall.feed), CALLER, "")
    stuck.task = asyncio.ensure_future(asyncio.sleep(60))
    await until(lambda: hall.feed.asked > 1)
    stuck.channel.message(stuck)
    await until(stuck.task.done)
    assert stuck.task.cancelled()
    await hall.close()


async def test_a_problem_is_told_and_the_stream_goes_on(hall: Hall) -> None:
    _, got = hall.join()
    await until(lambda: got)
    hall.feed.fails = StoreUnavailable()
    await until(lambda: got[-1].startswith(b"event: problem\n"))
    hall.feed.fails = ValueError("a surprise")
    await until(lambda: b'"internal"' in got[-1])
    _, late = hall.join()
    await until(lambda: any(b"problem" in text for text in late))
    hall.feed.fails = None
    await until(lambda: b"event: live" in got[-1])
    assert sum(b"event: problem" in text for text in got) == 2


async def test_silence_is_filled_with_pings() -> None:
    hall = Hall(live_ping_ms=20)
    hall.feed.gate = asyncio.Event()
    _, got = hall.join()
    hall.feed.fails = StoreUnavailable()
    hall.feed.gate.set()
    await until(lambda: b": ping\n\n" in got)
    await hall.close()


async def test_who_may_not_listen_any_more_is_told_so(hall: Hall) -> None:
    listener, got = hall.join()
    await until(lambda: got)
    hall.admitted = False
    await until(lambda: listener.task is not None and listener.task.done())
    assert b'"unauthenticated"' in got[-1]


async def test_listeners_and_questions_have_limits() -> None:
    hall = Hall(max_listeners=2, max_live_questions=1)
    first, _ = hall.join("a")
    with pytest.raises(ListenersFull):
        hall.join("b")
    hall.join("a")
    with pytest.raises(ListenersFull):
        hall.join("a")
    hall.broadcast.leave("a", first)
    hall.join("a")
    await hall.close()


async def test_a_question_nobody_listens_to_makes_room() -> None:
    hall = Hall(max_live_questions=1)
    first, _ = hall.join("a")
    hall.broadcast.leave("a", first)
    _, got = hall.join("b")
    await until(lambda: got)
    assert list(hall.broadcast._channels) == ["b"]
    await hall.close()


async def test_a_stop_ends_every_stream(hall: Hall) -> None:
    hall.join("a")
    hall.join("b")
    await asyncio.sleep(0.03)
    hall.broadcast.stop()
    async with asyncio.timeout(1):
        await asyncio.gather(*hall.reading)
    assert all(task.done() for task in hall.reading)
