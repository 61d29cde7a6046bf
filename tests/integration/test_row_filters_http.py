"""Row filters end to end: what a token asks over HTTP, against the same question of an admin."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from playhead.access import Scope
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

FILES = {
    "datasources/plays.datasource": (
        "SCHEMA >\n    id UInt64 `json:$.id`,\n    country String `json:$.country`,\n"
        "    title String `json:$.title`,\n    n Int64 `json:$.n`\n\n"
        "ENGINE MergeTree\nENGINE_SORTING_KEY id\n"
        "INDEXES >\n    titles title TYPE set(100) GRANULARITY 1\n"
    ),
    "datasources/latest.datasource": (
        "SCHEMA >\n    id UInt64,\n    country String,\n    title String\n\n"
        "ENGINE Join\nENGINE_JOIN_STRICTNESS ANY\nENGINE_JOIN_TYPE LEFT\nENGINE_KEY_COLUMNS id\n"
    ),
    "pipes/recent.pipe": "NODE recent_plays\nSQL >\n    SELECT * FROM plays\n",
    "pipes/top.pipe": (
        "NODE counted\nSQL >\n    SELECT title, country, sum(n) AS total FROM recent GROUP BY ALL\n\n"
        "NODE ordered\nSQL >\n    %\n    SELECT * FROM counted WHERE title != {{String(without, '')}}\n"
        "    ORDER BY title, country\n"
        "TYPE endpoint\n"
    ),
    "pipes/joined.pipe": (
        "NODE joined_plays\nSQL >\n    SELECT p.id AS id, l.title AS title FROM plays p\n"
        "    ANY LEFT JOIN latest l ON l.id = p.id ORDER BY id\nTYPE endpoint\n"
    ),
}
ROWS = [
    {"id": 1, "country": "DE", "title": "open", "n": 1},
    {"id": 2, "country": "US", "title": "secret", "n": 666},
    {"id": 3, "country": "DE", "title": "free", "n": 3},
    {"id": 4, "country": "US", "title": "free", "n": 666},
]
LATEST = [{name: row[name] for name in ("id", "country", "title")} for row in ROWS]
GERMANY = Scope("DATASOURCES:READ", "plays", "country = 'DE'")
LATEST_OF_GERMANY = Scope("DATASOURCES:READ", "latest", "country = 'DE'")
TOP = Scope("PIPES:READ", "top")


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    made.tokens.ensure_admin(tmp_path)
    await made.build({"plays": ROWS, "latest": LATEST})
    yield made
    await made.close()


async def data(project: PipeProject, path: str, token: str, **params: Any) -> Any:
    response = await project.ask(path, token=token, params=params)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def test_an_endpoint_over_a_chain_of_pipes_hides_rows(project: PipeProject) -> None:
    token = project.token(TOP, GERMANY)
    rows = await data(project, "/v0/pipes/top.json", token)
    assert [(row["title"], row["total"]) for row in rows] == [("free", 3), ("open", 1)]
    assert len(await data(project, "/v0/pipes/top.json", project.admin)) == 4


@pytest.mark.parametrize(
    "query",
    [
        "SELECT title FROM plays", "SELECT title FROM (SELECT * FROM plays)", "SELECT title FROM top",
        "WITH c AS (SELECT * FROM plays) SELECT title FROM c",
        "SELECT p.title AS title FROM top t JOIN plays p ON p.title = t.title",
        "SELECT title FROM plays UNION ALL SELECT title FROM top",
        "SELECT title FROM plays PREWHERE toUInt8(if(title = 'secret', 'x', '1')) = 1",
        "SELECT title FROM plays WHERE toUInt8(if(title = 'secret', 'x', '1')) = 1",
        "SELECT title FROM plays AS top", "SELECT title FROM top AS plays",
    ],
)  # fmt: skip
async def test_sql_hides_rows(project: PipeProject, query: str) -> None:
    token = project.token(TOP, GERMANY)
    rows = await data(project, "/v0/sql", token, q=f"{query} FORMAT JSON")
    assert {row["title"] for row in rows} == {"open", "free"}


async def test_the_statistics_tell_nothing(project: PipeProject) -> None:
    token = project.token(TOP, GERMANY)
    response = await project.ask("/v0/pipes/top.json", token=token)
    statistics = response.json()["statistics"]
    assert (statistics["rows_read"], statistics["bytes_read"]) == (0, 0)
    assert '"rows_read":4' not in "".join(response.headers.values()).replace(" ", "")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT joinGet('latest', 'title', toUInt64(2))", "SELECT _part FROM plays",
        "SELECT * FROM plays_quarantine", "SELECT * FROM recent", "SELECT toUInt8(concat(title, 'look')) FROM plays",
    ],
)  # fmt: skip
async def test_what_would_lead_around_is_refused(project: PipeProject, query: str) -> None:
    token = project.token(TOP, GERMANY, LATEST_OF_GERMANY)
    response = await project.ask("/v0/sql", token=token, params={"q": query})
    assert response.status_code in {400, 403, 404}
    assert "secret" not in response.text
    assert "look" not in response.text


async def test_an_alias_takes_no_other_s_filter(project: PipeProject) -> None:
    token = project.token(GERMANY, LATEST_OF_GERMANY)
    query = f"SELECT title FROM plays AS `{project.database}.latest`, latest"
    response = await project.ask("/v0/sql", token=token, params={"q": query})
    assert response.status_code == 400
    assert "secret" not in response.text


async def test_the_engine_join_hides_rows_too(project: PipeProject) -> None:
    token = project.token(Scope("PIPES:READ", "joined"), LATEST_OF_GERMANY)
    rows = await data(project, "/v0/pipes/joined.json", token)
    assert [row["title"] for row in rows] == ["open", "", "free", ""]
    assert len(await data(project, "/v0/pipes/joined.json", project.admin)) == 4


async def test_fixed_parameters_win(project: PipeProject) -> None:
    token = project.token(Scope("PIPES:READ", "top", "", {"without": "secret"}))
    for path, params in (
        ("/v0/pipes/top.json", {"without": "free"}),
        ("/v0/pipes/top.json", {"q": "SELECT * FROM _", "without": ""}),
        ("/v0/sql", {"q": "SELECT * FROM top FORMAT JSON", "without": "free"}),
    ):
        rows = await data(project, path, token, **params)
        assert {row["title"] for row in rows} == {"open", "free"}


async def test_a_pipe_s_filter_is_on_its_rows(project: PipeProject) -> None:
    token = project.token(Scope("PIPES:READ", "top", "total < 100"))
    for path, params in (
        ("/v0/pipes/top.json", {}),
        (
            "/v0/pipes/top.json",
            {"q": "SELECT * FROM _ WHERE toUInt8(if(title = 'secret', 'x', '1')) = 1"},
        ),
        ("/v0/sql", {"q": "SELECT * FROM top FORMAT JSON"}),
    ):
        rows = await data(project, path, token, **params)
        assert {row["title"] for row in rows} == {"open", "free"}


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
async def test_every_form_hides_rows(project: PipeProject, format_: str) -> None:
    token = project.token(TOP, GERMANY)
    response = await project.ask(f"/v0/pipes/top.{format_}", token=token)
    assert response.status_code == 200
    assert "open" in response.text
    assert "secret" not in response.text


async def test_a_scope_of_a_pipe_is_no_scope_of_what_it_reads(project: PipeProject) -> None:
    token = project.token(TOP)
    response = await project.ask("/v0/sql", token=token, params={"q": "SELECT * FROM plays"})
    assert response.status_code in {400, 403, 404}
    assert (await project.ask("/v0/pipes/recent.json", token=token)).status_code in {403, 404}
