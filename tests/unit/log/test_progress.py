import asyncio

import pytest

from playhead.errors import LogUnavailable
from playhead.log import progress
from playhead.log.progress import Progress


class Worker:
    """A position that moves by one each time it is looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.fails = 0

    def position(self) -> int:
        self.looks += 1
        if self.looks <= self.fails:
            raise LogUnavailable
        return self.looks


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(progress, "LOOK_EVERY_S", 0.001)
    return Worker()


async def test_what_is_stored_needs_no_second_look(worker: Worker) -> None:
    seen = Progress(worker.position, wait_ms=5_000)
    assert await seen.stored(2)
    looks = worker.looks
    assert (await seen.stored(2), worker.looks - looks <= 1) == (True, True)


async def test_one_look_serves_all_who_wait(worker: Worker) -> None:
    seen = Progress(worker.position, wait_ms=5_000)
    assert await asyncio.gather(*(seen.stored(4) for _ in range(50))) == [True] * 50
    assert worker.looks < 10


async def test_waiting_has_an_end(worker: Worker) -> None:
    seen = Progress(worker.position, wait_ms=5)
    assert (await seen.stored(10**9), seen._waiting) == (False, {})


async def test_a_ledger_that_cannot_be_read_is_looked_at_again(worker: Worker) -> None:
    worker.fails = 3
    assert await Progress(worker.position, wait_ms=5_000).stored(0)


async def test_too_many_are_told_at_once(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "WAITING_MAX", 0)
    assert not await Progress(worker.position, wait_ms=5_000).stored(0)
    assert worker.looks == 0
