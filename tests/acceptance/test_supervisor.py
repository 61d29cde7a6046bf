"""The supervisor: one folder and one port, an orderly end, no orphans, nothing secret in any file."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead import config
from playhead.clock import SystemClock
from playhead.log.segments import SegmentLog
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.books import result_of, start_load, wrong_views
from support.patience import until
from support.server import Server, free_port

STOP_WITHIN_S = 10.0
GONE_WITHIN_S = 10.0
ROLES = ("web", "worker", "store")
ADDRESS = "203.0.113.77"
"""A documentation address (RFC 5737) that no file may hold."""
HIDDEN = {"access.db", "admin.token"}


def up(data: Path, port: int) -> "subprocess.CompletedProcess[str]":
    """Run `playhead up` where it cannot start."""
    command = [sys.executable, "-m", "playhead", "up", "--data", str(data), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def pings(seqs: range, view: str) -> list[dict[str, object]]:
    now = int(time.time() * 1000)
    return [
        {"eventType": "HEARTBEAT", "timestamp": now, "viewId": view, "seq": seq} for seq in seqs
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("data")) as running:
        yield running


def test_a_second_up_on_the_same_folder_says_so(server: Server) -> None:
    second = up(server.data, 0)
    assert second.returncode == 2
    assert "Another Playhead already uses the data folder" in second.stderr
    assert server.http.get(f"{server.url}/healthz").status_code == 200


def test_a_second_up_on_the_same_port_says_so(server: Server, tmp_path: Path) -> None:
    second = up(tmp_path / "other", server.port)
    assert second.returncode == 2
    assert f"Port {server.port} on 127.0.0.1 cannot be used" in second.stderr
    assert "Traceback" not in second.stderr


def test_port_zero_takes_a_free_one_and_names_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "playhead", "up", "--data", str(tmp_path), "--port", "0"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        said = next(line for line in running.stderr if "listens on" in line)
        port = int(said.rpartition(":")[2])
        assert port > 0
        probe = Server(tmp_path)
        probe.port = port
        assert until(lambda: answers(probe), 30)
        probe.http.close()
    finally:
        running.terminate()
        assert running.wait(STOP_WITHIN_S) == 0
        assert running.stderr is not None
        running.stderr.close()


def answers(server: Server) -> bool:
    try:
        return bool(server.http.get(f"{server.url}/readyz").status_code == 200)
    except OSError:
        return False
    except Exception:  # noqa: BLE001 (the client's own names for "not yet")
        return False


def test_sigterm_under_load_ends_in_time_and_keeps_everything(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        out = tmp_path / "load.json"
        load = start_load(server, out, seconds=6, rate=200, views=100, connections=8)
        time.sleep(2.5)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < STOP_WITHIN_S
        server.start()
        assert load.wait(60) == 0
        server.wait_until_stored()
        result = result_of(out)
        assert result["events"] > 0
        assert wrong_views(server, result) == []


def test_a_killed_supervisor_leaves_no_orphans_and_a_usable_folder(tmp_path: Path) -> None:
    view = str(uuid.uuid4())
    with Server(tmp_path / "data") as server:
        server.send(pings(range(3), view))
        pids = [server.pid(role) for role in ROLES]
        assert server._process is not None
        server._process.send_signal(signal.SIGKILL)
        server._process.wait()
        assert until(lambda: not any(map(alive, pids)), GONE_WITHIN_S)
        server.start()
        server.send(pings(range(3, 5), view))
        server.wait_until_stored()
        assert len(server.get(f"/v1/views/{view}")["data"]["events"]) == 5


def test_no_address_and_no_token_in_any_file(tmp_path: Path) -> None:
    view = str(uuid.uuid4())
    with Server(tmp_path / "data") as server:
        token = server.token
        headers = {"x-forwarded-for": ADDRESS}
        events = [*pings(range(3), view), {"timestamp": 1}]
        assert server.send(events, headers=headers).status_code == 200
        nameless = [{"eventType": "PLAY", "timestamp": int(time.time() * 1000)}]
        assert server.send(nameless, headers=headers).status_code == 200
        wrong = {"key": f"{token}x"}
        assert server.send(events, headers=headers, params=wrong).status_code == 401
        for path in ("/v1/views", "/v1/views/none", "/v1/nothing", "/v1/live?minutes=x"):
            server.http.get(server.url + path, params={"token": token}, headers=headers)
        server.wait_until_stored()
        assert [found for found in stored_texts(server) if ADDRESS in found] == []
        server.kill("worker")
        server.wait_until_stored()
        assert server.stop() == 0
        lines = (server.data / "server.log").read_text().splitlines()
        secrets = [ADDRESS.encode(), token.encode()]
        assert leaks(server.data, secrets) == []
        assert [one for one in logged(server.data) if any(map(one.__contains__, secrets))] == []
    greeting = [line for line in lines if not line.startswith("{")]
    assert all(json.loads(line)["event"] for line in lines if line.startswith("{"))
    assert len(greeting) <= 3


def stored_texts(server: Server) -> list[str]:
    """Every row of every table, as text: the store's files are compressed."""
    client = StoreClient(embedded(server.data))
    try:
        tables = ("events", "views", "quarantine")
        rows = [row for table in tables for row in client.rows(f"SELECT * FROM {table}").rows]
    finally:
        client.close()
    assert len(rows) >= len(tables)
    return [str(row) for row in rows]


def logged(data: Path) -> list[bytes]:
    """Every record of the log: its bodies are compressed, too."""
    log = SegmentLog(data / "log", config.Log(), SystemClock(), writable=False)
    try:
        records = log.read(0, max_records=10_000, max_bytes=1 << 30)
    finally:
        log.close()
    assert records
    return [record.meta + record.body + record.key.encode() for record in records]


def leaks(folder: Path, secrets: list[bytes]) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(path.name.startswith(name) for name in HIDDEN)
        if hidden or not path.is_file() or path.stat().st_size > 64 << 20:
            continue
        content = path.read_bytes()
        found += [f"{path.name}: {secret!r}" for secret in secrets if secret in content]
    return found


def test_a_folder_that_cannot_be_made_is_said() -> None:
    tried = up(Path("/proc/nowhere"), free_port())
    assert tried.returncode == 2
    assert "The data folder /proc/nowhere cannot be written" in tried.stderr
