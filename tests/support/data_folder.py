"""A data folder with every versioned file, made without a server, and a look at all its bytes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from playhead.access import Tokens
from playhead.access.files import write_private
from playhead.clock import Clock, ManualClock
from playhead.collect.idempotency import Keys
from playhead.config import Collect, Log
from playhead.jobs.table import Jobs
from playhead.log.base import Entry
from playhead.log.offsets import Ledger
from playhead.log.segments import SegmentLog
from playhead.project.manifest import LIVE_FILE, STAGING_FILE
from playhead.project.routes import ROUTES_FILE
from playhead.rebuild import progress
from playhead.rebuild.progress import Plan, Progress
from playhead.runtime.release import write_release

WORKSPACE = "workspaces/0123456789ab"
SQLITE = (
    f"log/{0:020d}.db", "worker.db", "jobs.db", "doors.db", "access.db", f"{WORKSPACE}/access.db",
)  # fmt: skip
JSON = (
    "release.json", "rebuild/state.json",
    *(f"{folder}{name}" for folder in ("", f"{WORKSPACE}/")
      for name in (ROUTES_FILE, LIVE_FILE, STAGING_FILE)),
)  # fmt: skip


def make_folder(folder: Path, clock: Clock | None = None) -> None:
    """Every versioned file there is, as this release writes it."""
    clock = clock or ManualClock()
    log = SegmentLog(folder / "log", Log(free_space_floor_bytes=0), clock, writable=True)
    log.append([Entry("telemetry", "k", 0, b"{}", b"[]")])
    keys = Keys(folder / "doors.db", log, Collect(), clock)
    keys.settle()
    keys.close()
    log.close()
    Ledger(folder / "worker.db").close()
    Jobs(folder / "jobs.db", clock, kept_max=9, waiting_max=9).close()
    for home in (folder, folder / WORKSPACE):
        Tokens(home / "access.db", clock).close()
        for name in (ROUTES_FILE, LIVE_FILE, STAGING_FILE):
            write_private(home / name, '{"version":1}')
    plan = Plan(id="a", from_day="", to_day="", position=0, as_of_ms=0, stamp="", days=())
    progress.write(folder, Progress(plan=plan))
    write_release(folder, clock)


def raise_version(path: Path) -> None:
    """Let a file say that it is of the version after the one it has."""
    if path.suffix == ".json":
        text = path.read_text("utf-8")
        assert '"version":1' in text
        path.write_text(text.replace('"version":1', '"version":2', 1), "utf-8")
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version={version + 1}")


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder below a folder: when it changed, what it holds."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }  # fmt: skip
