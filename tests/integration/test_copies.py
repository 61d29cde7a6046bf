"""Copies, populating and sinks over a real store: each row once, also when the job is cut off."""

import gzip
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.jobs import replacing
from playhead.jobs.copies import Asked, Copies, copy_job, job_of
from playhead.jobs.draft import Draft
from playhead.jobs.job import Job
from playhead.jobs.leftovers import Leftovers
from playhead.jobs.populate import Asked as Populating
from playhead.jobs.populate import Populate, populate_job
from playhead.jobs.projects import Projects
from playhead.jobs.schedules import FILE, Schedules
from playhead.jobs.sinks import Sinks, sink_job
from playhead.jobs.table import DATABASE_FILE, Jobs
from playhead.jobs.work import Desk, JobCancelled, Work
from playhead.model.command import Command
from playhead.store import pour as pouring
from support.api_fixtures import store
from support.job_desk import done, job_desk, running
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

PLAYS = 'SCHEMA >\n    `title` String,\n    `seconds` UInt32\nENGINE_SORTING_KEY "title"\n'
TOTALS = (
    "SCHEMA >\n    `title` String,\n    `seconds` UInt64,\n    `at` DateTime DEFAULT now(),\n"
    "    `kind` String DEFAULT 'copied'\nENGINE_SORTING_KEY \"title\"\n"
)
LONGEST = 'SCHEMA >\n    `title` String,\n    `most` SimpleAggregateFunction(max, UInt32)\nENGINE AggregatingMergeTree\nENGINE_SORTING_KEY "title"\n'


def node(kind: str, sql: str, *more: str) -> str:
    return "\n".join([f"NODE {kind}_0", "SQL >", f"    {sql}", f"TYPE {kind}", *more]) + "\n"


FILES = {
    "plays.datasource": PLAYS,
    "totals.datasource": TOTALS,
    "longest.datasource": LONGEST,
    "totals_copy.pipe": node(
        "copy",
        "%\n    SELECT title, sum(seconds) AS seconds, toDateTime({{String(job_timestamp)}}) AS at"
        " FROM plays AS p WHERE p.seconds >= {{UInt32(least, 0)}} GROUP BY title",
        "TARGET_DATASOURCE totals",
    ),
    "wrong_copy.pipe": node("copy", "SELECT title AS name FROM plays", "TARGET_DATASOURCE totals"),
    "odd_copy.pipe": node(
        "copy", "SELECT title, title AS seconds FROM plays", "TARGET_DATASOURCE totals"
    ),
    "longest_view.pipe": node(
        "materialized",
        "SELECT title, max(seconds) AS most FROM plays GROUP BY title",
        "DATASOURCE longest",
    ),
    "out.connection": "TYPE file\n",
    "reports.pipe": node(
        "sink",
        "SELECT title, sum(seconds) AS seconds FROM plays GROUP BY title ORDER BY title",
        "EXPORT_CONNECTION_NAME out",
        "EXPORT_SCHEDULE @on-demand",
        "EXPORT_BUCKET_URI file:///reports",
        "EXPORT_FILE_TEMPLATE by_title/{title}",
        "EXPORT_FORMAT ndjson",
        "EXPORT_COMPRESSION gz",
    ),
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "plays": [
        {"title": "news", "seconds": 30},
        {"title": "news", "seconds": 5},
        {"title": "../film", "seconds": 90},
    ]
}


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    jobs = msgspec.structs.replace(made.config.jobs, export_dir=str(tmp_path / "out"))
    made.config = msgspec.structs.replace(made.config, jobs=jobs)
    await made.build(ROWS)
    yield made
    await made.close()


async def asked(project: PipeProject, sql: str) -> list[list[Any]]:
    return (await project.store.rows(sql.format(db=project.database))).rows


async def ran(project: PipeProject, job: Job) -> Job:
    async with job_desk(project) as desk:
        projects = Projects(desk)
        kinds = (Copies(projects), Populate(projects), Sinks(projects))
        async with running(desk, kinds) as runner:
            return await done(runner, job)


async def tables(project: PipeProject) -> int:
    found = await asked(
        project,
        "SELECT count() FROM system.tables WHERE startsWith(database, '{db}_')",
    )
    return int(found[0][0])


