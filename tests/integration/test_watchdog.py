"""The watchdog and the doctor of a real server; the rules for Prometheus name what it exposes."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.pages import ROOT
from support.server import Server

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
WITHIN_S = 60.0
OLD_MS = 30 * 86_400_000
pytestmark = pytest.mark.xdist_group("watchdog")  # one server for all of them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "PLAYHEAD_WATCH__EVERY_MS": "200",
        "PLAYHEAD_WATCH__MIN_EVENTS": "10",
        "PLAYHEAD_WATCH__RESTARTS_PER_HOUR": "1",
        "PLAYHEAD_RETENTION__SPACE_WARNING_BYTES": "0",  # whatever this machine has
        "PLAYHEAD_RETENTION__SPACE_WARNING_DAYS": "0",
    }
    with Server(tmp_path_factory.mktemp("watchdog") / "data", env=settings) as running:
        yield running


def until(server: Server, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The status as soon as something holds of it."""
    end = time.monotonic() + WITHIN_S
    status: dict[str, Any] = {}
    while time.monotonic() < end:
        status = server.status()
        if holds(status):
            return status
        time.sleep(0.1)
    raise AssertionError(f"not within {WITHIN_S} s: {status.get('alerts')}")


def ids(status: dict[str, Any]) -> list[str]:
    return [one["id"] for one in status["alerts"]]


def doctor(server: Server, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The doctor's exit code and findings by check."""
    command = [sys.executable, "-m", "playhead", "doctor", "--url", server.url]
    command += ["--data", str(server.data), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("{"), done.stderr
    told = json.loads(done.stdout)
    return done.returncode, {one["check"]: one for one in told["findings"]}


def test_a_server_that_does_well_has_no_alerts_and_tells_of_its_engine(server: Server) -> None:
    status = until(server, lambda one: one["store"])
    assert ids(status) == []
    assert int(status["store"]["version"].split(".")[0]) >= 26
    assert status["store"]["broken_parts"] == 0
    assert status["seen"]["peer_trusted"]
    assert (status["seen"]["scheme"], status["seen"]["client"]) == ("http", "127.0.0.1")


def test_the_doctor_finds_it_fine(server: Server) -> None:
    _, found = doctor(server, "--origin", "https://www.example.org")
    worth = {name: one for name, one in found.items() if one["level"] != "ok"}
    # The machine that runs this may have few files, little memory or a slow disk.
    assert set(worth) <= {"open files", "memory", "fsync", "sdk", "disk"}, worth
    for check in ("clock", "cors", "proxy", "stream", "lag", "books", "engine", "token", "folder"):
        assert found[check]["level"] == "ok", found[check]


def test_drops_and_restarts_are_alerts_and_the_doctor_repeats_them(server: Server) -> None:
    old = int(time.time() * 1000) - OLD_MS
    events = [{"eventType": "PLAY", "timestamp": old, "viewId": f"v{n}"} for n in range(40)]
    assert server.send(events).status_code == 200
    server.kill("worker")
    status = until(server, lambda one: {"dropped", "restarts"} <= set(ids(one)))
    dropped = next(one for one in status["alerts"] if one["id"] == "dropped")
    assert "'too_old'" in dropped["sentence"]
    assert "playhead replay" in dropped["remedy"]
    code, found = doctor(server)
    assert found["drops"]["level"] == "warn"
    assert code in {1, 2}  # the machine that runs this may have few files or a slow disk
    metrics = server.http.get(f"{server.url}/metrics").text
    assert 'playhead_alert{alert="dropped",severity="warning"} 1.0' in metrics
    assert 'playhead_process_restarts{role="worker"} 1.0' in metrics


def test_the_rules_for_prometheus_name_what_is_exposed(server: Server) -> None:
    text = server.http.get(f"{server.url}/metrics").text
    exposed = set(re.findall(r"^(playhead_\w+)[{ ]", text, re.MULTILINE))
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"playhead_\w+", rule["expr"])}
    assert named
    assert named <= exposed
    assert all(rule["annotations"]["summary"] for rule in rules)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"SUCCESS" in done.stdout


def test_the_doctor_works_with_the_server_down(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as stopped:
        stopped.send([{"eventType": "PLAY", "timestamp": int(time.time() * 1000), "viewId": "v"}])
        stopped.wait_until_stored()
        stopped.stop()
        code, found = doctor(stopped)
    assert (code, found["server"]["level"]) == (2, "bad")
    assert "playhead up --data" in found["server"]["remedy"]
    fine = ("processes", "port", "log", "folder", "token file", "owner", "parts", "release")
    assert {found[check]["level"] for check in fine} == {"ok"}, found
