"""Behind the real nginx and the real Caddy, by the files in `deploy/`."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.proxies import CLIENT, Caddy, Nginx, Proxy, missing
from support.server import Server

BASE = "/playhead"
SPOOFED = "203.0.113.9"
EVENTS_SEEN = 5
WITHIN_S = 30.0
pytestmark = pytest.mark.xdist_group("proxies")  # two servers for all of them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("proxied") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"PLAYHEAD_SERVER__BASE_PATH": BASE}
    with Server(tmp_path_factory.mktemp("below") / "data", env=env) as running:
        yield running


@pytest.fixture(scope="module", params=[Nginx, Caddy], ids=lambda kind: str(kind.program))
def kind(request: pytest.FixtureRequest) -> type[Proxy]:
    found: type[Proxy] = request.param
    if lacking := missing(found):
        if os.environ.get("PLAYHEAD_REQUIRE_PROXIES"):
            pytest.fail(f"not installed: {lacking}")
        pytest.skip(f"not installed: {lacking}")
    return found


@pytest.fixture(scope="module")
def proxy(
    kind: type[Proxy], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with kind(tmp_path_factory.mktemp("proxy"), server.port) as running:
        yield running


@pytest.fixture(scope="module")
def prefixed(
    kind: type[Proxy], below: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with kind(tmp_path_factory.mktemp("prefixed"), below.port, base_path=BASE) as running:
        yield running


def bearer(server: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {server.token}"}


def view(**fields: Any) -> list[dict[str, Any]]:
    at = int(time.time() * 1000)
    named = {"viewId": str(uuid.uuid4()), **fields}
    kinds = ("PLAY", "PLAYING")
    return [
        {"eventType": kind, "timestamp": at + seq, "seq": seq, **named}
        for seq, kind in enumerate(kinds)
    ]


def test_events_arrive_over_connections_that_stay_open(server: Server, proxy: Proxy) -> None:
    before = server.wait_until_stored()["events"]["stored"]
    answers = [proxy.http.post(f"{proxy.url}/telemetry", json=view()) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert server.wait_until_stored()["events"]["stored"] == before + 60


def test_the_client_is_who_the_proxy_says_and_not_who_he_says(server: Server, proxy: Proxy) -> None:
    headers = bearer(server) | {"x-forwarded-for": SPOOFED, "x-forwarded-proto": "http"}
    seen = proxy.http.get(f"{proxy.url}/v1/status", headers=headers).json()["data"]["seen"]
    assert (seen["peer"], seen["peer_trusted"], seen["client"]) == ("127.0.0.1", True, CLIENT)
    assert (seen["scheme"], seen["host"]) == ("https", f"127.0.0.1:{proxy.port}")


def test_live_numbers_arrive_as_they_are_sent(server: Server, proxy: Proxy) -> None:
    url = f"{proxy.url}/v1/live/stream?minutes=1"
    with proxy.http.stream("GET", url, headers=bearer(server)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines, found, until = answer.iter_lines(), 0, time.monotonic() + WITHIN_S
        while found < EVENTS_SEEN and time.monotonic() < until:
            found += next(lines).startswith("data:")
        # A proxy that buffers hands on nothing before the end, and there is none.
        assert found == EVENTS_SEEN
    until = time.monotonic() + WITHIN_S
    while "playhead_live_listeners 0.0" not in server.http.get(f"{server.url}/metrics").text:
        assert time.monotonic() < until, "the proxy does not say that its client has left"
        time.sleep(0.1)


def test_what_is_for_the_machine_itself_is_not_handed_on(server: Server, proxy: Proxy) -> None:
    assert proxy.http.get(f"{proxy.url}/metrics").status_code == 404
    assert proxy.http.get(f"{proxy.url}/readyz").status_code == 404
    assert server.http.get(f"{server.url}/metrics").status_code == 200


def test_a_body_that_is_too_large_is_refused_in_our_words(proxy: Proxy) -> None:
    text = json.dumps([{"eventType": "PLAY", "timestamp": 1, "extra": "x" * (2 << 20)}])
    answer = proxy.http.post(f"{proxy.url}/telemetry", content=text.encode())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_large_files_reach_the_imports_and_no_other_address(server: Server, proxy: Proxy) -> None:
    body = b"a,b\n" * (5 << 20)
    url = f"{proxy.url}/v0/datasources?name=nothing&mode=append&format=csv"
    answer = proxy.http.post(url, headers=bearer(server), content=body)
    assert answer.status_code != 413
    assert "error" in answer.json()
    other = proxy.http.post(
        f"{proxy.url}/v0/events?name=nothing", headers=bearer(server), content=body
    )
    assert other.status_code == 413


def test_below_a_path_pages_answers_and_cookies_fit(below: Server, prefixed: Proxy) -> None:
    assert prefixed.http.post(f"{prefixed.url}/telemetry", json=view()).status_code == 200
    assert prefixed.http.get(f"{prefixed.url}/").status_code == 200
    origin = {"origin": f"https://127.0.0.1:{prefixed.port}"}
    begun = prefixed.http.post(f"{prefixed.url}/v1/session", headers=bearer(below) | origin)
    cookie = begun.headers["set-cookie"]
    assert begun.status_code == 201
    assert f"Path={BASE};" in cookie
    assert "Secure" in cookie
    assert prefixed.http.get(f"{prefixed.url}/metrics").status_code == 404
    moved = prefixed.http.get(prefixed.url)
    assert (moved.status_code, moved.headers["location"].endswith(f"{BASE}/")) == (308, True)


def doctor(prefixed: Proxy, below: Server, **env: str) -> dict[str, dict[str, str]]:
    """The doctor's findings by check, looking through the proxy."""
    command = [sys.executable, "-m", "playhead", "doctor", "--url", prefixed.url, "--json"]
    command += ["--token-file", str(Path(below.data, "admin.token"))]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60
    )
    return {one["check"]: one for one in json.loads(done.stdout)["findings"]}


def test_the_doctor_looks_through_it(below: Server, prefixed: Proxy) -> None:
    stranger = doctor(prefixed, below)
    assert "its certificate is not valid here" in stranger["server"]["found"]
    found = doctor(prefixed, below, SSL_CERT_FILE=str(prefixed.certificate))
    assert {found[check]["level"] for check in ("server", "proxy", "cors", "stream")} == {"ok"}
    assert (
        f"is trusted; through it the server sees 127.0.0.1 by https, below {BASE}"
        in (found["proxy"]["found"])
    )
