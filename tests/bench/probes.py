"""What the scenarios measure with: memory, freshness, request times."""

import json
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx2

from support.server import Server

PAUSE_S = 0.6
"""Between questions: what one has found out about rollups is kept half a second for the next."""


def percentile(values: list[float], q: float) -> float:
    """The q-th percentile by nearest rank; NaN of nothing."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * q / 100))]


class _Background:
    """A thread that works until the block ends."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        raise AssertionError


class Memory(_Background):
    """Proportional memory of the supervisor's children, sampled each second."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self.peak_mb = self.last_mb = 0.0

    def sample(self) -> None:
        total = 0
        try:
            listed = json.loads((self._server.data / "run" / "processes.json").read_text())
        except (OSError, ValueError):
            return
        for process in listed.values():
            total += _proportional_kb(process["pid"])
        self.last_mb = total / 1024
        self.peak_mb = max(self.peak_mb, self.last_mb)

    def _run(self) -> None:
        while not self._done.wait(1.0):
            self.sample()


def _proportional_kb(pid: int | None) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Freshness(_Background):
    """Sends one view twice a second and asks until it is in an answer."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self.seconds: list[float] = []

    def _run(self) -> None:
        head = {"Authorization": f"Bearer {self._server.token}"}
        with httpx2.Client(base_url=self._server.url, headers=head, timeout=30) as http:
            while not self._done.wait(0.3):
                view = str(uuid.uuid4())
                event = {
                    "eventType": "PLAY",
                    "timestamp": int(time.time() * 1000),
                    "viewId": view,
                    "seq": 0,
                }
                began = time.monotonic()
                http.post("/telemetry", json=[event])
                while http.get(f"/v1/views/{view}").status_code != 200:
                    if time.monotonic() - began > 30:
                        break
                    time.sleep(0.02)
                self.seconds.append(time.monotonic() - began)


class Timed(NamedTuple):
    """Milliseconds of one metric request: first asked, and asked again at once."""

    metric: str
    uncached: float
    cached: float


def timed_gets(server: Server, *, rounds: int, from_ms: int, to_ms: int) -> list[Timed]:
    """Ask metrics by dimensions over a span, one after the other."""
    metrics = (
        "views",
        "rebuffer_percentage",
        "startup_time",
        "weighted_bitrate",
        "score",
        "unique_viewers",
        "watch_time",
    )
    dimensions = ("cdn", "country", "device_class", "video_id")
    timed: list[Timed] = []
    head = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=head, timeout=60) as http:
        for at in range(rounds):
            params: dict[str, Any] = {
                "from": from_ms,
                "to": to_ms,
                "group_by": dimensions[at % len(dimensions)],
                "limit": 100 - at // (len(metrics) * len(dimensions)),
            }
            metric = metrics[at % len(metrics)]
            path = f"/v1/metrics/{metric}/breakdown"
            time.sleep(PAUSE_S)
            timed.append(Timed(metric, *(_get_ms(http, path, params) for _ in range(2))))
    return timed


def _get_ms(http: httpx2.Client, path: str, params: dict[str, Any]) -> float:
    began = time.monotonic()
    answer = http.get(path, params=params)
    took_ms = (time.monotonic() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(answer.text)
    return took_ms
