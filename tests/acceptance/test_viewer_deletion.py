"""Deleting one viewer: gone from every answer and file, for good, and nobody else is touched."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from playhead.cli import main
from support.api_project import ApiProject
from support.searching import files_with
from support.server import Server

GONE = "viewer-7f3a91c2e4"
KEPT = "viewer-0b55d1aa90"


def events_of(viewer: str | None, *, view: str, session: str, at: int) -> list[dict[str, Any]]:
    events = [
        {"eventType": kind, "timestamp": at + 100 * seq, "viewId": view, "sessionId": session,
         "seq": seq, "videoId": "film", "playbackPositionSec": seq / 10}
        for seq, kind in enumerate(("VIEW_INIT", "PLAY", "PLAYING", "HEARTBEAT", "PAUSE"))
    ]  # fmt: skip
    return [event | ({"viewerId": viewer} if viewer else {}) for event in events]


class Site:
    """A server, and what was sent to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sent: list[list[dict[str, Any]]] = []

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def send(self, events: list[dict[str, Any]]) -> None:
        assert self.server.send(events).status_code == 200
        self.sent.append(events)

    def fill(self) -> None:
        at = self.now() - 2_000
        self.send(events_of(GONE, view="view-gone-1", session="session-gone", at=at))
        self.send(events_of(None, view="view-gone-2", session="session-gone", at=at))
        self.send(events_of(KEPT, view="view-kept-1", session="session-kept", at=at))
        mixed = events_of(GONE, view=str(uuid.uuid4()), session="session-gone", at=at)
        self.send(mixed + events_of(KEPT, view="view-kept-2", session="session-kept", at=at))
        self.send([{"viewerId": GONE, "eventType": "PLAY", "timestamp": "never"}])
        line = {"time": at / 1000, "status": 200, "url": "/v/film/1.ts?CMCD=sid%3D%22session-gone%22",
                "bytes": 10, "cdn": "a"}  # fmt: skip
        self.server.http.post(f"{self.server.url}/v0/events?name=cdn_requests", json=line)
        self.server.get("/v1/views", limit=10, **{"filters[]": f"viewer_id:{GONE}"})
        self.stored()

    def stored(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            status = self.server.get("/v1/status")["data"]
            if not status["lag"]["records"]:
                return
            time.sleep(0.05)
        raise AssertionError("not stored")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.server.get("/v1/status")["data"]["events"]
        return found

    def views(self) -> set[str]:
        return {row["view_id"] for row in self.server.get("/v1/views", limit=100)["data"]}

    def export(self, viewer: str = GONE, **asked: Any) -> list[dict[str, Any]]:
        answer = self.server.http.get(
            f"{self.server.url}/v1/viewers/{viewer}",
            params={"format": "ndjson", **asked},
            headers={"authorization": f"Bearer {self.server.token}"},
        )
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def delete(self, viewer: str = GONE, **asked: Any) -> dict[str, Any]:
        answer = self.server.http.delete(
            f"{self.server.url}/v1/viewers/{viewer}",
            params=asked,
            headers={"authorization": f"Bearer {self.server.token}"},
            timeout=90,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Server(tmp_path / "data") as server:
        yield Site(server)


def test_no_file_of_the_data_folder_holds_the_id_any_more(site: Site) -> None:
    site.fill()
    told = {row["table"] for row in site.export()}
    before = site.views()
    held = files_with(site.server.data, GONE)
    report = site.delete(now="true")
    assert {"playhead.views", "playhead.events", "playhead.quarantine"} <= told
    assert len(before - site.views()) == 3
    assert report["views"] == 3
    assert report["events"] == 15
    assert any(name.endswith("records") for name in held)
    assert any(name.startswith("store/") for name in held)
    assert files_with(site.server.data, GONE) == []
    assert files_with(site.server.data, "session-gone") == []
    assert any(name.startswith("store/") for name in files_with(site.server.data, KEPT))
    assert site.export() == []
    assert len(site.export(KEPT)) == 12
    assert site.status()["equation_holds"]


def test_a_number_deletes_no_request_of_content_that_bears_it(site: Site) -> None:
    number, at = "12345678", site.now() - 2_000
    site.send(events_of(number, view="view-of-number", session="session-of-number", at=at))
    line = {"time": at / 1000, "status": 200, "bytes": 1,
            "url": f"/v/{number}/1.ts?v={number}", "cdn": "a"}  # fmt: skip
    site.server.http.post(f"{site.server.url}/v0/events?name=cdn_requests", json=line)
    site.stored()
    names = {row["table"] for row in site.export(number)}
    report = site.delete(number, now="true", property="default")
    assert "playhead.cdn_requests" not in names
    assert (report["views"], report["rows"]) == (1, {})


def test_what_was_sent_before_and_comes_again_is_dropped_and_what_is_new_counts(
    site: Site,
) -> None:
    site.fill()
    site.delete()
    for batch in site.sent[:2]:
        site.server.send(batch)
    fresh = events_of(GONE, view="view-again", session="session-again", at=site.now())
    time.sleep(0.01)
    site.send([event | {"timestamp": site.now()} for event in fresh])
    site.server.kill("worker")
    site.server.send(site.sent[0])
    site.stored()
    assert site.status()["dropped"] == {"forgotten": 15}
    assert site.views() == {"view-kept-1", "view-kept-2", "view-again"}
    assert site.status()["equation_holds"]


PROJECT = {
    "datasources/plays.datasource": "SCHEMA >\n    at DateTime `json:$.at`,\n"
    "    user_id String `json:$.user_id`\n\nENGINE MergeTree\nENGINE_SORTING_KEY at\n",
    "endpoints/of_user.pipe": "NODE n\nSQL >\n    %\n    SELECT count() AS plays FROM plays"
    " WHERE user_id = {{String(user, '')}}\nTYPE endpoint\n",
}


def test_rows_of_a_project_and_requests_to_it_go_with_the_columns_that_are_named(
    site: Site,
) -> None:
    project = ApiProject(site.server)
    project.build(PROJECT)
    at = "2026-01-02 03:04:05"
    project.send("plays", [{"at": at, "user_id": one} for one in (GONE, KEPT, GONE)])
    asked = project.ask("GET", f"/v0/pipes/of_user.json?user={GONE}")
    assert asked.json()["data"] == [{"plays": 2}]
    column = {"column": "plays.user_id"}
    until = time.monotonic() + 20
    while len(site.export(**column)) < 3 and time.monotonic() < until:
        time.sleep(0.2)  # requests are written down every now and then
    assert sorted(row["table"] for row in site.export(**column))[:2] == ["project.plays"] * 2
    said = CliRunner().invoke(
        main, ["viewer", "delete", GONE, "--column", "plays.user_id", "--now", "--yes",
               "--data", str(site.server.data)],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "2 rows of project.plays" in said.output
    assert "rows of tinybird.pipe_stats_rt" in said.output
    assert files_with(site.server.data, GONE) == []
    assert project.sql("SELECT user_id FROM plays") == [{"user_id": KEPT}]


def test_a_deletion_that_kills_cut_off_is_done_by_asking_again(site: Site) -> None:
    site.fill()
    for after_s, role in ((0.05, "web"), (0.4, "web"), (0.6, "store")):
        with httpx2.Client(timeout=after_s) as impatient:
            try:
                impatient.delete(
                    f"{site.server.url}/v1/viewers/{GONE}?now=true",
                    headers={"authorization": f"Bearer {site.server.token}"},
                )
            except httpx2.HTTPError:
                site.server.kill(role)
        site.server.wait_ready()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            site.delete(now="true")
            break
        except (AssertionError, httpx2.HTTPError):
            time.sleep(0.5)
    site.stored()
    assert files_with(site.server.data, GONE) == []
    assert site.views() == {"view-kept-1", "view-kept-2"}
    assert len(site.export(KEPT)) == 12
    assert site.status()["equation_holds"]


def test_only_an_admin_may_and_what_cannot_be_is_refused(site: Site) -> None:
    made = site.server.http.post(
        f"{site.server.url}/v0/tokens?name=reader&scope=PIPES:READ:x",
        headers={"authorization": f"Bearer {site.server.token}"},
    )
    reader = made.json().get("token", "none")
    answers = [
        site.server.http.request(
            method,
            f"{site.server.url}/v1/viewers/{GONE}",
            params=asked,
            headers={"authorization": f"Bearer {token}"},
        ).status_code
        for method, asked, token in (
            ("GET", {}, reader),
            ("DELETE", {}, reader),
            ("DELETE", {"now": "maybe"}, site.server.token),
            ("DELETE", {"column": "plays.nothing"}, site.server.token),
            ("GET", {"format": "csv"}, site.server.token),
            ("GET", {"now": "true"}, site.server.token),
        )
    ]
    assert answers[0] in {401, 403}
    assert answers[1:] == [answers[0], 400, 400, 400, 400]
    assert not (site.server.data / "viewers.key").exists()
