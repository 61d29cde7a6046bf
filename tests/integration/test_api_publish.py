"""Publishing over HTTP: an endpoint more or less in the live project; builds keep it, or say why not."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from playhead.access import Scope
from playhead.build.building import build
from playhead.build.lock import locked
from playhead.build.target import BuildResult, target_of
from playhead.project.folder import read_texts
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

PLAYS = 'SCHEMA >\n    `title` String,\n    `seconds` UInt32\nENGINE_SORTING_KEY "title"\n'
TOTAL = "NODE total_0\nSQL >\n    SELECT sum(seconds) AS seconds FROM plays\nTYPE endpoint\n"
FILES = {"plays.datasource": PLAYS, "total.pipe": TOTAL}
LONG = (
    "% SELECT title FROM plays WHERE seconds > {{Int32(least, 60, description='s')}} ORDER BY title"
)


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    await built(made, FILES)
    lines = b'{"title":"news","seconds":30}\n{"title":"film","seconds":90}\n'
    await made.store.insert_rows(
        f"INSERT INTO {made.database}.plays FORMAT JSONEachRow", lines
    )  # fmt: skip
    yield made
    await made.close()


async def built(project: PipeProject, files: dict[str, str]) -> BuildResult:
    """Build a folder of these files into the project's data folder."""
    target = await target_of(project.store, project.config.pipes)
    target = msgspec.structs.replace(target, data_dir=project.folder, database=project.database)
    return await build(read_texts(files), target, project.clock)


async def publish(project: PipeProject, token: str | None = None, **given: str) -> httpx2.Response:
    return await project.ask("/v0/pipes", method="POST", json=given, token=token)


async def rows(project: PipeProject, path: str) -> Any:
    answer = await project.ask(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def names(project: PipeProject) -> dict[str, bool]:
    listed = (await project.ask("/v0/pipes")).json()["pipes"]
    return {one["name"]: one["published"] for one in listed}


async def test_sql_becomes_an_endpoint_that_answers_at_once(project: PipeProject) -> None:
    answer = await publish(project, name="long", sql=LONG, description="Long ones.")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["endpoint"], said["description"], said["warnings"]) == ("long_0", "Long ones.", [])
    assert [(one["name"], one["default"]) for one in said["params"]] == [("least", 60)]
    assert await rows(project, "/v0/pipes/long.json") == [{"title": "film"}]
    assert await rows(project, "/v0/pipes/long.json?least=1") == [
        {"title": "film"},
        {"title": "news"},
    ]
    assert await names(project) == {"total": False, "long": True}


async def test_the_file_can_be_taken_into_the_folder(project: PipeProject) -> None:
    await publish(project, name="long", sql=LONG)
    text = (await project.ask("/v0/pipes/long.pipe")).text
    result = await built(project, {**FILES, "endpoints/long.pipe": text})
    assert (result.problems, result.warnings, result.switched) == ((), (), True)
    assert await names(project) == {"long": False, "total": False}


