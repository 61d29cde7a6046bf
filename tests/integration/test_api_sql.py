"""SQL over HTTP on a whole Playhead: the views of the doors are tables, the answers are the engine's."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "false"}
    with Server(tmp_path_factory.mktemp("sql") / "data", env=env) as running:
        now = int(time.time() * 1000)
        events = [
            {
                "eventType": "PLAY",
                "timestamp": now - 30_000,
                "viewId": "v",
                "seq": 0,
                "videoId": "a",
            },
            {"eventType": "PLAYING", "timestamp": now - 29_000, "viewId": "v", "seq": 1},
            {"eventType": "STOP", "timestamp": now - 1_000, "viewId": "v", "seq": 2},
        ]
        assert running.send(events).json()["accepted"] == 3
        running.wait_until_stored()
        yield running


def ask(server: Server, sql: str, *, token: str | None = None) -> httpx2.Response:
    secret = server.token if token is None else token
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return server.http.post(f"{server.url}/v0/sql", content=sql, headers=headers)


def test_views_and_events_are_tables(server: Server) -> None:
    answer = ask(server, "SELECT video_id, startup_ms FROM playhead.views FINAL FORMAT JSONEachRow")
    assert answer.text == '{"video_id":"a","startup_ms":1000}\n'
    assert ask(server, "SELECT count() AS n FROM events").json()["data"] == [{"n": 3}]


def test_a_token_in_the_address_will_do(server: Server) -> None:
    params = {"token": server.token, "q": "SELECT 1 AS one"}
    answer = server.http.get(f"{server.url}/v0/sql", params=params)
    assert answer.json()["data"] == [{"one": 1}]
    assert ask(server, "SELECT 1", token="").status_code == 403


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("SELECT nothing FROM views", 400),
        ("SELECT FROM", 400),
        ("SELECT * FROM system.tables", 400),
        ("SELECT file('/etc/hostname')", 400),
        ("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", 413),
    ],
)
def test_errors_have_their_shape(server: Server, sql: str, status: int) -> None:
    answer = ask(server, sql)
    assert answer.status_code == status
    assert answer.json()["error"].endswith((".", ")"))
    assert answer.json()["documentation"].startswith("/docs/errors#")


def test_the_server_says_what_is_live(server: Server) -> None:
    assert server.status()["project"]["problem"] is None
    assert server.get("/v0/pipes") == {"pipes": []}
