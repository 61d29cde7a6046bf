"""What questions about much history cost: from the views alone, from rollups, from the cache.

To make ten million views takes minutes: a folder named by `PLAYHEAD_BENCH_HISTORY` keeps them for the
next run, which makes only the rollups anew whose layout changed. It asks about the month of back then.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.lines import Line
from bench.probes import Timed, percentile, timed_gets
from playhead.cli.seed import sum_closed_days
from playhead.config.file import load
from playhead.store.location import embedded
from support.server import Server

DAY_MS: Final = 86_400_000
KEPT_IN: Final = "PLAYHEAD_BENCH_HISTORY"
_ROWS_ONLY: Final = {"PLAYHEAD_QUERY__USE_ROLLUPS": "false"}
_ROUNDS: Final = 56
_TARGET: Final = "p95 ≤ 500 ms"


def metrics(folder: Path, *, quick: bool) -> list[Line]:
    """The metric API over ten million views of one month, by a dimension."""
    views = 100_000 if quick else 10_000_000
    rounds = 4 if quick else _ROUNDS
    kept = os.environ.get(KEPT_IN)
    data = (Path(kept).resolve() / f"{views}" if kept else folder) / "data"
    with Server(data, env=_ROWS_ONLY) as server:
        began = time.monotonic()
        now_ms = _history(server, views)
        made_s = time.monotonic() - began
        midnight_ms = now_ms // DAY_MS * DAY_MS
        lately = (now_ms - 30 * DAY_MS, now_ms)
        rows = timed_gets(server, rounds=rounds, from_ms=lately[0], to_ms=lately[1])
    with Server(data) as server:
        month = (midnight_ms - 29 * DAY_MS, midnight_ms)
        days = timed_gets(server, rounds=rounds, from_ms=month[0], to_ms=month[1])
        edges = timed_gets(server, rounds=rounds, from_ms=lately[0], to_ms=lately[1])
    what = f"metric API over {views:,} views, a month, by a dimension"
    cached = percentile([one.cached for one in days], 95)
    return [
        Line(f"{what}: 29 whole days, from rollups", _said(days), "p95 ≤ 50 ms"),
        *_by_metric("of these", days, "p95 ≤ 50 ms"),
        Line(
            f"{what}: the last 30 days, from rollups and the views of both ends",
            _said(edges),
            _TARGET,
        ),
        Line(
            f"{what}: the last 30 days, from the views alone",
            f"{_said(rows)} (history and rollups made in {made_s:.0f} s)",
            _TARGET,
        ),
        Line("the same again within the cache's time", f"p95 {cached:.1f} ms", "≤ 50 ms"),
    ]


def _by_metric(what: str, timed: list[Timed], target: str) -> list[Line]:
    names = dict.fromkeys(one.metric for one in timed)
    return [
        Line(f"{what}, {name}", _said([one for one in timed if one.metric == name]), target)
        for name in names
    ]


def _said(timed: list[Timed]) -> str:
    times_ms = [one.uncached for one in timed]
    return f"p50 {percentile(times_ms, 50):.0f} ms, p95 {percentile(times_ms, 95):.0f} ms"


def _history(server: Server, views: int) -> int:
    """Make history, unless it was made before; return the moment (ms) it goes up to."""
    made = server.data.with_name("made_ms")
    if made.exists():
        config = load(overrides={"data.dir": str(server.data)}).config
        sum_closed_days(embedded(server.data), config, now_ms=int(made.read_text()))
        return int(made.read_text())
    seed(server, views)
    now_ms = int(time.time() * 1000)
    made.write_text(str(now_ms))
    return now_ms


def seed(server: Server, views: int) -> None:
    """Make history through the command a user has."""
    command = [sys.executable, "-m", "playhead", "seed", "--views", str(views), "--days", "30"]
    command += ["--rollups", "--data", str(server.data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
