"""Copies, sinks and populating on a running server: over HTTP, through kills, under new rows."""

import time
from collections.abc import Iterator

import pytest

from support.api_project import ApiProject
from support.server import Server

PLAYS = 'SCHEMA >\n    `title` String `json:$.title`,\n    `n` UInt32 `json:$.n`\nENGINE_SORTING_KEY "title"\n'
COPIED = 'SCHEMA >\n    `title` String,\n    `n` UInt64\nENGINE_SORTING_KEY "title"\n'
SUMS = 'SCHEMA >\n    `title` String,\n    `n` SimpleAggregateFunction(sum, UInt64)\nENGINE AggregatingMergeTree\nENGINE_SORTING_KEY "title"\n'


def pipe(sql: str, *more: str) -> str:
    return "\n".join(["NODE n", "SQL >", f"    {sql}", *more]) + "\n"


FILES = {
    "plays.datasource": PLAYS,
    "copied.datasource": COPIED,
    "sums.datasource": SUMS,
    "many.pipe": pipe(
        "SELECT toString(number % 7) AS title, number AS n FROM numbers(1200000)",
        "TYPE copy", "TARGET_DATASOURCE copied",
    ),
    "some.pipe": pipe(
        "SELECT title, sum(n) AS n FROM plays GROUP BY title",
        "TYPE copy", "TARGET_DATASOURCE copied", "COPY_MODE replace",
    ),
    "summed.pipe": pipe(
        "SELECT title, sum(toUInt64(n)) AS n FROM copied GROUP BY title",
        "TYPE materialized", "DATASOURCE sums",
    ),
    "out.connection": "TYPE file\n",
    "report.pipe": pipe(
        "SELECT title, n FROM plays ORDER BY n", "TYPE sink", "EXPORT_CONNECTION_NAME out",
        "EXPORT_SCHEDULE @on-demand", "EXPORT_BUCKET_URI file:///daily",
        "EXPORT_FILE_TEMPLATE plays", "EXPORT_WRITE_STRATEGY truncate",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProject]:
    folder = tmp_path_factory.mktemp("copies")
    env = {"PLAYHEAD_JOBS__EXPORT_DIR": str(folder / "out")}
    with Server(folder / "data", env=env) as server:
        made = ApiProject(server)
        made.build(FILES)
        made.send("plays", [{"title": "news", "n": 3}, {"title": "film", "n": 4}])
        yield made


def test_a_replacing_copy_and_what_follows_it(project: ApiProject) -> None:
    for _ in range(2):
        ended = project.ended(project.run("/v0/pipes/some/copy"))
        assert (ended["status"], ended.get("error")) == ("done", None)
        rows = project.sql("SELECT title, n FROM copied ORDER BY title")
        assert rows == [{"title": "film", "n": 4}, {"title": "news", "n": 3}]
    assert project.sql("SELECT sum(n) AS s FROM sums") == [{"s": 7}]


@pytest.mark.parametrize(
    ("role", "after_s"), [("web", 0.3), ("store", 0.5), ("web", 1.0), ("store", 1.5)]
)
def test_a_copy_goes_on_after_a_kill(project: ApiProject, role: str, after_s: float) -> None:
    project.ended(project.run("/v0/pipes/some/copy"))
    job = project.run("/v0/pipes/many/copy")
    time.sleep(after_s)
    project.server.kill(role)
    project.server.wait_ready()
    ended = project.ended(job)
    assert (ended["status"], ended.get("error")) == ("done", None)
    assert project.sql("SELECT count() AS c, sum(n) AS s FROM copied") == [
        {"c": 1_200_002, "s": 1_200_000 * 1_199_999 // 2 + 7}
    ]
    assert project.sql("SELECT sum(n) AS s FROM sums") == [{"s": 1_200_000 * 1_199_999 // 2 + 7}]


def test_populating_again_while_rows_come(project: ApiProject) -> None:
    project.ended(project.run("/v0/pipes/some/copy"))
    job = project.run("/v0/pipes/summed/nodes/n/population?truncate=true")
    project.send("copied", [{"title": "late", "n": 5}])
    assert project.ended(job)["status"] == "done"
    assert project.sql("SELECT sum(n) AS s FROM sums") == [{"s": 12}]


def test_a_sink_writes_its_file(project: ApiProject) -> None:
    ended = project.ended(project.run("/v0/pipes/report/sink"))
    assert (ended["status"], ended.get("error")) == ("done", None)
    file = project.server.data.parent / "out" / "daily" / "plays.csv"
    assert file.read_text() == '"title","n"\n"news",3\n"film",4\n'


def test_who_may_run_what(project: ApiProject) -> None:
    assert project.ask("POST", "/v0/pipes/report/copy").status_code == 400
    assert project.ask("POST", "/v0/pipes/none/copy").status_code == 404
    assert project.ask("POST", "/v0/pipes/some/copy?_mode=upsert").status_code == 400
    assert project.ask("POST", "/v0/pipes/some/copy/pause").status_code == 404
    nobody = project.ask("POST", "/v0/pipes/some/copy", headers={"Authorization": "Bearer no"})
    assert nobody.status_code in {401, 403}
