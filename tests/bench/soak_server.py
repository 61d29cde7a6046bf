"""The server of a soak, and everything that is done to it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx2

from bench.soak_disk import FLOOR_BYTES, MIB, Disk
from bench.soak_plan import CHILDREN
from bench.soak_trails import FILES
from bench.soak_watch import processes
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

READY_S: Final = 180.0
ORPHANS_GONE_S: Final = 20.0
START_S: Final = 6.0
"""Longer than the supervisor waits before it starts again what died right away."""
SOURCE: Final = Path(__file__).parents[2] / "src"
CLOCK: Final = Path(__file__).parent / "soak_clock"
SETTINGS: Final = {
    "LOG__FREE_SPACE_FLOOR_BYTES": str(FLOOR_BYTES),
    "LOG__SEGMENT_BYTES": str(64 * MIB),
    # So that views close during the run: what memory does afterwards can then be seen.
    "PROCESS__VIEW_IDLE_MS": "180000",
}


class SoakServer(Server):
    """`playhead up` on a disk of its own, from a copy of the code, with a clock that can be moved.

    The copy is what makes a run one of one release: a process that is killed starts again from the
    files, and those of a checkout may be edited meanwhile.
    """

    def __init__(self, folder: Path, disk: Disk, source: Path) -> None:
        self._clock = folder / "clock"
        self._clock.write_text("0")
        copy = folder / "src"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        self.env = {f"PLAYHEAD_{name}": value for name, value in SETTINGS.items()}
        self.env["PYTHONPATH"] = os.pathsep.join(map(str, (CLOCK, copy)))
        self.env["SOAK_CLOCK_FILE"] = str(self._clock)
        super().__init__(disk.folder / "data", env=self.env)
        self.disk = disk
        self.ended = 0
        """Times it ended without having been killed."""
        self.dead: set[int] = set()
        self._held = False
        self._frozen = 0

    def build(self, folder: Path) -> None:
        """Build the project that rows and files go to."""
        for name, text in FILES.items():
            path = folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        command = [sys.executable, "-m", "playhead", "build", "--project", str(folder / "project")]
        subprocess.run(
            [*command, "--data", str(self.data)], check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, **self.env},
        )  # fmt: skip

    def wait_ready(self) -> None:
        """Wait longer than a test does: what was killed on a busy machine has much to take up."""
        until_s = time.monotonic() + READY_S
        while time.monotonic() < until_s:
            with contextlib.suppress(httpx2.HTTPError):
                if self.http.get(f"{self.url}/readyz").status_code == 200:
                    return
            if self._process is None or self._process.poll() is not None:
                raise SystemExit(f"the server has ended: {self.log_tail()}")
            time.sleep(0.1)
        raise SystemExit(f"not ready within {READY_S} s: {self.log_tail()}")

    def do(self, action: str, value: str) -> str:
        """Do one step of a plan; return what happened, in a few words."""
        deeds = {
            "kill": self.strike, "clock": self.move_clock, "fill": self.fill, "free": self.free,
            "freeze": self.freeze, "thaw": self.thaw, "keep dead": self.keep_dead,
            "let live": self.let_live,
        }  # fmt: skip
        return deeds[action](value)

    def strike(self, target: str) -> str:
        """`kill -9` of one process, of the three together, of the supervisor, or of all four."""
        if target in CHILDREN:
            pids = self._running(target)
            self._end(pids)
            return target if pids else f"{target}, was not up"
        children = self._running(*CHILDREN)
        if target == "children":
            self._end(children)
            return target
        assert self._process is not None
        supervisor = self._process.pid
        self._end([supervisor] if target == "supervisor" else [supervisor, *children])
        self._process.wait()
        left = self._left(children)
        self._end(left)
        self.start()
        return f"{target}, {len(left)} orphans" if left else target

    def move_clock(self, offset_s: str) -> str:
        """Move the wall clock of every process to so many seconds from the real one."""
        draft = self._clock.with_suffix(".tmp")
        draft.write_text(offset_s)
        draft.replace(self._clock)
        return f"{offset_s} s"

    def fill(self, kind: str) -> str:
        """Fill the disk: to half of its floor, or to the last byte."""
        if not self.disk.fillable:
            return self._restart_with_floor(1 << 60)
        self.disk.fill(leave=0 if kind == "full" else FLOOR_BYTES // 2)
        return f"{kind}: {self.disk.free_bytes():,} bytes left"

    def free(self, _value: str = "") -> str:
        """Give the space back."""
        if not self.disk.fillable:
            return self._restart_with_floor(FLOOR_BYTES)
        self.disk.free()
        return f"{self.disk.free_bytes():,} bytes free"

    def freeze(self, _value: str = "") -> str:
        """Let the store stand still."""
        self._frozen = self.pid("store")
        os.kill(self._frozen, signal.SIGSTOP)
        return "store stands still"

    def thaw(self, _value: str = "") -> str:
        """Let the store go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._frozen, signal.SIGCONT)
        return "store goes on" if self.pid("store") == self._frozen else "store is another"

    def keep_dead(self, _value: str = "") -> str:
        """From now on kill the store whenever it comes up."""
        self._held = True
        return "store is kept dead"

    def let_live(self, _value: str = "") -> str:
        """Let the store live again."""
        self._held = False
        return f"store was killed {len(self.dead)} times"

    def look_after(self) -> None:
        """Start a server that has ended by itself; kill a store that came up while it is kept dead."""
        if self._process is not None and self._process.poll() is not None:
            self.ended += 1
            print(f"  the server has ended: {self.log_tail()}", file=sys.stderr, flush=True)
            self.start()
        if not self._held:
            return
        pid = processes(self.data).get("store", {}).get("pid")
        if pid and pid not in self.dead:
            self.dead.add(pid)
            self._end([pid])

    def status(self) -> dict[str, Any]:
        """Return the status; a server that has ended is started again first."""
        self.look_after()
        return super().status()

    def client(self) -> StoreClient:
        """Return a client of the store, behind the server's back."""
        return StoreClient(embedded(self.data))

    @property
    def supervisor(self) -> int:
        """The supervisor's process id."""
        return self._process.pid if self._process else 0

    def _running(self, *roles: str) -> list[int]:
        """Return the process ids of these roles; one that is just being started is waited for."""
        until_s = time.monotonic() + START_S
        while True:
            listed = processes(self.data)
            pids = [pid for role in roles if (pid := listed.get(role, {}).get("pid"))]
            if len(pids) == len(roles) or time.monotonic() > until_s:
                return pids
            time.sleep(0.05)

    def _end(self, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self, pids: list[int]) -> list[int]:
        """Return which of these processes outlive their supervisor."""
        until_s = time.monotonic() + ORPHANS_GONE_S
        left = pids
        while left and time.monotonic() < until_s:
            left = [pid for pid in left if _runs(pid)]
            time.sleep(0.05)
        return left

    def _restart_with_floor(self, floor_bytes: int) -> str:
        """Without a disk to fill: a floor above all there is, and the same server again."""
        self.stop()
        self._env["PLAYHEAD_LOG__FREE_SPACE_FLOOR_BYTES"] = str(floor_bytes)
        if floor_bytes > FLOOR_BYTES:
            patience, self.wait_ready = self.wait_ready, lambda: None  # type: ignore[method-assign]
            self.start()
            self.wait_ready = patience  # type: ignore[method-assign]
        else:
            self.start()
        return f"floor at {floor_bytes:,} bytes"


def _runs(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
