"""The MCP server with the client of the protocol's own SDK."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.types import TextContent

from playhead.access import Scope
from playhead.serve.mcp import answers
from support.api_fixtures import store
from support.listening import listening
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

FILES = {
    "plays.datasource": 'SCHEMA >\n    `title` String,\n    `seconds` UInt32\nENGINE_SORTING_KEY "title"\n',
    "top.pipe": (
        "DESCRIPTION >\n    The titles played longest\n\nNODE endpoint\nSQL >\n    %\n"
        "    SELECT title, seconds FROM plays WHERE seconds >= {{UInt32(least, 0, description="
        "'Least seconds', required=False)}} AND title IN {{Array(titles, 'String', 'news,film')}}"
        " ORDER BY title\nTYPE endpoint\n"
    ),
    "of_one.pipe": (
        "NODE endpoint\nSQL >\n    %\n    SELECT {{String(title, required=True)}} AS title\nTYPE endpoint\n"
    ),
}
ROWS = {"plays": [{"title": "news", "seconds": 30}, {"title": "film", "seconds": 90}]}
Use = Callable[[Client], Awaitable[Any]]


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES)
    await made.build(ROWS)
    yield made
    made.app.stop()
    await made.close()


async def with_client(project: PipeProject, use: Use, *, token: str | None = None) -> Any:
    """Return what `use` makes of a client that is connected."""
    secret = project.admin if token is None else token
    async with (
        listening(project.app) as port,
        Client(f"http://127.0.0.1:{port}/mcp?token={secret}") as client,
    ):
        return await use(client)


async def said(client: Client, tool: str, **arguments: Any) -> tuple[str, bool]:
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text, bool(result.is_error)


async def test_endpoints_are_tools_with_their_parameters(project: PipeProject) -> None:
    async def use(client: Client) -> Any:
        return {one.name: one for one in (await client.list_tools()).tools}

    tools = await with_client(project, use)
    assert set(tools) == {"list_resources", "describe", "query", "top", "of_one"}
    top = tools["top"]
    assert top.description == "The titles played longest"
    least, titles = (top.input_schema["properties"][name] for name in ("least", "titles"))
    assert (least["type"], least["default"], least["description"]) == (
        "integer",
        0,
        "Least seconds",
    )
    assert titles["items"] == {"type": "string"}
    assert tools["of_one"].input_schema["required"] == ["title"]


async def test_a_tool_answers_in_csv_unless_told_otherwise(project: PipeProject) -> None:
    async def use(client: Client) -> Any:
        return (
            await said(client, "top", least=40),
            await said(client, "top", titles=["news"], format="ndjson"),
            await said(client, "of_one"),
        )

    csv, lines, missing = await with_client(project, use)
    assert csv == ('"title","seconds"\n"film",90\n', False)
    assert lines == ('{"title":"news","seconds":30}\n', False)
    assert missing[1]
    assert "title" in missing[0]


async def test_general_tools_list_describe_and_query(project: PipeProject) -> None:
    async def use(client: Client) -> Any:
        return (
            await said(client, "list_resources"),
            await said(client, "describe", name="plays"),
            await said(client, "describe", name="top"),
            await said(client, "query", sql="SELECT sum(seconds) AS n FROM top"),
            await said(client, "query", sql="SELECT * FROM system.users"),
        )

    listed, plays, top, total, refused = await with_client(project, use)
    assert [one["name"] for one in json.loads(listed[0])["endpoints"]] == ["of_one", "top"]
    assert json.loads(plays[0])["columns"][1] == {"name": "seconds", "type": "UInt32"}
    assert [one["name"] for one in json.loads(top[0])["columns"]] == ["title", "seconds"]
    assert total == ('"n"\n120\n', False)
    assert refused[1]


async def test_the_tools_follow_the_token(project: PipeProject) -> None:
    token = project.token(Scope("PIPES:READ", "top", "seconds > 40"))

    async def use(client: Client) -> Any:
        names = {one.name for one in (await client.list_tools()).tools}
        return (
            names,
            await said(client, "top"),
            await said(client, "of_one", title="x"),
            await said(client, "query", sql="SELECT * FROM plays"),
        )

    names, top, other, sql = await with_client(project, use, token=token)
    assert "of_one" not in names
    assert top[0] == '"title","seconds"\n"film",90\n'
    assert other[1]
    assert sql[1]


async def test_nobody_is_let_in_without_a_token(project: PipeProject) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for path in ("/mcp", "/mcp?token=wrong"):
        answer = await project.http.post(path, json=body)
        assert answer.status_code == 401
    assert isinstance(answer, httpx2.Response)


async def test_calls_are_recorded(project: PipeProject) -> None:
    await project.recorder.flush()

    async def use(client: Client) -> Any:
        return await said(client, "top", least=40)

    await with_client(project, use)
    await project.recorder.flush()
    sql = "SELECT parameters, url FROM tinybird.pipe_stats_rt WHERE pipe_name = 'top' ORDER BY start_datetime DESC LIMIT 1 FORMAT JSON"
    (row,) = (await project.ask("/v0/sql", params={"q": sql})).json()["data"]
    assert (row["parameters"], row["url"]) == ({"least": "40"}, "/mcp")


async def test_a_missing_package_is_said_with_what_to_do(
    project: PipeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_SERVER", "mcp.there_is_none")
    answer = await project.ask("/mcp", method="POST", json={})
    assert answer.status_code == 404
    assert "pip install 'playhead[mcp]'" in answer.text
