"""The project that ships: there at the first start, and never in the way of one's own."""

import subprocess
import sys
import time
from pathlib import Path

from support.server import Server

SHIPS = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "true"}
OWN = "NODE one\nSQL >\n    SELECT 1 AS n\n\nTYPE endpoint\n"


def pipes(server: Server) -> set[str]:
    return {pipe["name"] for pipe in server.get("/v0/pipes")["pipes"]}


def test_the_first_start_has_the_project_that_ships(tmp_path: Path) -> None:
    with Server(tmp_path / "data", env=SHIPS) as server:
        until = time.monotonic() + 20
        while not pipes(server) and time.monotonic() < until:
            time.sleep(0.1)
        assert "video_performance_by_cdn" in pipes(server)
        assert (server.data / "tokens" / "video_read.token").stat().st_mode & 0o777 == 0o600


def test_a_project_of_ones_own_at_the_first_start_stays(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.pipe").write_text(OWN)
    with Server(tmp_path / "data", env=SHIPS) as server:
        command = [sys.executable, "-m", "playhead", "build", "--project", str(tmp_path / "own")]
        done = subprocess.run(
            [*command, "--data", str(server.data)], check=False, capture_output=True, text=True
        )
        time.sleep(1.5)  # what the server would still build comes after
        assert done.returncode == 0, done.stdout + done.stderr
        assert pipes(server) == {"mine"}
