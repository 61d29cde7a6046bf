"""`playhead rebuild` beside a running server: its answers become those of a fresh replay of the log."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.running_store import now_ms
from support.server import Server

QUICK = {
    "PLAYHEAD_LOG__IDLE_TICK_MS": "300",
    "PLAYHEAD_COLLECT__REQUESTS_PER_MINUTE_PER_ADDRESS": "0",
    "PLAYHEAD_QUERY__CACHE_MS": "1",  # an answer of before the switch is none of after it
}
BEFORE = {**QUICK, "PLAYHEAD_PROCESS__HEARTBEAT_TIMEOUT_MS": "30000"}
AFTER = {**QUICK, "PLAYHEAD_PROCESS__HEARTBEAT_TIMEOUT_MS": "12000"}
VIEWS = 40
HOUR_MS = 3_600_000
METRICS = (
    "views",
    "playing_time",
    "rebuffer_percentage",
    "exits_before_video_start",
    "watch_time",
)
"""Some of what a changed timeout touches, and some that it does not."""


def view_of(number: int, beats: range, start_ms: int) -> list[dict[str, Any]]:
    """A view that falls silent; a third of them without an id of its own."""
    who = {"sessionId": f"s{number}"} if number % 3 else {"viewId": f"v{number}"}
    kinds = {0: "PLAY", 1: "PLAYING"}
    return [
        {
            "eventType": kinds.get(beat, "TIME_UPDATE"), "timestamp": start_ms + beat * 10_000,
            "sentAt": now_ms(), "seq": beat, "playbackPositionSec": beat * 10.0, **who,
        }
        for beat in beats
    ]  # fmt: skip


def rebuild(server: Server, env: dict[str, str], *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "playhead", "rebuild", "--data", str(server.data), *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env={**os.environ, **env}, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


def rebuilt(server: Server, env: dict[str, str], *options: str) -> dict[str, Any]:
    process = rebuild(server, env, "--json", *options)
    said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, wrong
    found: dict[str, Any] = json.loads(said)
    return found


def answers(server: Server, start_ms: int) -> dict[str, Any]:
    """What the API says of the views, and every column of every view that is not of a moment."""
    span = {"from": start_ms - HOUR_MS, "to": start_ms + HOUR_MS}
    found: dict[str, Any] = {
        name: server.get(f"/v1/metrics/{name}/overall", **span)["data"] for name in METRICS
    }
    found["listed"] = server.get("/v1/views", **span, limit=100)["data"]
    client = StoreClient(embedded(server.data))
    try:
        sql = "SELECT * EXCEPT (version, state) FROM views FINAL ORDER BY view_id"
        found["rows"] = client.rows(sql).rows
    finally:
        client.close()
    return found


def test_a_changed_setting_reaches_views_that_are_over(tmp_path: Path) -> None:
    start_ms = now_ms() - 2 * HOUR_MS  # long enough ago that silence has closed them
    with Server(tmp_path / "old", env=BEFORE) as server:
        for number in range(VIEWS):
            assert server.send(view_of(number, range(4), start_ms)).status_code == 200
        server.wait_until_stored()
    with Server(tmp_path / "old", env=AFTER) as server:
        before = answers(server, start_ms)
        refused = rebuild(server, BEFORE)
        assert "heartbeat_timeout_ms" in refused.communicate(timeout=60)[1]
        assert refused.returncode == 1
        time.sleep(1)  # the log's time has to pass the newest row's
        found = rebuilt(server, AFTER)
        assert (found["stage"], found["views"]["changed"]) == ("folded", VIEWS)
        assert answers(server, start_ms) == before
        # One gets an event of before, one of after what was folded: the worker's rows win.
        for number in (0, 1):
            server.send(view_of(number, range(4, 5), start_ms))
        killed = rebuild(server, AFTER, "--switch")
        time.sleep(1.2)
        killed.kill()
        killed.communicate()
        assert rebuilt(server, AFTER, "--switch")["stage"] in {"done", "folded"}
        server.wait_until_stored()
        after = answers(server, start_ms)
    shutil.copytree(tmp_path / "old" / "log", tmp_path / "new" / "log")
    with Server(tmp_path / "new", env=AFTER) as fresh:
        fresh.wait_until_stored()
        truth = answers(fresh, start_ms)
    assert after == truth
    assert after != before
