"""What a soak measures besides: memory and processor time of each process, and what the status says."""

import json
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx2

EVERY_S: Final = 5.0
SETTLED_S: Final = 60.0
"""A process younger than this is still taking up what it needs."""
COURSE_PARTS: Final = 12
ROLES: Final = ("web", "worker", "store", "supervisor")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class Sample(NamedTuple):
    """One process at a moment."""

    at_s: float
    role: str
    pid: int
    memory_kb: int
    """Its own, without mapped files: what of the engine's library counts here changes with other servers."""
    cpu_s: float


class Look(NamedTuple):
    """The status at a moment; None where nobody answered."""

    at_s: float
    pending: int
    open_views: int


class Growth(NamedTuple):
    """What the memory of a role did."""

    role: str
    peak_mb: float
    first_mb: float
    """Mean over the first third of the steady part."""
    last_mb: float
    """Mean over its last third."""
    slope_mb_per_h: float
    """Least squares over the steady part."""
    processes: int
    """How many processes played this role during the run."""
    course_mb: tuple[float, ...] = ()
    """Means over even parts of the life of the process that lived to the end."""


def processes(data: Path) -> dict[str, Any]:
    """Return the processes as the supervisor lists them; nothing while it writes."""
    try:
        found: dict[str, Any] = json.loads((data / "run" / "processes.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


class Watch:
    """A thread that samples until the block ends."""

    def __init__(self, data: Path, url: str, token: str, supervisor: Any) -> None:
        self.samples: list[Sample] = []
        self.looks: list[Look] = []
        self.began_s = time.monotonic()
        self._data = data
        self._supervisor = supervisor
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        head = {"authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=url, headers=head, timeout=EVERY_S)

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
        self._http.close()

    def _run(self) -> None:
        while not self._done.wait(EVERY_S):
            at_s = time.monotonic() - self.began_s
            pids = {role: one.get("pid") for role, one in processes(self._data).items()}
            pids["supervisor"] = self._supervisor()
            for role, pid in pids.items():
                sample = _sample(at_s, role, pid) if pid else None
                if sample is not None:
                    self.samples.append(sample)
            self._look(at_s)

    def _look(self, at_s: float) -> None:
        try:
            data = self._http.get("/v1/status").json()["data"]
            look = Look(at_s, data["events"]["pending"], data["worker"]["open_views"])
        except (httpx2.HTTPError, ValueError, KeyError):
            return
        self.looks.append(look)

    def cpu_share(self, role: str) -> float:
        """Return the processor time of a role per second of the run."""
        last: dict[int, float] = {}
        for sample in self.samples:
            if sample.role == role:
                last[sample.pid] = sample.cpu_s
        ended_s = max((sample.at_s for sample in self.samples), default=0.0)
        return sum(last.values()) / ended_s if ended_s else 0.0


def growth(samples: list[Sample], role: str, since_s: float) -> Growth:
    """Return what the memory of a role did after `since_s`, in the process that lived to the end."""
    mine = [sample for sample in samples if sample.role == role]
    if not mine:
        return Growth(role, 0.0, 0.0, 0.0, 0.0, 0)
    peak = max(sample.memory_kb for sample in mine) / 1024
    pids = {sample.pid for sample in mine}
    steady = [one for one in mine if one.pid == mine[-1].pid and one.at_s >= since_s]
    points = [(one.at_s, one.memory_kb / 1024) for one in steady]
    third = max(1, len(points) // 3)
    first, last = (_mean([mb for _, mb in some]) for some in (points[:third], points[-third:]))
    course = _course([one.memory_kb / 1024 for one in mine if one.pid == mine[-1].pid])
    return Growth(role, peak, first, last, slope(points) * 3_600, len(pids), course)


def _course(values: list[float]) -> tuple[float, ...]:
    size = max(1, -(-len(values) // COURSE_PARTS))
    return tuple(_mean(values[at : at + size]) for at in range(0, len(values), size))


def slope(points: list[tuple[float, float]]) -> float:
    """Return the least-squares slope of y over x; 0 of fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x, mean_y = _mean([x for x, _ in points]), _mean([y for _, y in points])
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _sample(at_s: float, role: str, pid: int) -> Sample | None:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    memory_kb = sum(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:"))
    return Sample(at_s, role, pid, memory_kb, (int(stat[11]) + int(stat[12])) / _TICKS_PER_S)
