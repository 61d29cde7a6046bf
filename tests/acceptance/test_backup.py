"""Backup under load, the data deleted, restore: equal answers, and then events go on."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.api_project import ApiProject
from support.books import result_of, start_load, wrong_views
from support.server import Server

FILES = {
    "plays.datasource": (
        "SCHEMA >\n    `title` String `json:$.title`,\n    `n` UInt32 `json:$.n`\n"
        'ENGINE_SORTING_KEY "title"\n'
    ),
    "sums.datasource": (
        "SCHEMA >\n    `title` String,\n    `n` SimpleAggregateFunction(sum, UInt64)\n"
        'ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY "title"\n'
    ),
    "known.datasource": (
        "SCHEMA >\n    `title` String `json:$.title`,\n    `year` UInt16 `json:$.year`\n"
        'ENGINE "Join"\nENGINE_JOIN_STRICTNESS "ANY"\nENGINE_JOIN_TYPE "LEFT"\n'
        'ENGINE_KEY_COLUMNS "title"\n'
    ),
    "summed.pipe": (
        "NODE n\nSQL >\n    SELECT title, sum(toUInt64(n)) AS n FROM plays GROUP BY title\n"
        "TYPE materialized\nDATASOURCE sums\n"
    ),
}
CDN = b'{"time":"%s","status":200,"bytes":1000,"path":"/a/video/seg-1.ts","cdn":"edge"}\n'
SQL = (
    "SELECT title, sum(n) AS n, count() AS c FROM plays GROUP BY title ORDER BY title",
    "SELECT title, sum(n) AS n FROM sums GROUP BY title ORDER BY title",
    "SELECT title, year FROM known ORDER BY title",
)


def run(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a command of `playhead` prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "playhead", *arguments],
        capture_output=True, text=True, timeout=120, check=False, env=dict(env) if env else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def back_up(server: Server, place: Path) -> dict[str, Any]:
    said = run("backup", "--to", str(place), "--data", str(server.data), "--json")
    made: dict[str, Any] = json.loads(said)
    return made


def answers(project: ApiProject, span: Mapping[str, str]) -> dict[str, bytes]:
    """The answers of a fixed set of questions, without what says how new they are."""
    asked = {
        "/v1/metrics/views/overall": span,
        "/v1/metrics/watch_time/timeseries": {**span, "interval": "1m"},
        "/v1/metrics/views/breakdown": {**span, "group_by": "video_id"},
        "/v1/views": {**span, "limit": "200"},
        "/v1/cdn/kpis": {**span, "interval": "all", "group_by": "cdn"},
        "/v1/quarantine": {**span},
    }
    found = {}
    for path, params in asked.items():
        found[path] = msgspec.json.encode(project.server.get(path, **params)["data"])
    for query in SQL:
        found[query] = msgspec.json.encode(project.sql(query))
    for path in ("/v0/tokens", "/v0/jobs", "/v0/pipes"):
        answer = project.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found[path] = answer.content
    return found


def span_of(server: Server) -> dict[str, str]:
    """The day up to now, as fixed times."""
    now = server.get("/v1/status")["meta"]["now"]
    since = datetime.fromisoformat(now) - timedelta(days=1)
    return {"from": since.isoformat(), "to": now}


def broken_views(data: Path) -> list[Any]:
    """Views whose stored events are not 0 to n - 1, each once, or whose row says something else."""
    client = StoreClient(embedded(data))
    try:
        return client.rows(
            "SELECT e.view_id, e.c, e.u, e.m, v.events FROM (SELECT view_id, count() AS c,"
            " uniqExact(seq) AS u, max(seq) AS m FROM events GROUP BY view_id) AS e"
            " LEFT JOIN (SELECT view_id, events FROM views FINAL) AS v ON e.view_id = v.view_id"
            " WHERE NOT (e.c = e.u AND e.u = e.m + 1 AND v.events = e.c)"
        ).rows
    finally:
        client.close()


def fill(server: Server, project: ApiProject) -> None:
    project.build(FILES)
    project.send("plays", [{"title": f"film {n % 7}", "n": n} for n in range(500)])
    project.send("known", [{"title": f"film {n}", "year": 2000 + n} for n in range(7)])
    now = server.get("/v1/status")["meta"]["now"].encode()
    assert server.http.post(f"{server.url}/logs/cdn", content=CDN % now * 20).status_code == 200
    assert server.send([{"eventName": "no such"}]).status_code in {200, 400}
    made = project.ask("POST", "/v0/tokens", params={"name": "wall", "scope": "PIPES:READ:summed"})
    assert made.status_code == 200, made.text
    project.ended(project.run("/v0/datasources/known/truncate"))
    project.send("known", [{"title": f"film {n}", "year": 1990 + n} for n in range(5)])
    send_once(project)


def send_once(project: ApiProject) -> None:
    """Send a row under a key: however often, it is there once."""
    headers, row = {"Idempotency-Key": "one"}, b'{"title":"once","n":1}'
    sent = project.ask("POST", "/v0/events?name=plays&wait=true", headers=headers, content=row)
    assert sent.status_code == 200, sent.text


@pytest.mark.slow
def test_a_restored_folder_answers_the_same_and_goes_on(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        project = ApiProject(server)
        fill(server, project)
        load = start_load(server, tmp_path / "one.json", rate=40, seconds=6, seed=1)
        under_load = back_up(server, place)
        load.wait(60)
        status = server.wait_until_stored()
        assert status["events"]["equation_holds"]
        span = span_of(server)
        before = answers(project, span)
        quiet = back_up(server, place)
        load = start_load(server, tmp_path / "two.json", rate=40, seconds=2, seed=2)
        load.wait(60)
        server.wait_until_stored()
        assert answers(project, span)["/v0/jobs"] == before["/v0/jobs"]
        port = server.port
    assert under_load["sent_bytes"] > 0
    assert quiet["sent_bytes"] < quiet["stored_bytes"]
    shutil.rmtree(data)
    assert "all are as they were sent" in run("backup", "check", "--to", str(place))

    run("restore", "--from", str(place), "--data", str(data))
    restored = Server(data)
    restored.port = port
    with restored as server:
        status = server.wait_until_stored()
        project = ApiProject(server)
        send_once(project)
        after = answers(project, span)
        assert {name for name, said in before.items() if after[name] != said} == set()
        assert status["events"]["equation_holds"]
        load = start_load(server, tmp_path / "three.json", rate=40, seconds=3, seed=3)
        load.wait(60)
        assert server.wait_until_stored()["events"]["equation_holds"]
        assert broken_views(data) == []
        result = result_of(tmp_path / "three.json")
        assert result["ledger"]
        project.send("plays", [{"title": "new", "n": 1}])
        assert project.sql("SELECT sum(n) AS n FROM sums WHERE title = 'new'") == [{"n": 1}]
        assert wrong_views(server, with_first(result, result_of(tmp_path / "one.json"))) == []

    moved = tmp_path / "elsewhere"
    run("restore", "--from", str(place), "--backup", under_load["id"], "--data", str(moved))
    with Server(moved) as server:
        assert server.wait_until_stored()["events"]["equation_holds"]
        assert broken_views(moved) == []


def with_first(later: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """What both runs of a load got acknowledged."""
    return {
        "ledger": {**first["ledger"], **later["ledger"]},
        "uncertain": {**first["uncertain"], **later["uncertain"]},
    }


def test_a_stopped_server_s_folder_and_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        assert server.send([{"eventName": "no such"}]).status_code in {200, 400}
    made = json.loads(run("backup", "create", "--to", str(place), "--data", str(data), "--json"))
    again = json.loads(run("backup", "--to", str(place), "--data", str(data), "--json"))
    assert again["sent_bytes"] < made["sent_bytes"]
    assert {path.stat().st_mode & 0o077 for path in place.rglob("*")} == {0}
    refused = subprocess.run(
        [sys.executable, "-m", "playhead", "restore", "--from", str(place), "--data", str(data)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "is not empty; nothing was restored" in refused.stderr
    assert run("backup", "prune", "--to", str(place), "--keep", "1").startswith("1 backups removed")
    assert made["id"] not in run("backup", "ls", "--to", str(place))
    assert "all are as they were sent" in run("backup", "check", "--to", str(place))


def test_backups_over_http(tmp_path: Path) -> None:
    place = tmp_path / "kept"
    env = {"PLAYHEAD_BACKUP__TO": str(place), "PLAYHEAD_BACKUP__KEEP": "1"}
    with Server(tmp_path / "data", env=env) as server:
        project = ApiProject(server)
        assert server.get("/v1/backups")["data"] == []
        for _ in range(2):
            begun = project.ask("POST", "/v1/backups")
            assert begun.status_code == 202, begun.text
            assert project.ended(begun.json()["data"]["id"])["status"] == "done"
        found = server.get("/v1/backups")
        assert [one["id"] for one in found["data"]] == [found["meta"]["job"]["backup"]]
        assert found["meta"]["newest_at"] == found["data"][0]["taken_at"]
        read = project.ask("POST", "/v0/tokens", params={"name": "r", "scope": "PIPES:READ:x"})
        nobody = {"Authorization": f"Bearer {read.json()['token']}"}
        assert project.ask("GET", "/v1/backups", headers=nobody).status_code == 403
        assert project.ask("POST", "/v1/backups", headers=nobody).status_code == 403
    with Server(tmp_path / "other") as server:
        refused = ApiProject(server).ask("POST", "/v1/backups")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
        assert "[backup] to" in refused.json()["hint"]


@pytest.mark.slow
def test_a_job_in_the_middle_goes_on_in_the_restored_folder(tmp_path: Path) -> None:
    rows = 3_000_000
    files = {
        "copied.datasource": (
            "SCHEMA >\n    `title` String,\n    `n` UInt64\n"
            'ENGINE "MergeTree"\nENGINE_SORTING_KEY "title"\n'
        ),
        "sums.datasource": FILES["sums.datasource"],
        "summed.pipe": FILES["summed.pipe"].replace("FROM plays", "FROM copied"),
        "many.pipe": (
            f"NODE n\nSQL >\n    SELECT toString(number % 7) AS title, number AS n FROM numbers({rows})\n"
            "TYPE copy\nTARGET_DATASOURCE copied\n"
        ),
    }
    place = tmp_path / "kept"
    with Server(tmp_path / "data") as server:
        project = ApiProject(server)
        project.build(files)
        job = project.run("/v0/pipes/many/copy")
        made = [back_up(server, place) for _ in range(2)]
        assert project.ended(job)["status"] == "done"
    for number, backup in enumerate(made):
        moved = tmp_path / f"moved{number}"
        run("restore", "--from", str(place), "--backup", backup["id"], "--data", str(moved))
        with Server(moved) as server:
            project = ApiProject(server)
            assert project.ended(job)["status"] == "done"
            total = [{"c": rows, "s": rows * (rows - 1) // 2}]
            assert project.sql("SELECT count() AS c, sum(n) AS s FROM copied") == total
            assert project.sql("SELECT sum(n) AS s FROM sums") == [{"s": total[0]["s"]}]
