"""Limits, keys and tokens over HTTP, on a server whose limits are tight."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.server import Server

PAGE = "https://player.example"
TIGHT = {
    "PLAYHEAD_COLLECT__MAX_BODY_BYTES": "4096",
    "PLAYHEAD_COLLECT__MAX_EVENTS_PER_REQUEST": "10",
    "PLAYHEAD_COLLECT__REQUIRE_KEY": "true",
    "PLAYHEAD_COLLECT__ALLOWED_ORIGINS": f'["{PAGE}"]',
    "PLAYHEAD_COLLECT__REQUESTS_PER_MINUTE_PER_ADDRESS": "30",
    "PLAYHEAD_QUERY__MAX_PARAMETER_BYTES": "2000",
    "PLAYHEAD_QUERY__MAX_FILTERS": "2",
    "PLAYHEAD_QUERY__MAX_BUCKETS": "100",
    "PLAYHEAD_QUERY__MAX_PAGE_ROWS": "5",
}


class Guarded(Server):
    """A server that wants keys: `shop` and `news` are two properties with a key each."""

    def start(self) -> None:
        super().start()
        self.keys = {name: self.create("write", name) for name in ("shop", "news")}
        self.readers = {name: self.create("read", name) for name in ("shop", "news")}
        self.address = 0
        time.sleep(1.1)  # a new token is known within a second

    def create(self, kind: str, property_: str) -> str:
        command = [sys.executable, "-m", "playhead", "token", "create", "--data", str(self.data)]
        command += ["--kind", kind, "--property", property_]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return made.stdout.strip()

    def post(self, body: Any, *, key: str = "", **headers: str) -> httpx2.Response:
        """Send as a client of its own: each has another address, so that none uses up the rate."""
        self.address += 1
        headers.setdefault("x_forwarded_for", f"198.51.100.{self.address}")
        if key:
            headers["authorization"] = f"Bearer {key}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(body, headers=named)

    def ask(self, path: str, token: str, **params: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self.http.get(self.url + path, params=params, headers=headers)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Guarded(tmp_path_factory.mktemp("data"), env=TIGHT) as running:
        yield running


@pytest.fixture(scope="module")
def seen(server: Guarded) -> dict[str, str]:
    """One stored view of each property."""
    views = {name: str(uuid.uuid4()) for name in ("shop", "news")}
    for name, view in views.items():
        assert server.post(play(view), key=server.keys[name]).status_code == 200
    server.wait_until_stored()
    return views


def play(view: str, events: int = 3) -> list[dict[str, Any]]:
    now = int(time.time() * 1000) - 20_000
    kinds = ["PLAY", "PLAYING", *["HEARTBEAT"] * events]
    return [
        {"eventType": kinds[seq], "timestamp": now + seq * 5_000, "viewId": view, "seq": seq,
         "videoId": "film"}
        for seq in range(events)
    ]  # fmt: skip


def is_error(answer: httpx2.Response, status: int, code: str) -> bool:
    told = answer.json()
    assert set(told) == {"code", "message", "hint", "docs"}, told
    assert all(told.values()), told
    assert (answer.status_code, told["code"]) == (status, code), answer.text
    return True


def test_a_body_too_large_is_refused_whole(server: Guarded) -> None:
    before = server.wait_until_stored()["events"]["in"]
    event = {**play("large")[0], "custom": {"text": "x" * 5_000}}
    assert is_error(server.post([event], key=server.keys["shop"]), 413, "body_too_large")
    assert server.wait_until_stored()["events"]["in"] == before


def test_too_many_events_are_refused_whole(server: Guarded) -> None:
    answer = server.post([{"eventType": "PLAY", "timestamp": 1}] * 11, key=server.keys["shop"])
    assert is_error(answer, 413, "body_too_large")
    assert "max_events_per_request" in answer.json()["hint"]


def test_an_address_that_sends_too_often_is_told_when_to_come_back(server: Guarded) -> None:
    sender = {"x_forwarded_for": "192.0.2.1"}
    answers = [server.post(play("often"), key=server.keys["shop"], **sender) for _ in range(32)]
    taken = [answer.status_code for answer in answers].index(429)
    assert 30 <= taken < 32  # the window slides: a moment's worth more may pass
    assert is_error(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    other = server.post(play("often"), key=server.keys["shop"], x_forwarded_for="192.0.2.2")
    assert other.status_code == 200


def test_without_or_with_a_wrong_key_nothing_is_taken(server: Guarded) -> None:
    assert is_error(server.post(play("none")), 401, "unauthenticated")
    assert is_error(server.post(play("none"), key="ph_write_wrong"), 401, "unauthenticated")
    assert server.ask("/v1/views/none", server.token).status_code == 404


def test_a_write_key_puts_its_property_on_the_view(server: Guarded, seen: dict[str, str]) -> None:
    for name, view in seen.items():
        assert server.get(f"/v1/views/{view}")["data"]["property"] == name


def test_a_key_may_come_in_the_address_too(server: Guarded) -> None:
    view = str(uuid.uuid4())
    headers = {"x-forwarded-for": "198.51.100.250"}
    sent = server.send(play(view), params={"key": server.keys["news"]}, headers=headers)
    assert sent.status_code == 200
    server.wait_until_stored()
    assert server.get(f"/v1/views/{view}")["data"]["property"] == "news"


def test_a_read_token_cannot_send_and_a_write_key_cannot_read(server: Guarded) -> None:
    assert is_error(server.post(play("no"), key=server.readers["shop"]), 403, "forbidden")
    for path in ("/v1/views", "/v1/metrics", "/v1/live", "/v1/status", "/v1/views/no"):
        assert is_error(server.ask(path, server.keys["shop"]), 403, "forbidden")


def test_a_reader_of_one_property_sees_no_other(server: Guarded, seen: dict[str, str]) -> None:
    token, other = server.readers["shop"], seen["news"]
    rows = server.ask("/v1/views", token, limit=5).json()["data"]
    assert {row["property"] for row in rows} == {"shop"}
    assert is_error(server.ask(f"/v1/views/{other}", token), 404, "not_found")
    assert server.ask(f"/v1/views/{seen['shop']}", token).json()["data"]["property"] == "shop"
    groups = server.ask("/v1/metrics/views/breakdown", token, group_by="property").json()["data"]
    assert [row["group"] for row in groups] == ["shop"]
    filtered = server.ask("/v1/metrics/views/overall", token, filters="property:news")
    assert filtered.json()["data"]["value"] == 0


def test_live_numbers_are_of_the_readers_property_only(
    server: Guarded, seen: dict[str, str]
) -> None:
    starts = {}
    for name in ("shop", "news"):
        rows = server.ask("/v1/live", server.readers[name], minutes=5, group_by="property").json()
        starts[name] = {row["group"] for row in rows["data"]}
    assert starts == {"shop": {"shop"}, "news": {"news"}}
    status = server.ask("/v1/status", server.readers["shop"]).json()["data"]
    assert set(status) == {"version", "lag"}


def test_pages_of_allowed_origins_may_ask_first(server: Guarded) -> None:
    asked = {
        "origin": PAGE, "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,authorization",
    }  # fmt: skip
    answer = server.http.options(f"{server.url}/telemetry", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]


def test_other_origins_get_no_leave_and_no_storage(server: Guarded) -> None:
    origin = "https://elsewhere.example"
    asked = {"origin": origin, "access-control-request-method": "POST"}
    answer = server.http.options(f"{server.url}/telemetry", headers=asked)
    assert "access-control-allow-origin" not in answer.headers
    sent = server.post(play("no"), key=server.keys["shop"], origin=origin)
    assert is_error(sent, 403, "forbidden")


def test_errors_of_allowed_pages_can_be_read_by_them(server: Guarded) -> None:
    refused = server.post(play("no"), origin=PAGE)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == PAGE


VIEWS = "/v1/metrics/views"
WRONG: list[tuple[str, dict[str, Any]]] = [
    (f"{VIEWS}/overall", {"filters": ["country:DE", "cdn:a", "os:b"]}),
    (f"{VIEWS}/overall", {"filters": "country"}),
    (f"{VIEWS}/overall", {"filters": "nonsense:1"}),
    (f"{VIEWS}/overall", {"from": "yesterday"}),
    (f"{VIEWS}/overall", {"unknown": "1"}),
    (f"{VIEWS}/overall", {"filters": "country:" + "x" * 2_000}),
    (f"{VIEWS}/timeseries", {"from": "-24h", "interval": "5m"}),
    (f"{VIEWS}/breakdown", {}),
    (f"{VIEWS}/breakdown", {"group_by": "country", "limit": "1001"}),
    ("/v1/views", {"limit": "6"}),
    ("/v1/views", {"cursor": "nonsense"}),
    ("/v1/live", {"minutes": "61"}),
]


@pytest.mark.parametrize(("path", "params"), WRONG)
def test_questions_beyond_the_limits_are_refused(
    server: Guarded, path: str, params: dict[str, Any]
) -> None:
    headers = {"authorization": f"Bearer {server.token}"}
    answer = server.http.get(server.url + path, params=params, headers=headers)
    assert is_error(answer, 400, "invalid_request")


def test_unknown_addresses_and_methods_are_said(server: Guarded) -> None:
    assert is_error(server.ask("/v1/nothing", server.token), 404, "not_found")
    assert is_error(server.ask("/v1/metrics/nothing/overall", server.token), 404, "not_found")
    assert is_error(server.ask(f"{VIEWS}/nothing", server.token), 404, "not_found")
    posted = server.http.post(f"{server.url}/v1/views", json={})
    assert is_error(posted, 405, "method_not_allowed")
    got = server.http.get(f"{server.url}/telemetry")
    assert is_error(got, 405, "method_not_allowed")
    assert "POST" in got.headers["allow"]


@pytest.mark.parametrize(("limits", "status", "code"), [
    ({"PLAYHEAD_QUERY__TIMEOUT_MS": "1"}, 408, "query_timeout"),
    ({"PLAYHEAD_QUERY__MAX_RESULT_BYTES": "8000"}, 413, "result_too_large"),
])  # fmt: skip
def test_a_question_that_costs_too_much_is_stopped(
    tmp_path: Path, limits: dict[str, str], status: int, code: str
) -> None:
    with Server(tmp_path / "data", env=limits) as server:
        for number in range(20):
            server.send(play(f"v{number}"))
        server.wait_until_stored()
        headers = {"authorization": f"Bearer {server.token}"}
        answers = [
            server.http.get(f"{server.url}/v1/views", params={"limit": n}, headers=headers)
            for n in range(20, 25)
        ]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        assert is_error(refused[0], status, code)
