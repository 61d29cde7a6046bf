"""Quarantine end to end: refused events are asked for, taken up once, and the books balance."""

import csv
import io
import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from click.testing import CliRunner

from playhead.access import DATABASE_FILE, Tokens
from playhead.cli.quarantine import command
from playhead.clock import SystemClock
from playhead.config import Log
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog
from playhead.model.event import Context, Meta, Refusal
from support.server import Server

LONG = "x" * 300
COUNT = 7
NGINX_FORMAT = "PLAYHEAD_COLLECT__NGINX_LOG_FORMAT"
TOKENS_KNOWN_WITHIN_S = 1.1


@pytest.fixture
def server(tmp_path: Path) -> Generator[Server, None, None]:
    with Server(tmp_path / "data") as running:
        yield running


def play(view_id: str, **more: Any) -> dict[str, Any]:
    now_ms = SystemClock().now_ms()
    return {"eventType": "PLAY", "timestamp": now_ms, "viewId": view_id, "seq": 0, **more}


def retry(server: Server, **asked: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {server.token}"}
    return server.http.post(f"{server.url}/v1/quarantine/retry", json=asked, headers=headers)


def token(server: Server, property_: str) -> str:
    """Return the secret of a new read token of a property."""
    tokens = Tokens(server.data / DATABASE_FILE, SystemClock())
    secret = tokens.create("read", "", property_)[1]
    tokens.close()
    time.sleep(TOKENS_KNOWN_WITHIN_S)
    return secret


def rows(server: Server, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("/v1/quarantine", **asked)["data"]
    return found


def refused_by_an_older_release(data: Path) -> None:
    """Append to the log of a stopped server what a release before might have refused."""
    log = SegmentLog(data / "log", Log(), SystemClock(), writable=True)
    events = [play(f"v{n}", sentAt=SystemClock().now_ms()) for n in range(COUNT)]
    why = tuple(Refusal(n, "invalid_event", "Not known here.") for n in range(COUNT))
    meta = Meta(context=Context(property="shop", country="DE", device_class="tv"), refused=why)
    body = msgspec.json.encode(events)
    log.append([Entry("telemetry", "k", COUNT, msgspec.json.encode(meta), body)])
    log.close()


@pytest.fixture
def updated(server: Server) -> Server:
    """A server whose release before refused `COUNT` events that pass now."""
    server.send([play("first")])
    server.wait_until_stored()
    server.stop()
    refused_by_an_older_release(server.data)
    server.start()
    server.wait_until_stored()
    return server


def test_a_refused_event_is_found_with_its_reason(server: Server) -> None:
    server.send([play("good"), play(LONG)])
    server.wait_until_stored()
    (row,) = rows(server, code="id_too_long", door="telemetry", retried="no")
    assert (row["id"][-2:], json.loads(row["body"])["viewId"]) == ("-1", LONG)
    assert rows(server, retried="yes") == []


def test_what_still_fails_stays_where_it_is(server: Server) -> None:
    server.send([play(LONG)])
    server.wait_until_stored()
    told = retry(server).json()["data"]
    assert [one["code"] for one in told["still_refused"]] == ["id_too_long"]
    assert (told["taken"], told["accepted"], server.status()["events"]["in"]) == (1, 0, 1)


def test_what_passes_now_becomes_views_of_its_own_sender(updated: Server) -> None:
    assert retry(updated).json()["data"]["accepted"] == COUNT
    status = updated.wait_until_stored()["events"]
    assert (status["stored"], status["quarantined"]) == (1 + COUNT, COUNT)
    assert status["equation_holds"]
    assert {row["retried_at"] is None for row in rows(updated)} == {False}
    views = updated.get("/v1/views", filters="property:shop")["data"]
    assert {(view["country"], view["device_class"]) for view in views} == {("DE", "tv")}
    assert len(views) == COUNT


def test_calls_together_and_again_take_a_row_up_once(updated: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: retry(updated), range(8)))
    again = retry(updated).json()["data"]
    taken = [one.json()["data"]["accepted"] for one in told if one.status_code == 200]
    assert sum(taken) + again["accepted"] == COUNT
    assert updated.wait_until_stored()["events"]["in"] == 1 + 2 * COUNT


def test_a_server_killed_after_the_append_does_not_take_a_row_up_again(updated: Server) -> None:
    told = retry(updated).json()["data"]
    updated.kill("web")
    updated.kill("worker")
    updated.wait_until_stored()
    again = retry(updated).json()["data"]
    assert (told["accepted"], again["taken"]) == (COUNT, 0)
    assert updated.wait_until_stored()["events"]["in"] == 1 + 2 * COUNT


def test_pages_hold_every_row_once_and_filters_choose(updated: Server) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = updated.get("/v1/quarantine", limit=3, cursor=cursor, property="shop")
        seen += [row["id"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
    assert len(seen) == len(set(seen)) == COUNT
    assert retry(updated, ids=[seen[0]]).json()["data"]["accepted"] == 1


def test_reasons_are_counted(updated: Server) -> None:
    (row,) = updated.get("/v1/quarantine/reasons")["data"]
    assert (row["door"], row["code"], row["count"]) == ("telemetry", "invalid_event", COUNT)
    assert row["message"] == "Not known here."


def test_a_bound_token_sees_its_own_and_a_reader_takes_nothing_up(updated: Server) -> None:
    answers = {}
    for name in ("shop", "other"):
        secret = token(updated, name)
        headers = {"Authorization": f"Bearer {secret}"}
        found = updated.http.get(f"{updated.url}/v1/quarantine?format=csv", headers=headers)
        answers[name] = len(list(csv.DictReader(io.StringIO(found.text))))
        url = f"{updated.url}/v1/quarantine/retry"
        assert updated.http.post(url, headers=headers).status_code == 403
    assert answers == {"shop": COUNT, "other": 0}


def test_a_log_line_passes_once_its_format_is_mended(tmp_path: Path) -> None:
    at = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    line = f'203.0.113.9 - - [{at}] "GET /a/1.ts HTTP/1.1" 200 1000 "-" "curl/8"'
    with Server(tmp_path / "data", env={NGINX_FORMAT: "$time_local|$request|$status"}) as before:
        before.http.post(f"{before.url}/logs/cdn?format=nginx&cdn=own", content=line)
        before.wait_until_stored()
        (row,) = rows(before, door="cdn", source="nginx")
        assert row["code"] == "invalid_line"
        assert retry(before).json()["data"]["accepted"] == 0
    with Server(tmp_path / "data") as after:
        after.wait_until_stored()
        assert retry(after, ids=[row["id"]]).json()["data"]["accepted"] == 1
        events = after.wait_until_stored()["events"]
        assert (events["stored"], events["equation_holds"]) == (1, True)


def test_the_command_lists_and_takes_up(updated: Server) -> None:
    updated.send([play(LONG, videoTitle="\x1b[31mred")])
    updated.wait_until_stored()
    options = ["--url", updated.url, "--data", str(updated.data)]
    listed = CliRunner().invoke(command, ["list", *options, "--code", "id_too_long"])
    assert "\x1b" not in listed.output
    assert "id_too_long" in listed.output
    told = CliRunner().invoke(command, ["retry", *options])
    assert f"{COUNT} taken up, 1 still refused." in told.output
    assert told.exit_code == 1


def test_a_call_that_cannot_be_meant_is_refused(server: Server) -> None:
    url = f"{server.url}/v1/quarantine/retry"
    headers = {"Authorization": f"Bearer {server.token}"}
    bodies: list[str | bytes] = [
        "[",
        "[]",
        '{"dor":"x"}',
        '{"limit":0}',
        '{"ids":["x"]}',
        '{"cursor":"x"}',
        '{"from":"soon"}',
        '{"ids":[' + '"1-1",' * 1_000 + '"1-1"]}',
        b'{"door":"\xff"}',
    ]
    told = [server.http.post(url, content=text, headers=headers).status_code for text in bodies]
    assert told == [400] * len(bodies)
    assert server.http.post(url, content="{" * 70_000, headers=headers).status_code == 413