async def test_the_text_of_a_file_is_published(project: PipeProject) -> None:
    answer = await project.ask(
        "/v0/pipes?name=most", method="POST", content=TOTAL.replace("total_0", "most_0"),
        headers={"content-type": "text/plain"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert await rows(project, "/v0/pipes/most.json") == [{"seconds": 120}]


async def test_texts_in_a_query_stay_as_they_are(project: PipeProject) -> None:
    text = "a\u2028b\x0cc  d\\\\e"
    assert (
        await publish(project, name="said", sql=f"SELECT\r\n  '{text}' AS x")
    ).status_code == 200
    assert await rows(project, "/v0/pipes/said.json") == [{"x": "a\u2028b\x0cc  d\\e"}]


async def test_check_changes_nothing(project: PipeProject) -> None:
    before = (project.folder / "project" / "live.json").read_bytes()
    said = (await publish(project, name="long", sql=LONG, check="true")).json()
    assert [one["name"] for one in said["params"]] == ["least"]
    assert said["published"] is False
    assert (project.folder / "project" / "live.json").read_bytes() == before
    assert await names(project) == {"total": False}


@pytest.mark.parametrize(
    ("sql", "status", "part"),
    [
        ("SELECT title\nFROM playz", 400, "line 2, column 6: node 'x_0': There is no data source"),
        ("SELECT * FROM url('http://a/b', 'CSV')", 400, "url"),
        ("SELECT nope FROM plays", 400, "line 1, column 8: node 'x_0'"),
        ("DROP TABLE plays", 400, "node 'x_0'"),
        ("% SELECT {{Strin(a)}}", 400, "Strin"),
        ("SELECT FROM WHERE", 400, "node 'x_0'"),
        ("", 400, "Either 'sql' or 'pipe'"),
    ],
)
async def test_what_is_refused_changes_nothing(
    project: PipeProject, sql: str, status: int, part: str
) -> None:
    before = (project.folder / "project" / "live.json").read_bytes()
    answer = await publish(project, name="x", sql=sql)
    assert answer.status_code == status, answer.text
    assert part in answer.json()["error"]
    assert answer.json()["hint"]
    assert (project.folder / "project" / "live.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("NODE a\nSQL >\n    SELECT 1\nTYPE materialized\nDATASOURCE plays\n", "only endpoints"),
        ("NODE a\nSQL >\n    SELECT 1\n", ""),
        ('TOKEN "t" READ\nNODE a\nSQL >\n    SELECT 1 AS n\nTYPE endpoint\n', "TOKEN makes tokens"),
        ("NODE a\nWHAT is this\n", "line 1, column 1: The node 'a' has no SQL."),
    ],
)
async def test_files_that_are_no_endpoint(project: PipeProject, text: str, part: str) -> None:
    answer = await publish(project, name="x", pipe=text)
    assert answer.status_code == (400 if part else 200), answer.text
    assert part in answer.json().get("error", "")


@pytest.mark.parametrize("name", ["", "9x", "a-b", "../x", "a.b", "x" * 200])
async def test_names_that_cannot_be(project: PipeProject, name: str) -> None:
    answer = await publish(project, name=name, sql="SELECT 1 AS one")
    assert answer.status_code == 400, answer.text


async def test_taken_names_are_a_conflict_until_replaced(project: PipeProject) -> None:
    for name in ("total", "plays", "total_0"):
        taken = await publish(project, name=name, sql="SELECT 1 AS n")
        assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
        assert taken.json()["error"].startswith(f"'{name}' is taken: ")
    assert (await publish(project, name="one", sql="SELECT 1 AS n")).status_code == 200
    assert (await publish(project, name="one", sql="SELECT 2 AS n")).status_code == 409
    again = await publish(project, name="one", sql="SELECT 2 AS n", replace="true")
    assert again.status_code == 200
    assert await rows(project, "/v0/pipes/one.json") == [{"n": 2}]


@pytest.mark.parametrize("name", ["views", "events", "plays_quarantine", "openapi"])
async def test_what_queries_call_something_already_cannot_be_taken(
    project: PipeProject, name: str
) -> None:
    taken = await publish(project, name=name, sql="SELECT 1 AS n")
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert await names(project) == {"total": False}


async def test_a_second_name_cannot_be_taken(project: PipeProject) -> None:
    text = "VERSION 3\n" + TOTAL.replace("total_0", "most_0")
    assert (await publish(project, name="most", pipe=text)).status_code == 200
    taken = await publish(project, name="most__v3", sql="SELECT 1 AS n")
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")


async def test_what_reads_it_is_looked_at_too(project: PipeProject) -> None:
    await publish(project, name="one", sql="SELECT 1 AS n, 2 AS m")
    await publish(project, name="two", sql="SELECT m FROM one")
    bad = await publish(project, name="one", sql="SELECT 1 AS n", replace="true")
    assert bad.status_code == 400
    assert "'two' would fail" in bad.json()["error"]
    assert await rows(project, "/v0/pipes/two.json") == [{"m": 2}]
    gone = await project.ask("/v0/pipes/one", method="DELETE")
    assert (gone.status_code, gone.json()["error"]) == (409, "The pipe 'two' reads 'one'.")


async def test_one_that_was_published_can_be_taken_away(project: PipeProject) -> None:
    await publish(project, name="one", sql="SELECT 1 AS n")
    assert (await project.ask("/v0/pipes/one", method="DELETE")).json() == {"ok": True}
    assert (await project.ask("/v0/pipes/one.json")).status_code == 404
    assert (await project.ask("/v0/pipes/one", method="DELETE")).status_code == 404
    assert (await project.ask("/v0/pipes/total", method="DELETE")).status_code == 409
    assert await names(project) == {"total": False}


async def test_who_may(project: PipeProject) -> None:
    maker = project.token(Scope("PIPES:CREATE"))
    reader = project.token(Scope("WORKSPACE:READ_ALL"))
    read = project.tokens.create("read", "reads")[1]
    bound = project.tokens.create("admin", "bound", "site")[1]
    for token in (reader, read, bound):
        refused = await publish(project, name="x", sql="SELECT 1 AS n", token=token)
        assert refused.status_code == 403, refused.text
        gone = await project.ask("/v0/pipes/total", method="DELETE", token=token)
        assert gone.status_code == 403
    assert (await publish(project, name="x", sql="SELECT 1 AS n", token=maker)).status_code == 200
    assert (await project.ask("/v0/pipes/x.json", token=maker)).status_code == 403
    assert (await project.ask("/v0/pipes/x", method="DELETE", token=maker)).status_code == 403
    dropper = project.token(Scope("PIPES:DROP"))
    assert (await project.ask("/v0/pipes/x", method="DELETE", token=dropper)).status_code == 200
    assert (await publish(project, name="x", sql="SELECT 1 AS n", token="")).status_code == 403


async def test_a_build_of_the_folder_keeps_it(project: PipeProject) -> None:
    await publish(project, name="one", sql="SELECT count() AS n FROM plays")
    unchanged = await built(project, FILES)
    assert (unchanged.changes, unchanged.switched) == ((), False)
    result = await built(project, {**FILES, "more.pipe": TOTAL.replace("total_0", "more_0")})
    assert [str(one) for one in result.changes] == ["created   pipe more"]
    assert await names(project) == {"total": False, "more": False, "one": True}
    assert await rows(project, "/v0/pipes/one.json") == [{"n": 2}]


async def test_the_name_of_the_folder_wins_with_a_warning(project: PipeProject) -> None:
    await publish(project, name="one", sql="SELECT 1 AS n")
    result = await built(project, {**FILES, "one.pipe": TOTAL.replace("total_0", "one_0")})
    (warning,) = [str(one) for one in result.warnings]
    assert "the published endpoint 'one' is not served: one.pipe has its name." in warning
    assert await rows(project, "/v0/pipes/one.json") == [{"seconds": 120}]
    assert (
        await publish(project, name="one", sql="SELECT 2 AS n", replace="true")
    ).status_code == 409
    await built(project, FILES)
    assert await rows(project, "/v0/pipes/one.json") == [{"n": 1}]


async def test_a_build_that_would_break_it_is_refused_with_a_way_out(project: PipeProject) -> None:
    await publish(project, name="one", sql="SELECT sum(seconds) AS n FROM plays")
    result = await built(project, {"other.datasource": PLAYS})
    (problem,) = [str(one) for one in result.problems]
    assert problem.startswith("published/one.pipe:")
    assert "DELETE /v0/pipes/one takes it away" in problem
    assert not result.switched
    assert await rows(project, "/v0/pipes/one.json") == [{"n": 120}]


async def test_without_a_project_and_before_the_default_one(
    store: RunningStore, tmp_path: Path
) -> None:
    bare = PipeProject(store, tmp_path, {})
    sql = "SELECT count() AS n FROM playhead.views"
    assert (await publish(bare, name="all", sql=sql)).status_code == 200
    target = await target_of(bare.store, bare.config.pipes)
    target = msgspec.structs.replace(target, data_dir=tmp_path, database=bare.database)
    result = await build(read_texts(FILES), target, bare.clock, first_only=True)
    assert result.switched
    assert await names(bare) == {"total": False, "all": True}
    await bare.close()


async def test_publishing_waits_for_a_build_and_for_each_other(project: PipeProject) -> None:
    async with locked(project.folder, project.clock, 0):
        waiting = asyncio.ensure_future(publish(project, name="a", sql="SELECT 1 AS n"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    both = [waiting, *(publish(project, name=n, sql="SELECT 1 AS n") for n in ("b", "c"))]
    assert [one.status_code for one in await asyncio.gather(*both)] == [200, 200, 200]
    assert set(await names(project)) == {"total", "a", "b", "c"}
