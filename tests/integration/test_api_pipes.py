"""Endpoints over a real store: the project goes live, changes, breaks; answers are kept and shared."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from playhead.access import Scope
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

PLAYS = 'SCHEMA >\n    `title` String,\n    `seconds` UInt32\nENGINE_SORTING_KEY "title"\n'


def pipe(sql: str) -> str:
    return f"NODE endpoint\nSQL >\n    {sql}\nTYPE endpoint\n"


FILES = {
    "plays.datasource": PLAYS,
    "total.pipe": pipe("SELECT sum(seconds) AS seconds FROM plays"),
    "kept.pipe": pipe("% {{cache_ttl('1m')}} SELECT sum(seconds) AS seconds FROM plays"),
    "same.pipe": pipe("% SELECT {{String(x, '')}} AS x"),
    "slow.pipe": pipe("SELECT sum(cityHash64(number)) AS n FROM numbers(2000000000)"),
}
ROWS = {"plays": [{"title": "news", "seconds": 30}, {"title": "film", "seconds": 90}]}


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    await made.build(ROWS)
    yield made
    await made.close()


async def rows(project: PipeProject, path: str, **options: Any) -> Any:
    answer = await project.ask(path, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_new_build_is_served_without_a_restart(project: PipeProject) -> None:
    assert await rows(project, "/v0/pipes/total.json") == [{"seconds": 120}]
    project.go_live({**FILES, "total.pipe": pipe("SELECT max(seconds) AS most FROM plays")})
    assert await rows(project, "/v0/pipes/total.json") == [{"most": 90}]


async def test_what_cannot_be_read_leaves_the_old_one_and_says_so(project: PipeProject) -> None:
    assert await rows(project, "/v0/pipes/total.json") == [{"seconds": 120}]
    (project.folder / "project" / "live.json").write_text('{"version": 1, "files": [')
    assert await rows(project, "/v0/pipes/total.json") == [{"seconds": 120}]
    status = (await project.ask("/v1/status")).json()["data"]["project"]
    assert status["problem"]
    assert (status["pipes"], status["datasources"]) == (4, 1)


async def test_without_a_project_playheads_tables_are_there(
    store: RunningStore, tmp_path: Path
) -> None:
    bare = PipeProject(store, tmp_path, {})
    asked = {"q": "SELECT count() AS n FROM playhead.views"}
    assert await rows(bare, "/v0/sql", params=asked) == [{"n": 0}]
    assert (await bare.ask("/v0/pipes")).json() == {"pipes": []}
    await bare.close()


async def test_an_answer_is_kept_for_its_cache_ttl(project: PipeProject) -> None:
    before = await rows(project, "/v0/pipes/kept.json")
    into = f"INSERT INTO {project.database}.plays FORMAT JSONEachRow"
    await project.store.insert_rows(into, b'{"title":"game","seconds":5}\n')
    assert await rows(project, "/v0/pipes/kept.json") == before
    assert await rows(project, "/v0/pipes/total.json") == [{"seconds": 125}]
    project.clock.advance(61_000)
    assert await rows(project, "/v0/pipes/kept.json") == [{"seconds": 125}]


async def test_an_answer_is_kept_for_one_filter_only(project: PipeProject) -> None:
    assert await rows(project, "/v0/pipes/kept.json") == [{"seconds": 120}]
    scopes = (Scope("PIPES:READ", "kept"), Scope("DATASOURCES:READ", "plays", "title = 'news'"))
    token = project.token(*scopes)
    assert await rows(project, "/v0/pipes/kept.json", token=token) == [{"seconds": 30}]


async def test_a_repeated_request_is_one_question_to_the_store(
    project: PipeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows(project, "/v0/pipes/total.json")
    asked = []
    post = project.store._post

    async def counted(call: Any) -> Any:
        asked.append(call)
        return await post(call)

    monkeypatch.setattr(project.store, "_post", counted)
    assert await rows(project, "/v0/pipes/total.json") == [{"seconds": 120}]
    assert len(asked) == 1


async def test_equal_questions_at_once_are_asked_once(
    project: PipeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows(project, "/v0/pipes/total.json")
    asked = []
    post = project.store._post

    async def counted(call: Any) -> Any:
        asked.append(call)
        await asyncio.sleep(0.1)
        return await post(call)

    monkeypatch.setattr(project.store, "_post", counted)
    answers = await asyncio.gather(*(rows(project, "/v0/pipes/total.json") for _ in range(10)))
    assert answers == [[{"seconds": 120}]] * 10
    assert len(asked) == 1


async def test_who_leaves_ends_the_query(project: PipeProject) -> None:
    asking = asyncio.create_task(project.ask("/v0/pipes/slow.json"))
    await asyncio.sleep(0.5)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    running = "SELECT count() FROM system.processes WHERE query LIKE '%cityHash64(number)%'"
    for _ in range(50):
        left = (await project.store.rows(running)).rows[0][0]
        if left <= 1:  # this question itself
            break
        await asyncio.sleep(0.1)
    assert left <= 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_long_parameters_arrive(project: PipeProject, method: str) -> None:
    text = "ä/'\\" * 2_000
    options: dict[str, Any] = {"params": {"x": text}} if method == "GET" else {"json": {"x": text}}
    if method == "GET":
        answer = await project.ask("/v0/pipes/same.json", **options)
        assert answer.status_code == 400  # longer than query.max_parameter_bytes
        assert "error" in answer.json()
    else:
        assert await rows(project, "/v0/pipes/same.json", method=method, **options) == [{"x": text}]
