"""`kill -9` of each process at points of an import and of a replacement (ten with PLAYHEAD_FULL)."""

import os
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.importing import Importing, text
from support.server import Server

pytestmark = pytest.mark.slow
LIMITS = {"PLAYHEAD_JOBS__IMPORT_CHUNK_BYTES": "32768"}
ROWS = 8_000
EVERY = 1 if os.environ.get("PLAYHEAD_FULL") else 4
"""Every point takes a restart of a process: a quick run plays one of four."""
POINTS = (0.0, 0.1, 0.25, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.3)[::EVERY]
"""Which share of the file is in the log; above 1: so long (s) after all of it is."""


def at(importing: Importing, job: str, point: float) -> None:
    """Wait until a job is as far as a point says."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: dict[str, Any] = importing.job(job)
        done = found["progress"]["done"] / max(1, found["progress"]["total"])
        if found["status"] in {"done", "error"} or done >= min(point, 0.98):
            break
    time.sleep(max(0.0, point - 1.0))


@pytest.mark.parametrize("role", ["web", "worker", "store"])
@pytest.mark.parametrize("mode", ["append", "replace"])
def test_nothing_is_lost_or_doubled(tmp_path: Path, role: str, mode: str) -> None:
    with Server(tmp_path / "data", env=LIMITS) as server:
        importing = Importing(server)
        importing.build()
        for number, point in enumerate(POINTS):
            first = number * ROWS
            path = f"/v1/datasources/plays/{mode}?format=csv"
            job = importing.send(
                path, text(range(first, first + ROWS), "FR" if number % 2 else "DE")
            )
            at(importing, job, point)
            server.kill(role)
            ended = importing.ended(job)
            assert ended["status"] == "done", ended
            numbers = range(first if mode == "replace" else 0, first + ROWS)
            expected = [len(numbers), len(numbers), sum(numbers)]
            assert importing.rows() == expected, (point, ended)
            assert importing.plays() == (len(numbers), len(numbers)), (point, ended)
            assert (ended["rows"], ended["quarantine_rows"]) == (ROWS, 0)


@pytest.mark.parametrize("role", ["web", "worker", "store"])
def test_removals_are_done_once(tmp_path: Path, role: str) -> None:
    with Server(tmp_path / "data", env=LIMITS) as server:
        importing = Importing(server)
        importing.build()
        for number in range(0, 10, EVERY):
            before = importing.append(text(range(500), "DE"))
            gone = importing.post("/v0/datasources/plays/truncate").json()["id"]
            after = importing.append(text(range(500, 600), "DE"))
            time.sleep(number * 0.05)
            server.kill(role)
            for job in (before, gone, after):
                assert importing.ended(job)["status"] == "done"
            assert importing.rows() == [100, 100, sum(range(500, 600))], number
        until_ready(server)


def until_ready(server: Server) -> None:
    while True:
        try:
            if server.http.get(f"{server.url}/readyz").status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
