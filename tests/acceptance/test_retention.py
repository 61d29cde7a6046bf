"""A curve follows the viewers while they watch, over HTTP only."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.server import Server

SOON_S = 2.0
"""How soon after an event a curve shows it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("data")) as running:
        yield running


class Viewer:
    """Somebody who has been watching for some time."""

    def __init__(self, server: Server, **given: Any) -> None:
        self._server = server
        self._given = {"viewId": "v1", "durationSec": 100, **given}
        self._start_ms = int(time.time() * 1000) - 40_000
        self._seq = 0

    def tell(self, kind: str, at_s: float, position_s: float) -> None:
        """Send one event; `at_s` after the start."""
        event = {
            "eventType": kind, "timestamp": self._start_ms + round(at_s * 1000),
            "seq": self._seq, "playbackPositionSec": position_s,
        }  # fmt: skip
        self._seq += 1
        assert self._server.send([event | self._given]).status_code == 200


def soon(server: Server, path: str, bins: int) -> dict[str, Any]:
    """Return the answer as soon as so many bins were watched."""
    until = time.monotonic() + 30
    sent = time.monotonic()
    while time.monotonic() < until:
        reply = server.http.get(
            server.url + path, headers={"Authorization": f"Bearer {server.token}"}
        )
        body: dict[str, Any] = reply.json()
        if reply.status_code == 200 and sum(row["views"] > 0 for row in body["data"]) >= bins:
            assert time.monotonic() - sent < SOON_S * 5  # the machine of a test is busy
            return body
        time.sleep(0.05)
    raise AssertionError(body)


def test_the_curve_of_an_open_view_grows_with_it(server: Server) -> None:
    viewer = Viewer(server, videoId="film")
    viewer.tell("PLAY", 0, 0)
    viewer.tell("PLAYING", 0.5, 0)
    viewer.tell("HEARTBEAT", 10.5, 10)
    first = soon(server, "/v1/retention/film", 10)
    assert first["meta"]["provisional"] is True
    assert first["meta"]["retention"]["open_views"] == 1
    viewer.tell("HEARTBEAT", 20.5, 20)
    assert [row["views"] for row in soon(server, "/v1/retention/film", 20)["data"][:21]] == (
        [1] * 20 + [0]
    )
    viewer.tell("SEEK_START", 20.5, 20)
    viewer.tell("SEEK_END", 21.0, 5)
    viewer.tell("PLAYING", 21.0, 5)
    viewer.tell("HEARTBEAT", 39.0, 23)
    rows = soon(server, "/v1/retention/film", 23)["data"]
    assert [row["rewatches"] for row in rows[4:21]] == [0] + [1] * 15 + [0]
    assert sum(row["audience_watch_ratio"] for row in rows) == pytest.approx(38)


def test_the_curve_of_a_live_stream_runs_on_wall_time(server: Server) -> None:
    viewer = Viewer(server, videoId="stream", viewId="v2", streamType="live", durationSec=None)
    viewer.tell("PLAY", 0, 7000)
    viewer.tell("PLAYING", 1, 7000)
    viewer.tell("HEARTBEAT", 11, 7010)
    body = soon(server, "/v1/retention/stream", 10)
    assert body["meta"]["retention"]["axis"] == "wall"
    assert [row["views"] for row in body["data"][:11]] == [0] + [1] * 10
