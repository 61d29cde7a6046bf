"""Backups and restores that are killed in the middle: nothing half is seen, and the next one is whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.api_project import ApiProject
from support.books import start_load
from support.server import Server

WAIT_S = 60


def some_events(server: Server, seed: int) -> int:
    """Send events for a second; return how many of all are stored."""
    load = start_load(server, server.data.parent / "load.json", rate=20, seconds=1, seed=seed)
    assert load.wait(WAIT_S) == 0
    events = server.wait_until_stored()["events"]
    assert events["equation_holds"]
    return int(events["stored"])


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "playhead", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def kill_when(process: "subprocess.Popen[bytes]", seen: Callable[[], bool]) -> None:
    """Kill a command, and what it started, as soon as something is seen."""
    until = time.monotonic() + WAIT_S
    while not seen():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def run(*arguments: str) -> str:
    process = start(*arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("stage", ["moment", "sending"])
def test_a_backup_that_is_killed_leaves_nothing(tmp_path: Path, stage: str) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        some_events(server, seed=1)
        seen = {
            "moment": lambda: any((data / "store" / "shadow").glob("playhead_*")),
            "sending": lambda: len(list((place / "blobs").glob("*/*.tar"))) > 2,
        }[stage]
        kill_when(start("backup", "--to", str(place), "--data", str(data)), seen)
        assert some_events(server, seed=2) > 0
        assert "no whole backup" in run("backup", "ls", "--to", str(place))
        server.kill("web")
        server.wait_ready()
        until = time.monotonic() + WAIT_S
        while any((data / "store" / "shadow").glob("playhead_*")):
            assert time.monotonic() < until
            time.sleep(0.05)
        run("backup", "--to", str(place), "--data", str(data))
        assert not (data / "run" / "backup").exists()
    assert "all are as they were sent" in run("backup", "check", "--to", str(place))


def test_a_job_that_is_killed_makes_its_backup_after_the_restart(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data, env={"PLAYHEAD_BACKUP__TO": str(place)}) as server:
        project = ApiProject(server)
        some_events(server, seed=1)
        job = project.ask("POST", "/v1/backups").json()["data"]["id"]
        until = time.monotonic() + WAIT_S
        while not any((data / "store" / "shadow").glob("playhead_*")):
            assert time.monotonic() < until
            time.sleep(0.001)
        server.kill("web")
        server.wait_ready()
        assert project.ended(job)["status"] == "done"
        found = server.get("/v1/backups")
        assert len(found["data"]) == 1
        assert found["meta"]["job"]["backup"] == found["data"][0]["id"]
    assert "all are as they were sent" in run("backup", "check", "--to", str(place))


def test_a_restore_that_is_killed_is_not_started_and_can_be_repeated(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        stored = some_events(server, seed=1)
        made = json.loads(run("backup", "--to", str(place), "--data", str(data), "--json"))
    shutil.rmtree(data)
    content = data / ".restore" / "content"
    command = ("restore", "--from", str(place), "--data", str(data))
    kill_when(start(*command), content.exists)
    up = subprocess.run(
        [sys.executable, "-m", "playhead", "up", "--data", str(data), "--port", "0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert up.returncode == 2
    assert "was cut off. Nothing was started." in up.stderr
    assert [path.name for path in data.iterdir()] == [".restore"]
    assert made["id"] in run(*command)
    with Server(data) as server:
        status = server.wait_until_stored()
        assert status["events"]["stored"] == stored > 0
        assert status["events"]["equation_holds"]


def test_a_blob_that_was_changed_is_not_restored(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        server.wait_until_stored()
    run("backup", "--to", str(place), "--data", str(data))
    blob = max((place / "blobs").glob("*/*"), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    new = tmp_path / "new"
    process = start("restore", "--from", str(place), "--data", str(new))
    _, err = process.communicate(timeout=60)
    assert b"is not as it was sent" in err
    assert not (new / ".restore").exists()
    check = start("backup", "check", "--to", str(place))
    assert b"1 are damaged" in check.communicate(timeout=60)[0]
    assert check.returncode == 1
