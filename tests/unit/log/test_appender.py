import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from playhead import config
from playhead.clock import ManualClock, SystemClock
from playhead.errors import DiskLow, LogUnavailable, QueueFull
from playhead.log.appender import BATCHES, REJECTED, Appender
from playhead.log.base import TICK_DOOR, Entry, Record
from playhead.log.memory import MemoryLog

SETTINGS = config.Log(idle_tick_ms=3_600_000)
ALL = {"max_records": 10_000, "max_bytes": 1 << 30}


class GatedLog(MemoryLog):
    """Commits only while its gate is open; fails commits that hold a body named in `broken`."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, ManualClock())
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.tried = threading.Semaphore(0)
        self.commits: list[int] = []
        self.broken: dict[bytes, Exception] = {}

    def append(self, entries: Sequence[Entry]) -> list[int]:
        self.entered.set()
        self.gate.wait()
        self.commits.append(len(entries))
        self.tried.release()
        for entry in entries:
            if entry.body in self.broken:
                raise self.broken[entry.body]
        return super().append(entries)

    def all(self) -> list[Record]:
        return self.read(0, **ALL)


@asynccontextmanager
async def appending(log: GatedLog, settings: config.Log = SETTINGS) -> AsyncIterator[Appender]:
    appender = Appender(log, settings, SystemClock())
    try:
        yield appender
    finally:
        log.gate.set()
        await appender.close()


async def first_commit_entered(log: GatedLog) -> None:
    await asyncio.to_thread(log.entered.wait)


async def commits_tried(log: GatedLog, count: int) -> None:
    for _ in range(count):
        await asyncio.to_thread(log.tried.acquire)


def entry(text: str) -> Entry:
    return Entry("telemetry", text, 1, b"", text.encode())


@pytest.fixture
def log() -> GatedLog:
    return GatedLog()


async def test_it_returns_the_offset(log: GatedLog) -> None:
    log.gate.set()
    async with appending(log) as appender:
        assert [await appender.append(entry(text)) for text in "ab"] == [0, 1]


async def test_nothing_is_answered_before_the_commit(log: GatedLog) -> None:
    async with appending(log) as appender:
        waiting = asyncio.ensure_future(appender.append(entry("a")))
        await first_commit_entered(log)
        assert not waiting.done()
        log.gate.set()
        assert await waiting == 0


async def test_what_waits_goes_into_one_commit(log: GatedLog) -> None:
    async with appending(log) as appender:
        first = asyncio.ensure_future(appender.append(entry("first")))
        await first_commit_entered(log)
        others = [asyncio.ensure_future(appender.append(entry(f"{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        log.gate.set()
        assert await asyncio.gather(first, *others) == list(range(21))
    assert log.commits == [1, 20]


async def test_a_commit_takes_at_most_its_limit(log: GatedLog) -> None:
    settings = config.Log(idle_tick_ms=3_600_000, max_batches_per_commit=8)
    async with appending(log, settings) as appender:
        waiting = [asyncio.ensure_future(appender.append(entry(f"{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        log.gate.set()
        await asyncio.gather(*waiting)
    assert max(log.commits) <= 8
    assert sum(log.commits) == 20


async def test_sixty_four_tasks_get_their_own_offsets(log: GatedLog) -> None:
    log.gate.set()
    stored: dict[int, str] = {}

    async def caller(number: int) -> None:
        for turn in range(25):
            stored[await appender.append(entry(f"{number}/{turn}"))] = f"{number}/{turn}"

    async with appending(log) as appender:
        await asyncio.gather(*(caller(number) for number in range(64)))
    assert {record.offset: record.key for record in log.all()} == stored
    assert len(stored) == 1_600


async def test_too_many_batches_are_refused(log: GatedLog) -> None:
    settings = config.Log(idle_tick_ms=3_600_000, max_pending_batches=3)
    async with appending(log, settings) as appender:
        waiting = [asyncio.ensure_future(appender.append(entry(f"{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as raised:
            await appender.append(entry("one too many"))
        log.gate.set()
        await asyncio.gather(*waiting)
        assert raised.value.retry_after_s >= 1
        assert await appender.append(entry("later")) == 3


async def test_too_many_bytes_are_refused(log: GatedLog) -> None:
    settings = config.Log(idle_tick_ms=3_600_000, max_pending_bytes=100)
    async with appending(log, settings) as appender:
        waiting = asyncio.ensure_future(appender.append(entry("a" * 60)))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await appender.append(entry("b" * 41))
        log.gate.set()
        await waiting
        pair = await asyncio.gather(*(appender.append(entry("c" * 41)) for _ in range(2)))
        assert pair == [1, 2]


async def test_a_batch_above_the_limit_goes_in_alone(log: GatedLog) -> None:
    settings = config.Log(idle_tick_ms=3_600_000, max_pending_bytes=100)
    log.gate.set()
    async with appending(log, settings) as appender:
        assert await appender.append(entry("a" * 500)) == 0


async def test_a_cancelled_caller_disturbs_nobody(log: GatedLog) -> None:
    async with appending(log) as appender:
        waiting = [asyncio.ensure_future(appender.append(entry(text))) for text in "abc"]
        await first_commit_entered(log)
        waiting[1].cancel()
        log.gate.set()
        assert await waiting[0] == 0
        assert await waiting[2] == 2
        assert waiting[1].cancelled()
    assert [record.key for record in log.all()] == ["a", "b", "c"]


async def test_cancelled_callers_free_the_queue(log: GatedLog) -> None:
    settings = config.Log(idle_tick_ms=3_600_000, max_pending_batches=3)
    async with appending(log, settings) as appender:
        waiting = [asyncio.ensure_future(appender.append(entry(text))) for text in "abc"]
        await first_commit_entered(log)
        waiting[0].cancel()
        waiting[1].cancel()
        log.gate.set()
        assert await waiting[2] == 2
        more = await asyncio.gather(*(appender.append(entry(text)) for text in "def"))
    assert more == [3, 4, 5]


async def test_a_cancelled_caller_hides_no_failure(log: GatedLog) -> None:
    log.broken[b"bad"] = DiskLow()
    async with appending(log) as appender:
        first = asyncio.ensure_future(appender.append(entry("first")))
        await first_commit_entered(log)
        waiting = [asyncio.ensure_future(appender.append(entry(t))) for t in ("bad", "beside")]
        await asyncio.sleep(0)
        waiting[0].cancel()
        log.gate.set()
        assert await first == 0
        with pytest.raises(DiskLow):
            await waiting[1]


async def test_a_failed_commit_fails_exactly_its_batches(log: GatedLog) -> None:
    log.broken[b"bad"] = DiskLow(retry_after_s=7)
    async with appending(log) as appender:
        first = asyncio.ensure_future(appender.append(entry("first")))
        await first_commit_entered(log)
        second = [asyncio.ensure_future(appender.append(entry(t))) for t in ("bad", "beside")]
        await asyncio.sleep(0)
        log.gate.set()
        assert await first == 0
        answers = await asyncio.gather(*second, return_exceptions=True)
        assert await appender.append(entry("after")) == 1
    assert [type(answer) for answer in answers] == [DiskLow, DiskLow]
    assert [answer.retry_after_s for answer in answers if isinstance(answer, DiskLow)] == [7, 7]
    assert answers[0] is not answers[1]


async def test_an_unexpected_failure_is_an_answer_too(log: GatedLog) -> None:
    log.broken[b"bad"] = RuntimeError("a bug")
    log.gate.set()
    async with appending(log) as appender:
        with pytest.raises(LogUnavailable, match="a bug"):
            await appender.append(entry("bad"))
        assert await appender.append(entry("good")) == 0


async def test_close_commits_what_is_pending(log: GatedLog) -> None:
    appender = Appender(log, SETTINGS, SystemClock())
    waiting = [asyncio.ensure_future(appender.append(entry(f"{n}"))) for n in range(5)]
    await first_commit_entered(log)
    log.gate.set()
    await appender.close()
    assert await asyncio.gather(*waiting) == [0, 1, 2, 3, 4]
    with pytest.raises(LogUnavailable, match="stopping"):
        await appender.append(entry("too late"))
    await appender.close()


async def test_an_idle_log_gets_ticks(log: GatedLog) -> None:
    log.gate.set()
    async with appending(log, config.Log(idle_tick_ms=5)):
        await commits_tried(log, 3)
    tick = log.all()[0]
    assert (tick.door, tick.events, tick.body) == (TICK_DOOR, 0, b"[]")


async def test_ticks_outlive_a_failing_log(log: GatedLog) -> None:
    log.broken[b"[]"] = DiskLow()
    log.gate.set()
    async with appending(log, config.Log(idle_tick_ms=5)) as appender:
        await commits_tried(log, 3)
        assert await appender.append(entry("a")) == 0


async def test_it_counts(log: GatedLog) -> None:
    stored = BATCHES._value.get()
    refused = REJECTED.labels("disk_low")._value.get()
    log.broken[b"bad"] = DiskLow()
    log.gate.set()
    async with appending(log) as appender:
        await appender.append(entry("a"))
        with pytest.raises(DiskLow):
            await appender.append(entry("bad"))
    assert BATCHES._value.get() == stored + 1
    assert REJECTED.labels("disk_low")._value.get() == refused + 1
