"""Workspaces: each with its own project, tables and tokens, and no look into another."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import jwt
import pytest

from playhead.errors import DataDirBusy, RowsUnsettled
from playhead.jobs.job import Job
from playhead.jobs.work import JobCancelled, Work
from playhead.log.lock import SharedLock
from playhead.project.homes import FOLDER
from playhead.serve.workspace_jobs import WorkspaceJobs
from playhead.serve.workspaces import Workspaces
from support.answering import insert_views, view_row
from support.api_fixtures import store
from support.job_desk import job_desk, running
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

PLAYS = "SCHEMA >\n    `title` String `json:$.title`\n"
TOTAL = "NODE total_0\nSQL >\n    SELECT count() AS plays FROM plays\n\nTYPE endpoint\n"
SEEN = "NODE seen_0\nSQL >\n    SELECT count() AS views FROM playhead.views\n\nTYPE endpoint\n"
FILES = {"datasources/plays.datasource": PLAYS, "pipes/total.pipe": TOTAL}
TEST = "Tinybird_Local_Test_one"


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES, limits={"max_workspaces": 3})
    await made.build({"plays": [{"title": "a"}, {"title": "b"}]})
    yield made
    for home in made.workspaces.further():
        await made.workspaces.delete(home.id)
    await made.close()


async def made_in(project: PipeProject, name: str) -> dict[str, Any]:
    answer = await project.ask("/v1/workspaces", method="POST", params={"name": name})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def built_in(project: PipeProject, token: str, files: dict[str, str]) -> dict[str, Any]:
    parts = [("data_project://", (path, text.encode())) for path, text in files.items()]
    answer = await project.ask("/v1/build", method="POST", token=token, files=parts)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def databases(project: PipeProject) -> set[str]:
    rows = (await project.store.rows("SELECT name FROM system.databases")).rows
    return {str(name) for (name,) in rows if str(name).startswith("ws_")}


async def test_each_has_a_project_of_its_own(project: PipeProject) -> None:
    token = (await made_in(project, "mine"))["token"]
    said = await built_in(project, token, {**FILES, "pipes/more.pipe": TOTAL.replace("_0", "_1")})
    assert said["result"] == "success"
    assert said["build"]["new_pipe_names"] == ["more", "total"]
    mine = await project.ask("/v0/pipes/total.json", token=token)
    assert mine.json()["data"] == [{"plays": 0}]
    assert (await project.ask("/v0/pipes/total.json")).json()["data"] == [{"plays": 2}]
    assert (await project.ask("/v0/pipes/more.json")).status_code == 404


async def test_nothing_of_the_main_one_is_seen(project: PipeProject, store: RunningStore) -> None:
    insert_views(store, view_row())
    token = (await made_in(project, "mine"))["token"]
    main = project.database
    for sql in (
        "SELECT * FROM plays",
        f"SELECT * FROM {main}.plays",
        "SELECT * FROM project.plays",
    ):
        answer = await project.ask("/v0/sql", token=token, params={"q": sql})
        assert answer.status_code == 400, answer.text
    await built_in(project, token, {"pipes/seen.pipe": SEEN})
    seen = await project.ask("/v0/pipes/seen.json", token=token)
    assert seen.json()["data"] == [{"views": 0}]
    plain = await project.ask(
        "/v0/sql", token=token, params={"q": "SELECT count() AS n FROM views"}
    )
    assert '"n": 0' in plain.text
    own = await project.ask("/v0/datasources", token=token, params={"playhead": "true"})
    assert [one for one in own.json()["datasources"] if one["statistics"]["row_count"]] == []


@pytest.mark.parametrize("path", ["/v1/views", "/v1/status", "/v1/metrics", "/v1/quarantine"])
async def test_its_tokens_do_not_reach_the_views_of_the_main_one(
    project: PipeProject, path: str
) -> None:
    token = (await made_in(project, "mine"))["token"]
    answer = await project.ask(path, token=token)
    assert answer.status_code == 403
    assert "further workspace" in answer.json()["message"]
    session = await project.ask("/v1/session", method="POST", token=token)
    assert session.status_code == 403


async def test_its_tokens_are_its_own(project: PipeProject) -> None:
    made = await made_in(project, "mine")
    scope = {"name": "reader", "scope": "PIPES:READ:total"}
    answer = await project.ask("/v0/tokens", method="POST", token=made["token"], params=scope)
    names = [one["name"] for one in (await project.ask("/v0/tokens")).json()["tokens"]]
    assert "reader" not in names
    await built_in(project, made["token"], FILES)
    reading = await project.ask("/v0/pipes/total.json", token=answer.json()["token"])
    assert reading.json()["data"] == [{"plays": 0}]
    mine = (await project.ask("/v1/user/workspaces", token=made["token"])).json()["workspaces"]
    assert [one["name"] for one in mine] == ["mine"]
    for method, path in (("POST", "/v1/workspaces?name=x"), ("DELETE", "/v1/workspaces/mine")):
        assert (await project.ask(path, method=method, token=made["token"])).status_code == 403


async def test_a_jwt_is_good_in_the_workspace_that_signed_it(project: PipeProject) -> None:
    made = await made_in(project, "mine")
    await built_in(project, made["token"], FILES)
    payload = {
        "workspace_id": made["id"], "name": "page", "exp": int(time.time()) + 60,
        "scopes": [{"type": "PIPES:READ", "resource": "total"}],
    }  # fmt: skip
    signed = jwt.encode(payload, made["token"], algorithm="HS256")
    answer = await project.ask("/v0/pipes/total.json", token=signed)
    assert answer.json()["data"] == [{"plays": 0}]
    foreign = jwt.encode(payload, project.admin, algorithm="HS256")
    assert (await project.ask("/v0/pipes/total.json", token=foreign)).status_code == 403


async def test_deletion_takes_tables_folder_and_tokens(
    project: PipeProject, tmp_path: Path
) -> None:
    made = await made_in(project, "mine")
    await built_in(project, made["token"], FILES)
    assert len(await databases(project)) == 2
    path = f"/v1/workspaces/{made['id']}"
    assert (await project.ask(path, method="DELETE")).status_code == 400
    sure = {"hard_delete_confirmation": "yes"}
    assert (await project.ask(path, method="DELETE", params=sure)).status_code == 200
    assert await databases(project) == set()
    assert list((tmp_path / FOLDER).iterdir()) == []
    assert (await project.ask("/v0/pipes", token=made["token"])).status_code == 403
    assert (await project.ask(path, method="DELETE", params=sure)).status_code == 404


async def test_the_main_one_stays(project: PipeProject) -> None:
    main = (await project.ask("/v1/user/workspaces")).json()["workspaces"][0]
    for name in (main["id"], main["name"]):
        answer = await project.ask(
            f"/v1/workspaces/{name}", method="DELETE", params={"hard_delete_confirmation": "yes"}
        )
        assert answer.status_code == 409
    assert (await project.ask("/v0/pipes/total.json")).status_code == 200


async def test_names_are_taken_once_and_their_number_is_limited(project: PipeProject) -> None:
    await made_in(project, "one")
    again = await project.ask("/v1/workspaces", method="POST", params={"name": "one"})
    assert (again.status_code, "already" in again.json()["error"]) == (409, True)
    assert (await project.ask("/v1/workspaces", method="POST")).status_code == 400
    await made_in(project, "two")
    await made_in(project, "three")
    more = await project.ask("/v1/workspaces", method="POST", params={"name": "four"})
    assert (more.status_code, "limit" in more.json()["error"]) == (409, True)


async def test_workspaces_outlive_a_restart(project: PipeProject) -> None:
    made = await made_in(project, "mine")
    anew = Workspaces(project.config, project.store, project.tokens, project.clock)
    grant = anew.resolve(made["token"])
    assert grant is not None
    assert anew.of(grant.workspace).name == "mine"
    assert anew.main_name() == project.workspaces.main_name()
    await anew.close()


async def test_a_test_run_is_swept_when_nobody_asks_any_more(project: PipeProject) -> None:
    tested, kept = await made_in(project, TEST), await made_in(project, "kept")
    project.clock.advance(50_000)
    assert (await project.ask("/v0/pipes", token=tested["token"])).status_code == 200
    project.clock.advance(50_000)
    await project.workspaces.sweep()
    assert (await project.ask("/v0/pipes", token=tested["token"])).status_code == 200
    project.clock.advance(61_000)
    await project.workspaces.sweep()
    assert (await project.ask("/v0/pipes", token=tested["token"])).status_code == 403
    assert (await project.ask("/v0/pipes", token=kept["token"])).status_code == 200


async def test_a_deletion_that_was_cut_off_is_ended_later(
    project: PipeProject, tmp_path: Path
) -> None:
    home = await project.workspaces.create("mine")
    home.tokens.close()
    home.folder.rename(home.folder.with_name(f"{home.id}.gone"))
    del project.workspaces._homes[home.id]
    assert await databases(project)
    await project.workspaces.sweep()
    assert await databases(project) == set()
    assert list((tmp_path / FOLDER).iterdir()) == []


class Enduring:
    """A job that runs until it is cancelled, and then says whether its folder is still there."""

    name = "enduring"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = asyncio.Event()
        self.saw: list[bool] = []

    async def run(self, work: Work) -> None:
        self.began.set()
        try:
            while True:
                work.check()
                await asyncio.sleep(0.01)
        except JobCancelled:
            self.saw.append(self.folder.exists())
            raise


async def test_jobs_of_a_workspace_end_before_it_goes(project: PipeProject) -> None:
    home = await project.workspaces.create("mine")
    kind = Enduring(home.folder)
    async with job_desk(project) as desk, running(desk, [kind]) as runner:
        project.workspaces.ending = WorkspaceJobs(runner)
        job = await runner.submit(Job(kind=kind.name, workspace=home.id))
        await kind.began.wait()
        await project.workspaces.delete(home.id)
        assert (await runner.find(job.id)).state == "cancelled"
    assert kind.saw == [True]


async def test_a_workspace_stays_while_rows_are_on_their_way(project: PipeProject) -> None:
    home = await project.workspaces.create("mine")
    lock = home.folder / "project" / "build.lock"
    rows = SharedLock(lock)
    deletion = asyncio.create_task(project.workspaces.delete(home.id))
    while True:  # until the deletion waits for the rows
        try:
            SharedLock(lock).release()
        except DataDirBusy:
            break
        if deletion.done():
            break
        await asyncio.sleep(0.01)
    project.clock.advance(120_000)
    with pytest.raises(RowsUnsettled):
        await deletion
    assert project.workspaces.of(home.id).folder.exists()
    rows.release()
    await project.workspaces.delete(home.id)
    assert not home.folder.exists()


async def test_what_came_too_late_for_a_deleted_workspace_is_swept(
    project: PipeProject, tmp_path: Path
) -> None:
    kept = await project.workspaces.create("kept")
    folder = tmp_path / FOLDER / "0123456789ab"
    (folder / "project").mkdir(parents=True)
    for database in ("ws_0123456789ab_jobs", "ws_ba9876543210"):
        await project.store.command(f"CREATE DATABASE {database}")
    await project.workspaces.sweep()
    assert await databases(project) == {f"ws_{kept.id}", f"ws_{kept.id}_playhead"}
    assert list((tmp_path / FOLDER).iterdir()) == [kept.folder]
