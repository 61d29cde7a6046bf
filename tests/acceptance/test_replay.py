"""All recordings, replayed twice by the command: as many views as there are recordings."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.lumos import bitrate_by_connection, recordings
from support.server import Server

VIEWS = 590
TOLERANCE = 0.001


@pytest.mark.slow
def test_all_recordings_replayed_twice_are_one_view_each(tmp_path: Path) -> None:
    paths = recordings()
    folder = paths[0].parents[1]
    with Server(tmp_path / "data") as server:
        for more in ((), ("--again", "--start", "-3h")):
            command = [sys.executable, "-m", "playhead", "replay", str(folder), "--map", "lumos"]
            subprocess.run([*command, *more, "--url", server.url], cwd=tmp_path, check=True)
        books = server.wait_until_stored()["events"]
        assert books["stored"] == books["duplicates"] == books["in"] / 2
        assert server.get("/v1/metrics/views/overall")["data"]["value"] == len(paths) == VIEWS
        rows = server.get("/v1/metrics/weighted_bitrate/breakdown", group_by="connection_type")
        found = {row["group"]: row["value"] for row in rows["data"]}
        assert found == pytest.approx(bitrate_by_connection(paths), rel=TOLERANCE)
