"""The server keeps what `/openapi.json` says: schemathesis asks it everything the document allows.

Every answer has a documented status, type and schema; what the document forbids is refused; no
answer is a 5xx; tokens are asked for where the document says so. (The live stream never ends, and a
token that is refreshed or removed may be the one that asks: both have tests of their own.)
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server

HERE = Path(__file__).parent / "openapi"
EXAMPLES = 12
SECONDS = 400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"PLAYHEAD_QUERY__REQUESTS_PER_MINUTE_PER_TOKEN": "0"}
    with Server(tmp_path_factory.mktemp("openapi") / "data", env=env) as running:
        now = int(time.time() * 1000)
        events = [
            {"eventType": "PLAY", "timestamp": now - 30_000, "viewId": "view-1", "seq": 0},
            {"eventType": "PLAYING", "timestamp": now - 29_000, "viewId": "view-1", "seq": 1},
            {"eventType": "STOP", "timestamp": now - 1_000, "viewId": "view-1", "seq": 2},
            {"eventType": "PLAY"},
        ]
        assert running.send(events).json()["accepted"] == 3
        running.wait_until_stored()
        yield running


def test_schemathesis_finds_nothing(server: Server, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")), f"--config-file={HERE}/schemathesis.toml",
        "run", f"http://127.0.0.1:{server.port}/openapi.json", "-H", f"Authorization: Bearer {server.token}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing", "--workers", "1", "--no-color",
        "--exclude-path", "/v1/live/stream", "--exclude-path-regex", "^/v0/tokens/",
        "--max-examples", str(EXAMPLES), "--generation-deterministic",
    ]  # fmt: skip
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    assert "No issues found" in done.stdout or "passed" in done.stdout
