"""A full disk: the doors say so, nothing acknowledged is missing, and it resumes by itself."""

import itertools
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.books import result_of, start_load, wrong_views
from support.patience import until
from support.server import Server

MIB = 1 << 20
DISK_BYTES = 400 * MIB
FLOOR_BYTES = 96 * MIB
LIMITS = {
    "PLAYHEAD_LOG__FREE_SPACE_FLOOR_BYTES": str(FLOOR_BYTES),
    "PLAYHEAD_LOG__SEGMENT_BYTES": str(4 * MIB),
}
RATE = 30
NUMBERS = itertools.count()
TO_THE_LAST_BYTE = pytest.mark.xfail(
    strict=False,
    reason="others filled the disk past the floor in a moment: before loading and merging stopped"
    " at once, the engine lost a part in one run of three; since then in none of seven",
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few hundred megabytes; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Take all free space but `leave` bytes; return the file that holds it."""
    ballast = disk / "ballast"
    chunk = b"\0" * MIB
    with ballast.open("wb", buffering=0) as file:
        while (free := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize) > leave:
            try:
                file.write(chunk[: free - leave])
            except OSError:  # the server was faster
                break
    return ballast


def probe(server: Server) -> httpx2.Response:
    event = {"eventType": "HEARTBEAT", "viewId": "probe", "seq": next(NUMBERS)}
    return server.send([event | {"timestamp": int(time.time() * 1000)}])


def refuses(server: Server) -> bool:
    return probe(server).status_code == 503


def takes(server: Server) -> bool:
    return probe(server).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("leave", [FLOOR_BYTES // 2, pytest.param(0, marks=TO_THE_LAST_BYTE)])
def test_a_full_disk_loses_nothing_and_frees_itself(disk: Path, tmp_path: Path, leave: int) -> None:
    """`leave` 0: the disk fills at a blow, past the floor, while blocks are being written."""
    with Server(disk / "data", env=LIMITS) as server:
        out = tmp_path / "load.json"
        load = start_load(
            server, out, seconds=12, rate=RATE, events=20, views=40, connections=8,
            batches_per_view=8,
        )  # fmt: skip
        time.sleep(3)
        ballast = fill(disk, leave=leave)
        assert until(lambda: refuses(server), 5)
        refused = probe(server)
        assert refused.json()["code"] == "disk_low"
        assert int(refused.headers["retry-after"]) >= 1
        assert server.http.get(f"{server.url}/readyz").status_code == 503
        time.sleep(2)
        ballast.unlink()
        assert until(lambda: takes(server), 10)
        assert load.wait(60) == 0
        status = server.wait_until_stored(60)
        result = result_of(out)
        assert result["retried_because"].get("503", 0) > 0
        assert result["events"] > 0
        assert wrong_views(server, result) == []
        assert status["events"]["equation_holds"]
        assert server.http.get(f"{server.url}/readyz").status_code == 200
