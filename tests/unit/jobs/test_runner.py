import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from playhead.clock import SystemClock
from playhead.config import Config, Data
from playhead.errors import ProjectInvalid, StoreUnavailable
from playhead.jobs import runner as running
from playhead.jobs.job import Job
from playhead.jobs.runner import Runner
from playhead.jobs.table import Jobs
from playhead.jobs.work import Desk, Work
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import embedded

Act = Callable[[Work], Awaitable[None]]


class Doing:
    """A kind that does what a test says."""

    name = "test"

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.began: list[str] = []

    async def run(self, work: Work) -> None:
        self.began.append(work.job.name)
        await self.acts[work.job.name](work)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    config = msgspec.structs.replace(Config(), data=Data(dir=str(tmp_path)))
    clock = SystemClock()
    store = AsyncStoreClient(embedded(tmp_path))
    ledger = Ledger(tmp_path / "worker.db")
    log = MemoryLog(config.log, clock)

    async def append(*_: object) -> int:
        return 0

    yield Desk(config=config, clock=clock, store=store, log=log, append=append, ledger=ledger)
    ledger.close()
    await store.close()


@pytest.fixture
async def kind() -> Doing:
    return Doing()


@pytest.fixture
async def runner(tmp_path: Path, desk: Desk, kind: Doing) -> AsyncIterator[Runner]:
    jobs = Jobs(tmp_path / "jobs.db", desk.clock, kept_max=100, waiting_max=100)
    made = Runner(jobs, desk, [kind])
    made.start()
    yield made
    await made.stop()
    jobs.close()


async def nothing(_: Work) -> None:
    return


def job(name: str, writes: str = "", workspace: str = "") -> Job:
    return Job(kind="test", name=name, writes=writes, workspace=workspace)


async def test_a_job_is_done_and_keeps_what_it_was(runner: Runner, kind: Doing) -> None:
    async def act(work: Work) -> None:
        await work.keep(rows=3)
        await work.progress(5, 10)

    kind.acts["a"] = act
    done = await runner.ended((await runner.submit(job("a"))).id)
    assert (done.state, done.kept, done.done, done.runs) == ("done", {"rows": 3}, 5, 1)
    assert done.percentage == 100


async def test_those_that_write_the_same_go_one_after_the_other(
    runner: Runner, kind: Doing
) -> None:
    began, gate = asyncio.Event(), asyncio.Event()

    async def wait(_: Work) -> None:
        began.set()
        await gate.wait()

    kind.acts = {"first": wait, "second": nothing, "third": nothing}
    first = await runner.submit(job("first", "plays"))
    second = await runner.submit(job("second", "*"))
    third = await runner.submit(job("third", "plays"))
    other = await runner.submit(job("second", "plays", workspace="aabbccddeeff"))
    await began.wait()
    await runner.ended(other.id)
    # The other workspace's; which of the two begins first is open.
    assert sorted(kind.began) == ["first", "second"]
    gate.set()
    await runner.ended(third.id)
    assert kind.began[2:] == ["second", "third"]
    assert {(await runner.find(one.id)).state for one in (first, second)} == {"done"}


async def test_jobs_of_one_millisecond_keep_their_order(runner: Runner) -> None:
    ids = [runner.new_id() for _ in range(500)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


async def test_a_failure_is_told_and_can_be_tried_again(runner: Runner, kind: Doing) -> None:
    async def act(work: Work) -> None:
        if "seen" not in work.kept:
            await work.keep(seen=True)
            raise ProjectInvalid("It does not fit.")

    kind.acts["a"] = act
    made = await runner.submit(job("a"))
    assert (await runner.ended(made.id)).error == "It does not fit."
    await runner.retry(made.id)
    again = await runner.ended(made.id)
    assert (again.state, again.runs, again.error) == ("done", 2, "")


async def test_what_passes_is_waited_for(
    runner: Runner, kind: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AGAIN_S", 0.01)

    async def act(work: Work) -> None:
        if work.job.runs < 3:
            raise StoreUnavailable

    kind.acts["a"] = act
    done = await runner.ended((await runner.submit(job("a"))).id)
    assert (done.state, done.runs) == ("done", 3)


async def test_a_cancelled_job_ends_at_its_next_look(runner: Runner, kind: Doing) -> None:
    began = asyncio.Event()

    async def act(work: Work) -> None:
        began.set()
        while True:
            work.check()
            await asyncio.sleep(0.001)

    kind.acts["a"] = act
    made = await runner.submit(job("a"))
    await began.wait()
    assert (await runner.cancel(made.id)).cancelling
    assert (await runner.ended(made.id)).state == "cancelled"


async def test_a_job_that_was_cut_off_goes_on_at_the_next_start(
    tmp_path: Path, desk: Desk, kind: Doing
) -> None:
    began = asyncio.Event()

    async def act(work: Work) -> None:
        if work.job.runs == 1:
            await work.keep(piece=4)
            began.set()
            await asyncio.Event().wait()

    kind.acts["a"] = act
    jobs = Jobs(tmp_path / "other.db", desk.clock, kept_max=100, waiting_max=100)
    first = Runner(jobs, desk, [kind])
    first.start()
    made = await first.submit(job("a"))
    await began.wait()
    await first.stop()
    assert jobs.known(made.id).state == "working"
    second = Runner(jobs, desk, [kind])
    second.start()
    done = await second.ended(made.id)
    await second.stop()
    jobs.close()
    assert (done.state, done.kept, done.runs) == ("done", {"piece": 4}, 2)


async def test_a_cancel_that_finds_no_work_yet_is_seen_on_disk(
    runner: Runner, kind: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Jobs.begin

    def cancelled_behind(self: Jobs, id_: str) -> Job:
        begun = begin(self, id_)
        self.cancel(id_)
        return begun

    async def act(work: Work) -> None:
        work.check()

    monkeypatch.setattr(Jobs, "begin", cancelled_behind)
    kind.acts["a"] = act
    made = await runner.submit(job("a"))
    assert (await runner.ended(made.id)).state == "cancelled"


async def test_a_job_that_was_cancelled_before_it_began_does_nothing(
    runner: Runner, kind: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Jobs.begin

    def cancelled_before(self: Jobs, id_: str) -> Job:
        self.cancel(id_)
        return begin(self, id_)

    monkeypatch.setattr(Jobs, "begin", cancelled_before)
    kind.acts["a"] = nothing
    made = await runner.submit(job("a"))
    assert (await runner.ended(made.id)).state == "cancelled"
    assert kind.began == []
