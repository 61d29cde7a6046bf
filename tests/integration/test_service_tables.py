"""Service data sources over a real store: what requests, operations and jobs leave in `tinybird.*`."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from playhead.access import Scope
from playhead.record.recorder import Export, JobRow, Operation, PipeCall, Size
from playhead.record.tables import Keep, make_service_tables
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

FILES = {
    "plays.datasource": 'SCHEMA >\n    `title` String,\n    `seconds` UInt32\nENGINE_SORTING_KEY "title"\n',
    "total.pipe": (
        "NODE endpoint\nSQL >\n    %\n    SELECT sum(seconds) AS total FROM plays"
        " WHERE seconds > {{Int32(least, 0)}}\nTYPE endpoint\n"
    ),
    "usage.pipe": (
        "NODE endpoint\nSQL >\n    SELECT pipe_name, count() AS n FROM tinybird.pipe_stats_rt"
        " GROUP BY pipe_name ORDER BY pipe_name\nTYPE endpoint\n"
    ),
}
ROWS = {"plays": [{"title": "news", "seconds": 30}, {"title": "film", "seconds": 90}]}


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    await made.build(ROWS)
    await made.store.command("DROP DATABASE IF EXISTS tinybird SYNC")
    yield made
    await made.close()


async def rows(project: PipeProject, sql: str, token: str | None = None) -> Any:
    answer = await project.ask("/v0/sql", params={"q": f"{sql} FORMAT JSON"}, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def called(project: PipeProject, pipe: str, workspace: str = "") -> PipeCall:
    began_ms = project.clock.now_ms()
    return PipeCall(pipe=pipe, workspace=workspace, began_ms=began_ms, duration_s=0.1, status=200)


async def test_a_request_is_a_row_with_what_it_cost(project: PipeProject) -> None:
    token = project.token(Scope("PIPES:READ", "total"))
    headers = {"user-agent": "player/1"}
    done = await project.ask("/v0/pipes/total.json?least=40", token=token, headers=headers)
    assert done.status_code == 200, done.text
    await project.recorder.flush()
    (row,) = await rows(project, "SELECT * FROM tinybird.pipe_stats_rt WHERE pipe_name = 'total'")
    assert (row["status_code"], row["error"], row["read_rows"], row["result_rows"]) == (
        200,
        0,
        2,
        1,
    )
    assert (row["parameters"], row["user_agent"]) == ({"least": "40"}, "player/1")
    assert row["token_name"].startswith("token ")
    assert "workspace_id" not in row


async def test_no_secret_is_kept(project: PipeProject) -> None:
    await project.ask(f"/v0/pipes/total.json?token={project.admin}&least=1", token="")
    await project.recorder.flush()
    (row,) = await rows(project, "SELECT * FROM tinybird.pipe_stats_rt WHERE pipe_name = 'total'")
    assert row["url"] == "/v0/pipes/total.json?least=1"
    assert project.admin not in str(row)


async def test_what_fails_is_among_the_errors_and_in_the_sums_of_the_day(
    project: PipeProject,
) -> None:
    await project.ask("/v0/pipes/total.json")
    assert (await project.ask("/v0/pipes/total.json?least=x")).status_code == 400
    await project.recorder.flush()
    (wrong,) = await rows(project, "SELECT * FROM tinybird.endpoint_errors")
    assert (wrong["pipe_name"], wrong["status_code"]) == ("total", 400)
    assert "least" in wrong["error"]
    (day,) = await rows(
        project,
        "SELECT sum(view_count) AS views, sum(error_count) AS errors,"
        " avgMerge(avg_duration_state) > 0 AS timed FROM tinybird.pipe_stats"
        " WHERE pipe_name = 'total'",
    )
    assert day == {"views": 2, "errors": 1, "timed": 1}


async def test_sql_is_the_query_api_and_pipes_may_read_the_tables(project: PipeProject) -> None:
    await rows(project, "SELECT 1")
    await project.recorder.flush()
    assert (await project.ask("/v0/pipes/usage.json")).json()["data"] == [
        {"pipe_name": "query_api", "n": 1}
    ]


async def test_operations_storage_and_jobs(project: PipeProject) -> None:
    recorder = project.recorder
    recorder.operation(
        Operation(event_type="replace", datasource="plays", rows=7, options={"a": "b"})
    )
    recorder.operation(
        Operation(event_type="append", datasource="plays", result="error", error="No.")
    )
    recorder.storage([Size(datasource="plays", rows=2, byte_count=10)])
    recorder.storage([Size(datasource="plays", rows=5, byte_count=9)])
    now_ms = project.clock.now_ms()
    for later_ms, status in ((1, "working"), (2, "done")):
        recorder.job(
            JobRow(
                id="j1",
                kind="import",
                datasource="plays",
                created_ms=now_ms,
                updated_ms=now_ms + later_ms,
                status=status,
            )
        )
    recorder.export(Export(pipe="total", rows=3, byte_count=9, output=("a.csv",)))
    await recorder.flush()
    (export,) = await rows(project, "SELECT * FROM tinybird.sinks_ops_log")
    assert (export["written_rows"], export["output"]) == (3, ["a.csv"])
    found = await rows(
        project,
        "SELECT event_type, result, rows, Options.Names AS names FROM tinybird.datasources_ops_log ORDER BY event_type",
    )
    assert [one["result"] for one in found] == ["error", "ok"]
    assert (found[1]["rows"], found[1]["names"]) == (7, ["a"])
    (size,) = await rows(project, "SELECT rows, bytes FROM tinybird.datasources_storage")
    assert size == {"rows": 5, "bytes": 10}
    assert await rows(project, "SELECT status FROM tinybird.jobs_log") == [{"status": "done"}]
    assert (await rows(project, "SELECT sum(executions) AS n FROM tinybird.datasources_ops_stats"))[
        0
    ]["n"] == 2


async def test_events_are_summed_by_the_second(project: PipeProject) -> None:
    for _ in range(3):
        project.recorder.ingested("plays", rows=10, quarantined=1, byte_count=100)
    project.recorder.ingested("plays", ok=False)
    await project.recorder.flush()
    (row,) = await rows(project, "SELECT * FROM tinybird.hfi_requests")
    assert (row["successful_requests"], row["error_requests"]) == (3, 1)
    assert (row["rows_total"], row["rows_quarantined"], row["bytes"]) == (33, 3, 300)


async def test_rows_of_another_workspace_are_not_seen(project: PipeProject) -> None:
    project.recorder.pipe(called(project, "theirs", "w2"))
    project.recorder.pipe(called(project, "ours"))
    await project.recorder.flush()
    sql = "SELECT pipe_name FROM {}.pipe_stats_rt AS p WHERE p.status_code = 200 ORDER BY pipe_name"
    assert await rows(project, sql.format("tinybird")) == [{"pipe_name": "ours"}]
    every = await rows(
        project,
        "SELECT workspace_id, pipe_name FROM organization.pipe_stats_rt WHERE pipe_name = 'theirs'",
    )
    assert every == [{"workspace_id": "w2", "pipe_name": "theirs"}]


async def test_who_may_read_pipes_reads_no_service_table(project: PipeProject) -> None:
    await project.recorder.flush()
    sql = {"q": "SELECT count() FROM tinybird.pipe_stats_rt"}
    of_pipe = project.token(Scope("PIPES:READ", "total"))
    assert (await project.ask("/v0/sql", params=sql, token=of_pipe)).status_code == 403
    everything = project.token(Scope("WORKSPACE:READ_ALL"))
    assert (await project.ask("/v0/sql", params=sql, token=everything)).status_code == 200


async def test_a_filter_reaches_into_service_tables(project: PipeProject) -> None:
    for name in ("a", "b"):
        project.recorder.pipe(called(project, name))
    await project.recorder.flush()
    token = project.token(Scope("DATASOURCES:READ", "tinybird.pipe_stats_rt", "pipe_name = 'a'"))
    found = await rows(project, "SELECT pipe_name FROM tinybird.pipe_stats_rt", token=token)
    assert found == [{"pipe_name": "a"}]
    of_all = project.token(
        Scope("DATASOURCES:READ", "organization.pipe_stats_rt", "pipe_name = 'a'")
    )
    asked = {"q": "SELECT pipe_name FROM organization.pipe_stats_rt"}
    assert (await project.ask("/v0/sql", params=asked, token=of_all)).status_code == 403


async def test_old_tables_are_made_again_and_the_time_rows_stay_follows_the_settings(
    project: PipeProject,
) -> None:
    await project.store.command("CREATE DATABASE tinybird ENGINE = Atomic")
    await project.store.command(
        "CREATE TABLE tinybird.jobs_log (job_id String) ENGINE = MergeTree ORDER BY tuple()"
    )
    await make_service_tables(project.store)
    await make_service_tables(project.store, Keep(requests_days=3, days=30))
    found = await project.store.rows(
        "SELECT name, engine_full FROM system.tables WHERE database = 'tinybird'"
        " AND name IN ('jobs_log', 'pipe_stats_rt') ORDER BY name"
    )
    (_, jobs), (_, stats) = found.rows
    assert "toIntervalDay(30)" in jobs
    assert "toIntervalDay(3)" in stats


async def test_what_is_too_much_is_dropped_and_counted(project: PipeProject) -> None:
    project.recorder._rows_max = 2
    for _ in range(5):
        project.recorder.operation(Operation(event_type="append", datasource="plays"))
    assert (project.recorder.pending(), project.recorder.dropped) == (2, 3)
    await project.recorder.flush()
    assert (await project.ask("/v1/status")).json()["data"]["records"] == {
        "pending": 0,
        "dropped": 3,
    }
