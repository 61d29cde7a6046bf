"""`playhead replay` against a real server: twice, stopped in the middle, moved in time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lumos import bitrate_by_connection, recordings
from support.server import Server

SUBSET = 40
TOLERANCE = 0.001


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as running:
        yield running


def start(server: Server, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "playhead", "replay", *arguments, "--url", server.url]
    return subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def replay(server: Server, folder: Path, *arguments: str) -> tuple[int, str]:
    process = start(server, folder, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def made(folder: Path, views: int, events: int) -> Path:
    """A file of telemetry without ids, an hour old."""
    at_ms = int(time.time() * 1000) - 3_600_000
    lines = [
        json.dumps({
            "eventType": "HEARTBEAT" if nth else "PLAYING", "timestamp": at_ms + nth * 1000,
            "viewId": f"v{view}", "playbackPositionSec": nth,
        })
        for view in range(views)
        for nth in range(events)
    ]  # fmt: skip
    (folder / "events.ndjson").write_text("\n".join(lines))
    return folder / "events.ndjson"


def books(server: Server) -> tuple[int, int]:
    status = server.wait_until_stored()["events"]
    assert status["equation_holds"]
    return status["stored"], status["duplicates"]


def test_recordings_replayed_twice_are_one_view_each(server: Server, tmp_path: Path) -> None:
    paths = [str(path) for path in recordings()[:SUBSET]]
    once = replay(server, tmp_path, *paths, "--map", "lumos")
    twice = replay(server, tmp_path, *paths, "--map", "lumos", "--again", "--start", "-2h")
    assert (once[0], twice[0]) == (0, 0), once[1] + twice[1]
    stored, duplicates = books(server)
    assert stored == duplicates
    assert server.get("/v1/metrics/views/overall")["data"]["value"] == SUBSET


def test_recordings_have_their_bitrates_and_no_stalls(server: Server, tmp_path: Path) -> None:
    paths = recordings()[:SUBSET]
    assert replay(server, tmp_path, *map(str, paths), "--map", "lumos")[0] == 0
    books(server)
    rows = server.get("/v1/metrics/weighted_bitrate/breakdown", group_by="connection_type")["data"]
    found = {row["group"]: row["value"] for row in rows}
    assert found == pytest.approx(bitrate_by_connection(paths), rel=TOLERANCE)
    assert server.get("/v1/metrics/rebuffer_percentage/overall")["data"]["value"] == 0


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_goes_on(server: Server, tmp_path: Path, blow: int) -> None:
    file = made(tmp_path, views=200, events=100)
    process = start(server, tmp_path, str(file))
    while server.status()["events"]["in"] < 2_000:
        time.sleep(0.01)
    process.send_signal(blow)
    process.communicate(timeout=30)
    code, said = replay(server, tmp_path, str(file))
    assert (process.returncode, code) == (-9 if blow == signal.SIGKILL else 130, 0), said
    assert books(server)[0] == 20_000


def test_a_file_without_ids_may_be_replayed_at_another_time(server: Server, tmp_path: Path) -> None:
    file = made(tmp_path, views=3, events=10)
    for arguments in ((), ("--again", "--start", "-2h")):
        assert replay(server, tmp_path, str(file), *arguments)[0] == 0
    assert books(server) == (30, 30)


def test_moved_times_are_not_corrected_away(server: Server, tmp_path: Path) -> None:
    file = made(tmp_path, views=1, events=10)
    assert replay(server, tmp_path, str(file), "--start", "2026-01-01T00:00:00")[0] == 1
    begin_ms = int(time.time() * 1000) - 86_400_000
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin_ms / 1000))
    assert replay(server, tmp_path, str(file), "--start", at, "--again")[0] == 0
    books(server)
    view = server.get("/v1/views/v0")["data"]
    assert json.dumps(view).count(at) >= 1


def test_compressed_files_are_the_same_events(server: Server, tmp_path: Path) -> None:
    made(tmp_path, views=2, events=10)
    os.system(f"gzip {tmp_path / 'events.ndjson'}")  # noqa: S605 (a name of ours)
    assert replay(server, tmp_path, "events.ndjson.gz")[0] == 0
    assert books(server) == (20, 0)


def test_lines_of_every_door_count_once(server: Server, tmp_path: Path) -> None:
    now_s = time.time() - 600
    log = {"path": "/a.ts", "status_code": 200, "cache_status": "TCP_HIT", "host": "h"}
    (tmp_path / "cdn.ndjson").write_text(
        "".join(json.dumps(log | {"timestamp": now_s + n}) + "\n" for n in range(50))
    )
    (tmp_path / "a.cmcd").write_text(
        "".join(f'e=t,sid="s",sta=p,ts={int(now_s * 1000) + n},v=2\n' for n in range(20))
    )
    (tmp_path / "f.ndjson").write_text(
        json.dumps({"streamId": "s", "timestamp": int(now_s * 1000), "fps": 25})
    )
    rows = ("f.ndjson", "--kind", "events", "--name", "stream_frames")
    for arguments in (("cdn.ndjson",), ("a.cmcd",), rows):
        for again in ((), ("--again",)):
            code, said = replay(server, tmp_path, *arguments, *again)
            assert code == 0, said
    assert books(server) == (71, 0)


def test_cmcd_at_another_time_changes_nothing(server: Server, tmp_path: Path) -> None:
    at_ms = int(time.time() * 1000) - 600_000
    (tmp_path / "a.cmcd").write_text(
        "".join(f'e=t,sid="s",sta=p,ts={at_ms + n},v=2\n' for n in range(2))
    )
    assert replay(server, tmp_path, "a.cmcd")[0] == 0
    code, said = replay(server, tmp_path, "a.cmcd", "--again", "--start", "-1h")
    assert (code, "already_sent 2" in said) == (1, True), said
    assert books(server)[0] == 2
