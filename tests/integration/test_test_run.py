"""`playhead test run`: a workspace of its own, its tests, and nothing left of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLAYS = """SCHEMA >
    at DateTime('UTC') `json:$.at`

ENGINE MergeTree
ENGINE_SORTING_KEY at
ENGINE_TTL at + INTERVAL 30 DAY
"""
RECENT = """NODE rows
SQL >
    %
    SELECT at, today() AS today FROM plays WHERE at >= {{DateTime(since)}} ORDER BY at
TYPE endpoint
"""
TESTS = """- name: recent
  parameters: since=2025-01-01 00:00:00
  expected_result: |
    {"at":"2025-06-30 10:00:00","today":"2025-07-01"}
- name: no parameter
  parameters: ''
  expected_http_status: 400
  expected_result: Required parameter is not defined. Check the parameters since. Please provide a value or set a default value in the pipe code.
"""
NOW = ("--now", "2025-07-01T12:00:00Z")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "plays.datasource": PLAYS,
        "recent.pipe": RECENT,
        "fixtures/plays.ndjson": '{"at":"2025-06-30 10:00:00"}\n{"at":"2025-01-30 10:00:00"}\n',
        "tests/recent.yaml": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "tmp").mkdir()
    return tmp_path / "project"


def started(project: Path, *more: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    return subprocess.Popen(
        [sys.executable, "-m", "playhead", "test", "run", *more],
        cwd=project,
        env=env | {"TMPDIR": str(project.parent / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(project: Path, *more: str) -> tuple[int, list[str]]:
    process = started(project, *more)
    output = process.communicate(timeout=120)[0]
    return process.returncode, output.splitlines()


def workspaces(project: Path) -> list[Path]:
    return [path for path in (project.parent / "tmp").iterdir() if "playhead" in path.name]


def test_every_test_passes_and_nothing_is_left(project: Path) -> None:
    assert run(project, *NOW) == (0, ["2 passed, 0 failed"])
    assert workspaces(project) == []
    assert not (project / "playhead-data").exists()


def test_a_difference_is_shown(project: Path) -> None:
    tests = project / "tests/recent.yaml"
    tests.write_text(TESTS.replace("2025-06-30 10", "2025-06-30 11"))
    code, lines = run(project, *NOW)
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")
    assert lines[0] == "FAILED tests/recent.yaml: recent"
    assert '    -{"at":"2025-06-30 11:00:00","today":"2025-07-01"}' in lines
    assert '    +{"at":"2025-06-30 10:00:00","today":"2025-07-01"}' in lines


def test_only_the_files_asked_for_run(project: Path) -> None:
    (project / "tests/other.yaml").write_text("- name: x\n  parameters: ''\n")
    assert run(project, *NOW, "tests/recent.yaml")[1] == ["2 passed, 0 failed"]
    code, lines = run(project, "tests/nothing.yaml")
    assert (code, "tests/nothing.yaml is no test file of this project" in lines[0]) == (1, True)
    assert "below a folder 'tests'" in lines[1]


def test_a_broken_resource_costs_its_own_tests_only(project: Path) -> None:
    (project / "broken.pipe").write_text("NODE rows\nSQL >\n    SELECT nothing FROM plays\n")
    (project / "tests/broken.yaml").write_text("- name: x\n  parameters: ''\n")
    code, lines = run(project, *NOW)
    assert (code, lines[-1]) == (1, "2 passed, 1 failed")
    assert lines[0].startswith("broken.pipe:3:12: node 'rows'")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_under_way_nothing_is_left(project: Path, number: signal.Signals) -> None:
    process = started(project, *NOW)
    until = time.monotonic() + 60
    while not workspaces(project) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert workspaces(project) == []


def test_a_time_that_is_none_is_said(project: Path) -> None:
    code, lines = run(project, "--now", "yesterday")
    assert (code, lines[0]) == (1, "playhead: --now is no time: yesterday")
