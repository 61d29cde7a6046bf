"""`playhead dev`: it builds at every save, says what is wrong where, and leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest

from support.server import free_port

WITHIN_S = 90.0
SOURCE = "SCHEMA >\n    `title` String `json:$.title`\n"
TOTAL = "NODE n\nSQL >\n    SELECT count() AS plays FROM plays\n\nTYPE endpoint\n"
TEST = "- name: three\n  parameters: ''\n  expected_result: |\n    {\"plays\":3}\n"
FILES = {
    "datasources/plays.datasource": SOURCE,
    "endpoints/total.pipe": TOTAL,
    "fixtures/plays.ndjson": '{"title":"a"}\n' * 3,
    "tests/total.yaml": TEST,
}
pytestmark = pytest.mark.slow


class Session:
    """`playhead dev` on a folder, what it has said so far in `said`."""

    def __init__(self, folder: Path) -> None:
        self.project, self.data = folder / "shop", folder / "data"
        for path, text in FILES.items():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).write_text(text)
        self.port = free_port()
        self._out = folder / "out"
        command = [sys.executable, "-m", "playhead", "dev", "--project", str(self.project)]
        command += ["--data", str(self.data), "--port", str(self.port), "--fixtures"]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def said(self, text: str, times: int = 1) -> str:
        """Wait until it has said something so often; return all it said."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            found = self._out.read_text()
            if found.count(text) >= times:
                return found
            assert self.process.poll() is None, found
            time.sleep(0.05)
        raise AssertionError(found)

    def answer(self) -> object:
        token = (self.data / "admin.token").read_text().strip()
        url = f"http://127.0.0.1:{self.port}/v0/pipes/total.json"
        return httpx2.get(url, params={"token": token}, timeout=30).json()["data"]

    def pids(self) -> list[int]:
        listed = json.loads((self.data / "run/processes.json").read_text())
        return [int(one["pid"]) for one in listed.values()]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def session(tmp_path: Path) -> Generator[Session, None, None]:
    running = Session(tmp_path)
    yield running
    if running.process.poll() is None:
        running.end()


def test_a_save_is_live_and_its_tests_are_run(session: Session) -> None:
    first = session.said("tests: ")
    assert "created   pipe total" in first
    assert "tests: 1 passed, 0 failed" in first
    assert session.answer() == [{"plays": 3}]
    pipe = session.project / "endpoints/total.pipe"
    pipe.write_text(TOTAL.replace("count()", "count() + 1"))
    changed = session.said("tests: ", 2)
    assert "changed   pipe total" in changed
    assert "FAILED tests/total.yaml: three" in changed
    assert session.answer() == [{"plays": 4}]
    pipe.write_text(TOTAL.replace("FROM plays", "FROM plaice"))
    broken = session.said("cannot be built; what was live stays live.")
    assert "endpoints/total.pipe:3:" in broken
    assert session.answer() == [{"plays": 4}]
    pids = session.pids()
    assert session.end() == 0
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
