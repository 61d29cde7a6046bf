"""What `tb --local` asks of a server, one request at a time: tokens, its workspace, builds, variables."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from playhead.serve.pipes.workspace_answers import BUILD
from support.api_fixtures import store
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

LOCAL = {"host": "127.0.0.1:8700"}
PLAYS = "SCHEMA >\n    `title` String `json:$.title`\n"
TOTAL = "NODE total_0\nSQL >\n    SELECT count() AS plays FROM plays\n\nTYPE endpoint\n"
FILES = {"datasources/plays.datasource": PLAYS, "endpoints/total.pipe": TOTAL}


@pytest.fixture
async def server(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, {}, tb_local=True)
    yield made
    for database in ("project", "project_draft"):
        await made.store.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    for home in made.workspaces.further():
        await made.workspaces.delete(home.id)
    await made.close()


async def build(server: PipeProject, files: dict[str, str], token: str = "") -> httpx2.Response:
    parts = [("data_project://", (path, text.encode())) for path, text in files.items()]
    return await server.ask("/v1/build", method="POST", token=token or None, files=parts)


async def workspace(server: PipeProject, name: str) -> dict[str, Any]:
    answer = await server.ask("/v1/workspaces", method="POST", params={"name": name})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_program_on_this_machine_gets_the_admin_token(server: PipeProject) -> None:
    answer = await server.ask("/tokens", token="", headers=LOCAL)
    assert answer.json() == dict.fromkeys(
        ("user_token", "admin_token", "workspace_admin_token"), server.admin
    )
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "analytics.example.com"},
        {"host": "127.0.0.1.example.com:8700"},
        {**LOCAL, "origin": "http://127.0.0.1:8700"},
        {**LOCAL, "sec-fetch-site": "cross-site"},
        {**LOCAL, "x-forwarded-for": "127.0.0.1"},
        {**LOCAL, "forwarded": "for=127.0.0.1"},
        {**LOCAL, "via": "1.1 proxy"},
    ],
)
async def test_pages_proxies_and_other_names_get_no_token(
    server: PipeProject, headers: dict[str, str]
) -> None:
    answer = await server.ask("/tokens", token="", headers=headers)
    assert answer.status_code == 403
    assert server.admin not in answer.text


async def test_another_machine_gets_no_token(server: PipeProject) -> None:
    far = httpx2.ASGITransport(server.app, client=("203.0.113.9", 4000))
    async with httpx2.AsyncClient(transport=far, base_url="http://localhost") as http:
        assert (await http.get("/tokens")).status_code == 403


async def test_nobody_gets_a_token_where_others_may_reach_the_server(
    store: RunningStore, tmp_path: Path
) -> None:
    below = PipeProject(store, tmp_path, {}, tb_local=True, base_path="/playhead")
    try:
        answer = await below.ask("/tokens", token="", headers=LOCAL)
        assert answer.status_code == 403
        assert "server.base_path" in answer.json()["message"]
    finally:
        await below.close()


async def test_nobody_gets_a_token_where_it_is_switched_off(
    store: RunningStore, tmp_path: Path
) -> None:
    plain = PipeProject(store, tmp_path, {})
    try:
        answer = await plain.ask("/tokens", token="", headers=LOCAL)
        assert answer.status_code == 403
        assert "--tb-local" in answer.json()["hint"]
    finally:
        await plain.close()


async def test_the_first_folder_is_the_servers_own_project(server: PipeProject) -> None:
    first = await workspace(server, BUILD + "a" * 64)
    assert (await build(server, FILES, first["token"])).json()["result"] == "success"
    assert (await server.ask("/v0/pipes/total.json")).json()["data"] == [{"plays": 0}]
    second = await workspace(server, BUILD + "b" * 64)
    assert second["token"] != first["token"] == server.admin
    listed = (await server.ask("/v1/user/workspaces?with_organization=true")).json()["workspaces"]
    assert [one["name"] for one in listed] == [first["name"], second["name"]]
    assert (await server.ask("/v0/pipes", token=second["token"])).json()["pipes"] == []


async def test_a_project_that_cannot_be_built_leaves_what_is_live(server: PipeProject) -> None:
    assert (await build(server, FILES)).status_code == 200
    broken = TOTAL.replace("FROM plays", "FROM plaice")
    said = (await build(server, {**FILES, "endpoints/total.pipe": broken})).json()
    assert said["result"] == "failed"
    assert said["errors"] == [
        {
            "filename": "endpoints/total.pipe",
            "error": "line 3, column 34: node 'total_0': There is no data source, pipe or node"
            " 'plaice' here.",
        }
    ]
    assert (await server.ask("/v0/pipes/total.json")).status_code == 200


async def test_a_build_is_for_admins_and_needs_files(server: PipeProject) -> None:
    reading = server.tokens.create("read", "r")[1]
    assert (await build(server, FILES, reading)).status_code == 403
    assert (await build(server, {"notes.txt": "x"})).status_code == 400
    plain = await server.ask("/v1/build", method="POST", content=b"x")
    assert (plain.status_code, "multipart" in plain.json()["error"]) == (400, True)


async def test_a_second_build_of_the_same_files_changes_nothing(server: PipeProject) -> None:
    await build(server, FILES)
    said = (await build(server, FILES)).json()
    assert said["result"] == "success"
    assert [names for key, names in said["build"].items() if key.endswith("_names") and names] == []


async def test_variables_are_set_changed_and_removed_without_being_told(
    server: PipeProject, tmp_path: Path
) -> None:
    assert (await server.ask("/v0/variables/PIN")).status_code == 404
    made = await server.ask(
        "/v0/variables", method="POST", data={"name": "PIN", "value": "4711", "type": "secret"}
    )
    assert made.status_code == 200
    changed = await server.ask("/v0/variables/PIN", method="PUT", data={"value": "4712"})
    listed = await server.ask("/v0/variables")
    assert [one["name"] for one in listed.json()["variables"]] == ["PIN"]
    assert "471" not in made.text + changed.text + listed.text
    assert (tmp_path / "project/variables.json").stat().st_mode & 0o777 == 0o600
    reading = server.tokens.create("read", "r")[1]
    assert (await server.ask("/v0/variables", token=reading)).status_code == 403
    assert (await server.ask("/v0/variables/PIN", method="DELETE")).status_code == 200
    assert (await server.ask("/v0/variables")).json() == {"variables": []}


async def test_a_variable_is_what_tb_secret_finds_from_its_next_request_on(
    server: PipeProject,
) -> None:
    sql = (
        "NODE n\nSQL >\n    %\n    SELECT {{ tb_secret('PIN', 'none') }} AS pin\n\nTYPE endpoint\n"
    )
    value = "it's \\ 7"
    await server.ask("/v0/variables", method="POST", json={"name": "PIN", "value": value})
    assert (await build(server, {"pin.pipe": sql})).json()["result"] == "success"
    assert (await server.ask("/v0/pipes/pin.json")).json()["data"] == [{"pin": value}]
    await server.ask("/v0/variables/PIN", method="PUT", data={"value": "new"})
    assert (await server.ask("/v0/pipes/pin.json")).json()["data"] == [{"pin": "new"}]
    server.clock.advance(1)
    await server.ask("/v0/variables/PIN", method="DELETE")
    assert (await server.ask("/v0/pipes/pin.json")).json()["data"] == [{"pin": "none"}]


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A" * 101, "Ä"])
async def test_a_variable_has_a_plain_name(server: PipeProject, name: str) -> None:
    answer = await server.ask("/v0/variables", method="POST", json={"name": name, "value": "x"})
    assert answer.status_code == 400


async def test_what_clients_ask_besides(server: PipeProject) -> None:
    await build(server, FILES)
    found = (await server.ask("/v0/dependencies")).json()
    assert found == {"dependencies": [{"datasource": "plays", "pipes": ["total"]}]}
    assert (await server.ask("/v0/connectors")).json() == {"connectors": []}
    formatted = await server.ask("/v0/sql_format", params={"q": "select 1 from plays"})
    assert formatted.json()["q"] == "SELECT 1\nFROM plays"
    wrong = await server.ask("/v0/sql_format", params={"q": "selec"})
    assert (wrong.status_code, "Syntax error" in wrong.json()["error"]) == (400, True)