async def test_a_copy_appends_what_its_query_makes(project: PipeProject) -> None:
    job = copy_job(Asked(pipe="totals_copy", params={"least": "10"}), target="totals", workspace="")
    ended = await ran(project, job)
    assert (ended.state, ended.error, ended.done) == ("done", "", 2)
    rows = await asked(project, "SELECT title, seconds, kind FROM {db}.totals ORDER BY title")
    assert rows == [["../film", 90, "copied"], ["news", 30, "copied"]]
    at = await asked(project, "SELECT DISTINCT toUnixTimestamp(at) FROM {db}.totals")
    assert at == [[ended.created_at // 1000]]
    assert await tables(project) == 0


@pytest.mark.parametrize(
    ("pipe", "said"),
    [("wrong_copy", "'name', which 'totals' does not have"), ("odd_copy", "Cannot parse")],
)
async def test_what_does_not_fit_copies_nothing(project: PipeProject, pipe: str, said: str) -> None:
    ended = await ran(project, copy_job(Asked(pipe=pipe), target="totals", workspace=""))
    assert ended.state == "error"
    assert said in ended.error
    assert await asked(project, "SELECT count() FROM {db}.totals") == [[0]]


class Cut(BaseException):
    """Where a kill is played: nothing of the job runs after it."""


@pytest.mark.parametrize("at", range(10))
async def test_a_copy_that_is_cut_off_anywhere_copies_each_row_once(
    project: PipeProject, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement and every note is a step: the run ends before the `at`-th of them."""
    monkeypatch.setattr(pouring, "BLOCK_ROWS_MAX", 1)
    job = copy_job(Asked(pipe="totals_copy"), target="totals", workspace="")
    async with job_desk(project) as desk:
        kind = Copies(Projects(desk))
        async with running(desk, ()) as runner:
            job = runner.jobs.add(msgspec.structs.replace(job, id="one"))
            steps = _Steps(desk, at, monkeypatch)
            with pytest.raises(Cut):
                await kind.run(Work(runner.jobs.begin("one"), runner.jobs, desk))
            steps.go_on()
            await kind.run(Work(runner.jobs.begin("one"), runner.jobs, desk))
    rows = await asked(project, "SELECT title, seconds FROM {db}.totals ORDER BY title")
    assert rows == [["../film", 90], ["news", 35]]
    assert await tables(project) == 0


class _Steps:
    """Counts what a job does, and ends it at a step, before or after that was done."""

    def __init__(self, desk: Desk, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: float = at
        command, keep = type(desk.store).command, Work.keep

        async def counted(store: Any, *args: Any, **more: Any) -> None:
            await command(store, *args, **more)
            self._step()

        async def kept(work: Work, **state: Any) -> None:
            self._step()
            await keep(work, **state)

        monkeypatch.setattr(type(desk.store), "command", counted)
        monkeypatch.setattr(Work, "keep", kept)

    def go_on(self) -> None:
        self._left = float("inf")

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cut


@pytest.mark.parametrize("at", range(0, 11, 2))
@pytest.mark.parametrize("mode", ["append", "replace"])
async def test_a_copy_that_is_cancelled_anywhere_copies_all_or_nothing(
    project: PipeProject, mode: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "BLOCK_ROWS_MAX", 1)
    sent: list[Command] = []

    async def send(_: Work, command: Command) -> None:
        sent.append(command)

    monkeypatch.setattr(replacing, "commanded", send)
    job = copy_job(Asked(pipe="totals_copy", mode=mode), target="totals", workspace="")
    job = msgspec.structs.replace(job, id="00000000-0000-7000-8000-00000000000f")
    async with job_desk(project) as desk:
        ended = await _cancelled(desk, Copies(Projects(desk)), job, at, monkeypatch)
    [[rows]] = await asked(project, "SELECT count() FROM {db}.totals")
    assert ended == ("done" if rows or sent else "cancelled")
    assert rows in {0, 2}
    assert await tables(project) == 0


@pytest.mark.parametrize("at", range(0, 13, 2))
async def test_populating_that_is_cancelled_anywhere_is_done_or_changed_nothing(
    project: PipeProject, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "BLOCK_ROWS_MAX", 1)
    await project.store.command(f"INSERT INTO {project.database}.longest VALUES ('old', 1)")
    wanted = Populating(pipe="longest_view", truncate=True)
    job = msgspec.structs.replace(
        populate_job(wanted, target="longest", workspace=""),
        id="00000000-0000-7000-8000-00000000000f",
    )
    async with job_desk(project) as desk:
        ended = await _cancelled(desk, Populate(Projects(desk)), job, at, monkeypatch)
    titles = await asked(project, "SELECT groupUniqArray(title) FROM {db}.longest")
    assert set(titles[0][0]) == ({"old"} if ended == "cancelled" else {"news", "../film"})
    assert await tables(project) == 0


async def _cancelled(
    desk: Desk, kind: Any, job: Job, at: int, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Cut a job off before its `at`-th step, cancel it, go on with it; return how it ended."""
    jobs = Jobs(desk.config.data_dir / DATABASE_FILE, desk.clock, kept_max=9, waiting_max=9)
    jobs.add(job)
    steps = _Steps(desk, at, monkeypatch)
    with suppress(Cut):
        await kind.run(Work(jobs.begin(job.id), jobs, desk))
    steps.go_on()
    jobs.cancel(job.id)
    try:
        await kind.run(Work(jobs.begin(job.id), jobs, desk))
    except JobCancelled:
        return "cancelled"
    finally:
        jobs.close()
    return "done"


async def test_what_jobs_left_is_removed_unless_they_go_on(project: PipeProject) -> None:
    gone, kept = ("00000000-0000-7000-8000-00000000000" + n for n in "12")
    for job in (gone, kept):
        draft, short = Draft(project.database, job), job.replace("-", "")
        await draft.fill(project.store, "SELECT 1 AS a", {})
        for name in (f"job_{short}", f"new_{short[-12:]}_0", f"new_{short[-12:]}_0_raw"):
            await project.store.command(f"CREATE DATABASE {project.database}_{name}")
    found = await Leftovers(project.store, [project.database]).sweep(lambda: [kept])
    assert len(found) == 4
    assert await Leftovers(project.store, [project.database]).sweep(lambda: [kept]) == []
    left = await Leftovers(project.store, [project.database]).sweep(list)
    assert len(left) == 4
    assert await asked(project, "SELECT count() FROM {db}.plays") == [[3]]


async def test_rows_that_are_there_go_through_a_node_again(project: PipeProject) -> None:
    view = f"CREATE MATERIALIZED VIEW {project.database}.live TO {project.database}.longest AS"
    sql = f"SELECT title, max(seconds) AS most FROM {project.database}.plays GROUP BY title"
    await project.store.command(f"{view} {sql}")
    await project.store.command(f"INSERT INTO {project.database}.longest VALUES ('old', 1)")
    job = Populating(pipe="longest_view", condition="seconds > 10", truncate=True)
    ended = await ran(project, populate_job(job, target="longest", workspace=""))
    assert (ended.state, ended.error) == ("done", "")
    rows = await asked(project, "SELECT title, max(most) FROM {db}.longest GROUP BY 1 ORDER BY 1")
    assert rows == [["../film", 90], ["news", 30]]
    assert await tables(project) == 0


async def test_a_sink_writes_a_file_for_each_value(project: PipeProject, tmp_path: Path) -> None:
    job = sink_job(Asked(pipe="reports", due_ms=1_700_000_000_000), workspace="")
    job = msgspec.structs.replace(job, id="00000000-0000-7000-8000-0000000000ab")
    ended = await ran(project, job)
    assert (ended.state, ended.error) == ("done", "")
    folder = tmp_path / "out" / "reports" / "by_title"
    found = {p.name: json.loads(gzip.decompress(p.read_bytes())) for p in folder.iterdir()}
    assert found == {
        "__film_20231114T221320_000000ab.ndjson.gz": {"title": "../film", "seconds": 90},
        "news_20231114T221320_000000ab.ndjson.gz": {"title": "news", "seconds": 35},
    }


async def test_what_falls_due_becomes_one_job(project: PipeProject) -> None:
    hourly = FILES["totals_copy.pipe"] + "COPY_SCHEDULE 0 * * * *\n"
    project.go_live({**FILES, "totals_copy.pipe": hourly})
    async with job_desk(project) as desk:
        projects = Projects(desk)
        async with running(desk, (Copies(projects),)) as runner:
            schedules = Schedules(runner, projects, job_of)
            await schedules.look()
            before = (project.folder / FILE).read_bytes()
            assert await runner.newest() == []
            project.clock.advance(3_600_000)
            await schedules.look()
            await schedules.look()
            [job] = await runner.newest()
            assert (await runner.ended(job.id)).state == "done"
            # As if it was killed before it noted what it had made.
            (project.folder / FILE).write_bytes(before)
            await schedules.look()
            assert len(await runner.newest()) == 1
    at = await asked(project, "SELECT DISTINCT toUnixTimestamp(at) % 3600 FROM {db}.totals")
    assert at == [[0]]


async def test_a_schedule_that_rests_makes_nothing(project: PipeProject) -> None:
    hourly = FILES["totals_copy.pipe"] + "COPY_SCHEDULE 0 * * * *\n"
    project.go_live({**FILES, "totals_copy.pipe": hourly})
    async with job_desk(project) as desk:
        projects = Projects(desk)
        async with running(desk, (Copies(projects),)) as runner:
            schedules = Schedules(runner, projects, job_of)
            await schedules.look()
            live = (await projects.newest("")).workspace.project
            await schedules.pause(project.folder, live, "totals_copy", paused=True)
            project.clock.advance(7_200_000)
            await schedules.look()
            assert await runner.newest() == []
            await schedules.pause(project.folder, live, "totals_copy", paused=False)
            await schedules.look()
            assert await runner.newest() == []
