"""A real Playhead in processes of its own, on a free port, gone when the test is."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 10.0


class Server:
    """`playhead up` on a data folder."""

    def __init__(self, data: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = 0
        # Most tests ask for none of the project that ships: building it would only take time.
        self._env = {**os.environ, "PLAYHEAD_PIPES__DEFAULT_PROJECT": "false", **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx2.Client(timeout=30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.data / "admin.token").read_text().strip()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()
        self.stop()

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        log = (self.data / "server.log").open("ab")
        command = [sys.executable, "-m", "playhead", "up", "--data", str(self.data)]
        command += ["--port", str(self.port or free_port())]
        self.port = int(command[-1])
        self._process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)
        log.close()
        self.wait_ready()

    def wait_ready(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            try:
                if self.http.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            assert self._process is not None
            assert self._process.poll() is None, self.log_tail()
            time.sleep(0.05)
        raise AssertionError(f"not ready within {READY_WITHIN_S} s: {self.log_tail()}")

    def stop(self) -> int:
        """End it as a service manager would; return its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process = None

    def pid(self, role: str) -> int:
        """The process id of web, worker or store; waits for one that is being restarted."""
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            try:
                listed = json.loads((self.data / "run" / "processes.json").read_text())
            except (OSError, ValueError):
                listed = {}
            if pid := listed.get(role, {}).get("pid"):
                return int(pid)
            time.sleep(0.02)
        raise AssertionError(f"{role} does not run")

    def kill(self, role: str) -> None:
        os.kill(self.pid(role), signal.SIGKILL)

    def send(self, events: Any, **kwargs: Any) -> httpx2.Response:
        return self.http.post(f"{self.url}/telemetry", json=events, **kwargs)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """An answer of the API, with the admin token; asserts that it is one."""
        answer = self.http.get(
            self.url + path, params=params, headers={"Authorization": f"Bearer {self.token}"}
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def status(self) -> dict[str, Any]:
        data: dict[str, Any] = self.get("/v1/status")["data"]
        return data

    def wait_until_stored(self, within_s: float = 60.0) -> dict[str, Any]:
        """Wait until nothing is pending; return the status."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            try:
                status = self.status()
                if status["events"]["pending"] == 0:
                    return status
            except (httpx2.HTTPError, AssertionError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"still pending after {within_s} s: {self.log_tail()}")

    def log_tail(self) -> str:
        try:
            return (self.data / "server.log").read_text("utf-8", "replace")[-3000:]
        except OSError:
            return "no log"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
