"""Rows through the whole of Playhead: door, log, worker, store; and a key over a killed web."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from playhead.clock import SystemClock
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("events") / "data") as running:
        yield running


def rows(server: Server, question: str) -> list[list[Any]]:
    client = StoreClient(embedded(Path(server.data)))
    try:
        found: list[list[Any]] = [list(row) for row in client.rows(question).rows]
        return found
    finally:
        client.close()


def send(server: Server, name: str, *sent: Any, **headers: str) -> httpx2.Response:
    body = b"\n".join(one if isinstance(one, bytes) else msgspec.json.encode(one) for one in sent)
    url = f"{server.url}/v0/events?name={name}&wait=true"
    return server.http.post(url, content=body, headers=headers)


def now_ms() -> int:
    return SystemClock().now_ms()


def test_frames_are_in_the_store_when_it_was_waited_for(server: Server) -> None:
    at = now_ms()
    row = {
        "streamId": "waited",
        "timestamp": at,
        "fps": 30,
        "resolution": "1280x720",
        "gop": {"n": 1},
    }
    got = send(server, "stream_frames", row, b"{no")
    assert (got.status_code, got.json()) == (200, {"successful_rows": 1, "quarantined_rows": 1})
    question = (
        "SELECT toUnixTimestamp64Milli(at), width, fps, extra, door FROM playhead.stream_frames"
        " WHERE stream_id = 'waited'"
    )
    assert rows(server, question) == [[at, 1280, 30, '{"gop":{"n":1}}', "events"]]


def test_a_refused_row_is_in_quarantine(server: Server) -> None:
    send(server, "stream_frames", {"streamId": "a", "timestamp": now_ms(), "fps": "x"})
    question = (
        "SELECT source, code, message FROM playhead.quarantine"
        " WHERE door = 'events' AND code = 'invalid_value'"
    )
    assert rows(server, question) == [
        ["stream_frames", "invalid_value", "value 'x' on column 'fps' is not a number"]
    ]


def test_cdn_requests_and_events_are_stored_too(server: Server) -> None:
    at = now_ms()
    event = {"eventType": "PLAY", "timestamp": at, "viewId": "by-events", "videoId": "v"}
    assert send(server, "cdn_requests", {"at": at, "cdn": "own", "status": 200}).status_code == 200
    assert send(server, "telemetry", event).status_code == 200
    assert rows(server, "SELECT status FROM playhead.cdn_requests WHERE cdn = 'own'") == [[200]]
    assert rows(server, "SELECT door FROM playhead.events WHERE view_id LIKE '%by-events'") == [
        ["events"]
    ]


def test_a_key_counts_once_over_a_killed_web(server: Server) -> None:
    row = {"streamId": "keyed", "timestamp": now_ms()}
    first = send(server, "stream_frames", row, **{"Idempotency-Key": "one"})
    server.kill("web")
    server.wait_ready()
    again = send(server, "stream_frames", row, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert rows(server, "SELECT count() FROM playhead.stream_frames WHERE stream_id = 'keyed'") == [
        [1]
    ]
