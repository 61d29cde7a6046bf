"""Data sources over HTTP: what they hold, and what of it a token may know."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from playhead.access import Scope
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

PLAYS = (
    "DESCRIPTION >\n    What was played.\n\nSCHEMA >\n    `title` String `json:$.t`,\n"
    "    `seconds` Nullable(UInt32) `json:$.s`,\n    `at` DateTime DEFAULT now()\n"
    'ENGINE_SORTING_KEY "title"\n'
)
OTHER = "SCHEMA >\n    `n` UInt8\n"
ROWS: dict[str, list[dict[str, Any]]] = {"plays": [{"title": "news"}, {"title": "film"}]}


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, {"plays.datasource": PLAYS, "other.datasource": OTHER})
    await made.build(ROWS)
    yield made
    await made.close()


async def listed(project: PipeProject, path: str = "", token: str | None = None) -> list[str]:
    answer = await project.ask(f"/v0/datasources{path}", token=token)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["datasources"]]


async def test_one_says_what_it_holds(project: PipeProject) -> None:
    refused = f"INSERT INTO {project.database}.plays_quarantine (title) FORMAT JSONEachRow"
    await project.store.insert_rows(refused, b'{"title":"bad"}\n')
    said = (await project.ask("/v0/datasources/plays")).json()
    assert (said["id"], said["name"], said["kind"]) == ("plays", "plays", "project")
    assert said["description"] == "What was played."
    assert said["statistics"]["row_count"] == 2
    assert said["statistics"]["bytes"] > 0
    assert said["quarantine_rows"] == 1
    assert said["engine"]["engine"] == "MergeTree"
    assert said["engine"]["engine_sorting_key"] == "title"
    assert said["columns"][:2] == [
        {"name": "title", "type": "String", "nullable": False, "jsonpath": "$.t",
         "default_value": None},
        {"name": "seconds", "type": "Nullable(UInt32)", "nullable": True, "jsonpath": "$.s",
         "default_value": None},
    ]  # fmt: skip
    assert said["columns"][2]["default_value"] == "now()"


async def test_playheads_own_tables_are_there_when_asked_for(project: PipeProject) -> None:
    assert sorted(await listed(project)) == ["other", "plays"]
    both = await listed(project, "?playhead=true")
    assert "playhead.views" in both
    said = (await project.ask("/v0/datasources/playhead.views")).json()
    assert said["kind"] == "playhead"
    assert "view_id" in {one["name"] for one in said["columns"]}
    assert said["quarantine_rows"] is None


async def test_a_token_sees_what_it_may_read(project: PipeProject) -> None:
    one = project.token(Scope("DATASOURCES:READ", "plays"))
    assert await listed(project, "?playhead=true", token=one) == ["plays"]
    assert (await project.ask("/v0/datasources/other", token=one)).status_code == 403
    assert (await project.ask("/v0/datasources/playhead.views", token=one)).status_code == 403
    some = project.token(Scope("DATASOURCES:READ", "plays", "title = 'news'"))
    said = (await project.ask("/v0/datasources/plays", token=some)).json()
    assert said["statistics"] == {"row_count": None, "bytes": None}
    assert said["quarantine_rows"] is None
    bound = project.tokens.create("read", "bound", "site")[1]
    names = await listed(project, "?playhead=true", token=bound)
    assert names
    assert all(name.startswith("playhead.") for name in names)
    said = (await project.ask("/v0/datasources/playhead.views", token=bound)).json()
    assert said["statistics"]["row_count"] is None
    write = project.tokens.create("write", "sends")[1]
    assert await listed(project, "?playhead=true", token=write) == []


async def test_the_file_and_what_is_not_there(project: PipeProject) -> None:
    assert (await project.ask("/v0/datasources/plays.datasource")).text == PLAYS
    one = project.token(Scope("DATASOURCES:READ", "plays"))
    refused = await project.ask("/v0/datasources/plays.datasource", token=one)
    assert refused.status_code == 403
    assert (await project.ask("/v0/datasources/nope")).status_code == 404
    assert (await project.ask("/v0/datasources/playhead.nope")).status_code == 404
    assert (await project.ask("/v0/datasources/plays", token="")).status_code == 403
