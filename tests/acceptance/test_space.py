"""What a running server says of its space: at the command line, over HTTP and at /metrics."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server

MIB = 1 << 20
WITHIN_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants more free disk than there can be."""
    env = {"PLAYHEAD_RETENTION__SPACE_WARNING_BYTES": str(1 << 60)}
    with Server(tmp_path_factory.mktemp("space") / "data", env=env) as running:
        now = int(time.time() * 1000)
        play = {"eventType": "PLAY", "timestamp": now - 9_000, "viewId": "v1", "seq": 0}
        assert running.send([play]).json()["accepted"] == 1
        running.wait_until_stored()
        yield running


def space(server: Server, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playhead", "space", "--data", str(server.data), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_names_every_use_and_warns_by_its_exit_code(server: Server) -> None:
    until = time.monotonic() + WITHIN_S
    done = space(server, "--all")
    while "playhead.events" not in done.stdout and time.monotonic() < until:
        time.sleep(1)  # an answer is held for some seconds
        done = space(server, "--all")
    assert (done.returncode, done.stderr) == (1, "")
    assert [name for name in ("playhead.events", "Log of events") if name not in done.stdout] == []
    assert done.stdout.startswith("Space: warning\n")


def test_the_uses_add_up_to_what_du_says(server: Server) -> None:
    told = json.loads(space(server, "--json").stdout)["data"]
    du = subprocess.run(
        ["du", "-s", "-B1", server.data], capture_output=True, text=True, check=True
    )
    assert sum(one["bytes"] for one in told["items"]) == told["data_bytes"]
    # Parts are merged and removed, and logs are written, between both looks.
    assert abs(told["data_bytes"] - int(du.stdout.split()[0])) < 2 * MIB


def test_the_state_stands_at_metrics(server: Server) -> None:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        text = server.http.get(f"{server.url}/metrics").text
        if "playhead_disk_state 1.0" in text:
            break
        time.sleep(0.2)
    assert "playhead_disk_state 1.0" in text
    assert "playhead_disk_full_in_days +Inf" in text


def test_a_sample_is_kept_for_the_rate(server: Server) -> None:
    path: Path = server.data / "run" / "space.json"
    until = time.monotonic() + WITHIN_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    [sample] = json.loads(path.read_text())["samples"]
    assert sample["data_bytes"] > 0
    assert path.stat().st_mode & 0o777 == 0o600
