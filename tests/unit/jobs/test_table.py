from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.clock import ManualClock
from playhead.errors import Conflict, NotFound, QueueFull, SchemaTooNew
from playhead.jobs.job import Job, job_id
from playhead.jobs.table import Jobs
from playhead.log.database import connect


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def jobs(tmp_path: Path, clock: ManualClock) -> Iterator[Jobs]:
    table = Jobs(tmp_path / "jobs.db", clock, kept_max=3, waiting_max=2)
    yield table
    table.close()


def one(jobs: Jobs, clock: ManualClock, kind: str = "import") -> Job:
    clock.advance(1)
    return jobs.add(Job(id=job_id(clock.now_ms()), kind=kind, name="plays", detail={"a": [1]}))


def test_a_job_comes_back_as_it_was_kept(tmp_path: Path, jobs: Jobs, clock: ManualClock) -> None:
    made = one(jobs, clock)
    jobs.begin(made.id)
    jobs.keep(made.id, {"piece": 7})
    jobs.progress(made.id, 3, 9)
    again = Jobs(tmp_path / "jobs.db", clock, kept_max=3, waiting_max=2)
    found = again.known(made.id)
    again.close()
    assert (found.state, found.kept, found.detail, found.runs) == (
        "working",
        {"piece": 7},
        {"a": [1]},
        1,
    )
    assert found.percentage == 33.33


def test_only_so_many_wait(jobs: Jobs, clock: ManualClock) -> None:
    first = one(jobs, clock)
    one(jobs, clock)
    with pytest.raises(QueueFull, match="2 jobs wait"):
        one(jobs, clock)
    jobs.begin(first.id)
    assert one(jobs, clock).state == "waiting"


def test_the_oldest_that_ended_are_forgotten(jobs: Jobs, clock: ManualClock) -> None:
    made = [one(jobs, clock)]
    jobs.begin(made[0].id)
    for _ in range(4):
        made.append(one(jobs, clock))
        jobs.end(made[-1].id, "done")
    made.append(one(jobs, clock))
    left = {job.id for job in jobs.newest()}
    assert made[0].id in left  # it works
    assert [job.id in left for job in made[1:]] == [False, False, True, True, True]


def test_what_waits_is_cancelled_at_once_and_what_works_at_its_next_step(
    jobs: Jobs, clock: ManualClock
) -> None:
    waits, works = one(jobs, clock), one(jobs, clock)
    jobs.begin(works.id)
    assert jobs.cancel(waits.id).state == "cancelled"
    assert jobs.cancel(works.id).cancelling
    with pytest.raises(Conflict, match="has ended"):
        jobs.cancel(waits.id)


def test_only_what_failed_is_tried_again_with_what_it_kept(jobs: Jobs, clock: ManualClock) -> None:
    job = one(jobs, clock)
    jobs.begin(job.id)
    jobs.keep(job.id, {"piece": 2})
    with pytest.raises(Conflict, match="working"):
        jobs.retry(job.id)
    jobs.end(job.id, "error", "Broken.")
    again = jobs.retry(job.id)
    assert (again.state, again.error, again.kept) == ("waiting", "", {"piece": 2})
    with pytest.raises(NotFound):
        jobs.retry("nobody")


def test_a_table_of_a_newer_release_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "newer.db"
    database = connect(path, mode="rwc")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(SchemaTooNew, match="99"):
        Jobs(path, clock, kept_max=1, waiting_max=1)
    assert sorted(job_id(ms) for ms in (2, 1)) != [job_id(2), job_id(1)]


def test_a_cancelled_job_does_not_begin_and_a_cancel_is_not_lost(
    tmp_path: Path, jobs: Jobs, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begin and cancel come from two threads: each is played into the other's first look."""
    first, second = one(jobs, clock), one(jobs, clock)
    other = Jobs(tmp_path / "jobs.db", clock, kept_max=3, waiting_max=2)
    known = Jobs.known

    def after(act: object) -> None:
        def looked(self: Jobs, id_: str) -> Job:
            monkeypatch.setattr(Jobs, "known", known)
            found = known(self, id_)
            getattr(other, str(act))(id_)
            return found

        monkeypatch.setattr(Jobs, "known", looked)

    after("cancel")
    jobs.begin(first.id)
    after("begin")
    jobs.cancel(second.id)
    cancelled = known(jobs, second.id)
    assert known(jobs, first.id).cancelling
    assert (cancelled.state, cancelled.runs) == ("cancelled", 0)
    assert jobs.begin(second.id).state == "cancelled"
    other.close()


def test_jobs_that_ended_long_ago_are_forgotten(jobs: Jobs, clock: ManualClock) -> None:
    ended, waits = one(jobs, clock), one(jobs, clock)
    jobs.end(ended.id, "done")
    clock.advance(10)
    jobs.forget(clock.now_ms())
    assert (jobs.find(ended.id), jobs.known(waits.id).state) == (None, "waiting")
