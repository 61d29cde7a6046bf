"""A project changes under its rows, over HTTP: nothing is lost, staging is apart, and kills do no harm."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.deploying import CHANGES, FILES
from support.server import Server

CHANGED = CHANGES["another type by a query"][0]
WITHIN_S = 120
ROW = json.dumps({"at": "2030-01-01 00:00:00", "viewer": "ana", "stalls": 1})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as running:
        yield running


def ask(server: Server, method: str, path: str, **more: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {server.token}"}
    answer = server.http.request(method, server.url + path, headers=headers, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def deploy(server: Server, files: Mapping[str, str], **flags: str) -> dict[str, Any]:
    parts = [("data_project://", (path, text.encode())) for path, text in files.items()]
    parts.append(("context://cli-version", ("", b"1.0.0")))
    return ask(server, "POST", "/v1/deploy", params=flags, files=parts)


def became(server: Server, id: str, *statuses: str) -> dict[str, Any]:  # noqa: A002
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        try:
            one: dict[str, Any] = ask(server, "GET", f"/v1/deployments/{id}")["deployment"]
        except (AssertionError, OSError):
            one = {"status": "away"}
        except Exception as error:  # the server is away for a moment
            if "connect" not in str(error).lower() and "disconnect" not in str(error).lower():
                raise
            one = {"status": "away"}
        if one.get("state", "away") in statuses:
            return one
        time.sleep(0.2)
    raise AssertionError(one)


def send(server: Server, count: int, **more: str) -> int:
    params = {"name": "plays", "wait": "true", **more}
    body = "\n".join([ROW] * count)
    said = ask(server, "POST", "/v0/events", params=params, content=body)
    return int(said["successful_rows"])


def counts(server: Server, **more: str) -> list[int]:
    sql = (
        "SELECT (SELECT count() FROM plays) AS a, (SELECT countMerge(plays) FROM daily) AS b,"
        " (SELECT sum(stalls) FROM monthly) AS c FORMAT JSONCompact"
    )
    row: list[int] = ask(server, "GET", "/v0/sql", params={"q": sql, **more})["data"][0]
    return row


def test_a_project_changes_under_its_rows(server: Server) -> None:
    first = deploy(server, FILES, auto_promote="true")
    became(server, first["deployment"]["id"], "live")
    sent = send(server, 10)
    assert deploy(server, FILES)["result"] == "no_changes"
    second = deploy(server, CHANGED)["deployment"]["id"]
    server.kill("web")
    became(server, second, "data_ready")
    sent += send(server, 5)
    apart = send(server, 3, __tb__deployment="staging")
    assert counts(server) == [sent] * 3
    assert counts(server, __tb__deployment="staging") == [sent + apart] * 3
    endpoint = ask(server, "GET", "/v0/pipes/total.json", params={"__tb__deployment": second})
    assert endpoint["data"] == [{"plays": sent + apart, "stalls": sent + apart}]
    assert ask(server, "POST", f"/v1/deployments/{second}/set-live")["deployment"]["live"]
    sent += send(server, 2)
    assert counts(server) == [sent + apart] * 3
    listed = ask(server, "GET", "/v1/deployments")["deployments"]
    assert [(one["id"], one["state"]) for one in listed] == [("2", "live"), ("1", "previous")]


def test_what_cannot_be_deployed_is_said_and_only_admins_may(server: Server) -> None:
    files = {**FILES, "endpoints/total.pipe": "NODE n\nSQL >\n    SELECT nothing FROM plays\n"}
    said = deploy(server, files, check="true")
    assert (said["result"], said["errors"][0]["filename"]) == ("failed", "endpoints/total.pipe")
    parts = [("data_project://", ("a.pipe", b""))]
    answer = server.http.post(f"{server.url}/v1/deploy", files=parts)
    assert answer.status_code == 403
