"""From a player's events to answers, over HTTP only."""

import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("data")) as running:
        yield running


def view_events(start_ms: int, **more: Any) -> list[dict[str, Any]]:
    """A view of 40 s with one stall of 2 s, as the SDK sends it."""
    base = {
        "viewId": str(uuid.uuid4()),
        "sessionId": "s1",
        "viewerId": "w1",
        "videoId": "film",
        **more,
    }
    steps: list[tuple[int, str, float, dict[str, Any]]] = [
        (0, "PLAY", 0.0, {}),
        (800, "PLAYING", 0.0, {"startupMs": 800, "quality": {"bitrateKbps": 3000, "height": 720}}),
        (10_800, "HEARTBEAT", 10.0, {"state": "playing"}),
        (20_800, "BUFFER_START", 20.0, {}),
        (22_800, "BUFFER_END", 20.0, {"buffering": {"durationMs": 2000}}),
        (32_800, "HEARTBEAT", 30.0, {"state": "playing"}),
        (40_800, "ENDED", 38.0, {}),
    ]
    return [
        {**base, "eventType": kind, "timestamp": start_ms + at, "seq": seq,
         "playbackPositionSec": position, **extra}
        for seq, (at, kind, position, extra) in enumerate(steps)
    ]  # fmt: skip


def test_a_view_becomes_an_answer(server: Server) -> None:
    events = view_events(int(time.time() * 1000) - 60_000)
    answer = server.send(events)
    assert answer.json() == {"ok": True, "accepted": len(events), "rejected": []}
    server.wait_until_stored()
    view = server.get(f"/v1/views/{events[0]['viewId']}")["data"]
    assert view["status"] == "ended"
    assert view["startup_ms"] == 800
    assert (view["rebuffer_count"], view["rebuffer_ms"]) == (1, 2000)
    assert view["playing_ms"] == 38_000
    assert view["bitrate_kbps"] == 3000
    states = [interval["state"] for interval in view["intervals"]]
    assert states == ["starting", "playing", "rebuffering", "playing"]
    assert len(view["events"]) == len(events)


def test_the_same_batch_twice_is_counted_once(server: Server) -> None:
    before = server.wait_until_stored()["events"]
    events = view_events(int(time.time() * 1000) - 60_000)
    server.send(events)
    server.send(events[3:])
    after = server.wait_until_stored()["events"]
    assert after["duplicates"] - before["duplicates"] == len(events) - 3
    assert after["stored"] - before["stored"] == len(events)


def test_the_books_balance_with_bad_events_among_good(server: Server) -> None:
    good = view_events(int(time.time() * 1000) - 60_000)
    bad: list[Any] = [{"timestamp": 1}, 5, {**good[0], "timestamp": 1_000, "viewId": "old"}]
    answer = server.send([*good, *bad]).json()
    assert answer["accepted"] == len(good)
    assert [item["index"] for item in answer["rejected"]] == [7, 8, 9]
    books = server.wait_until_stored()["events"]
    kept = books["stored"] + books["quarantined"] + books["duplicates"] + books["pending"]
    assert books["in"] == kept + sum(books["dropped"].values())
    assert books["dropped"]["too_old"] >= 1


def test_an_open_view_counts_at_once(server: Server) -> None:
    start_ms = int(time.time() * 1000) - 12_000
    server.send(view_events(start_ms, videoId="open")[:3])
    server.wait_until_stored()
    live = server.get("/v1/live", filters="video_id:open")
    assert live["data"][-1]["concurrent_viewers"] == 1
    views = server.get("/v1/views", filters="video_id:open")["data"]
    assert views[0]["status"] == "playing"


def test_a_classic_client_without_ids_is_understood(server: Server) -> None:
    now = int(time.time() * 1000)
    session = f"classic-{uuid.uuid4()}"
    steps = [
        ("PLAY", -30_000, 0.0), ("BUFFER_START", -29_900, 0.0), ("BUFFER_END", -29_000, 0.0),
        ("QUALITY_CHANGE", -20_000, 9.0), ("PAUSE", -10_000, 19.0),
    ]  # fmt: skip
    events = [
        {"eventType": kind, "timestamp": now + at, "playbackPositionSec": position,
         "sessionId": session, "viewerId": "u", "eventId": str(uuid.uuid4())}
        for kind, at, position in steps
    ]  # fmt: skip
    server.send(events)
    server.wait_until_stored()
    [view] = [v for v in server.get("/v1/views", limit=100)["data"] if v["session_id"] == session]
    assert view["rebuffer_count"] == 0
    assert view["startup_ms"] == pytest.approx(1000, abs=1)
    assert view["playing_ms"] == pytest.approx(19_000, abs=1)


def test_reading_needs_a_token_and_sending_does_not(server: Server) -> None:
    assert server.http.get(f"{server.url}/v1/metrics").status_code == 401
    assert stat.S_IMODE((server.data / "admin.token").stat().st_mode) == 0o600


def test_it_stops_in_order_and_keeps_everything(tmp_path: Path) -> None:
    events = view_events(int(time.time() * 1000) - 60_000)
    with Server(tmp_path / "data") as server:
        server.send(events)
        assert server.stop() == 0
        server.start()
        server.wait_until_stored()
        assert server.get(f"/v1/views/{events[0]['viewId']}")["data"]["events"]
