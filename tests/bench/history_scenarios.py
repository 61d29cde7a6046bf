"""What questions about much history cost: from the views alone, from rollups, from the cache."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.lines import Line
from bench.probes import percentile, timed_gets
from support.server import Server

DAY_MS: Final = 86_400_000
_ROWS_ONLY: Final = {"PLAYHEAD_QUERY__USE_ROLLUPS": "false"}
_ROUNDS: Final = 56


def metrics(folder: Path, *, quick: bool) -> list[Line]:
    """The metric API over ten million views of one month, by a dimension."""
    views = 100_000 if quick else 10_000_000
    rounds = 4 if quick else _ROUNDS
    now_ms = int(time.time() * 1000)
    midnight_ms = now_ms // DAY_MS * DAY_MS
    lately = (now_ms - 30 * DAY_MS, now_ms)
    month = (midnight_ms - 29 * DAY_MS, midnight_ms)
    with Server(folder / "data", env=_ROWS_ONLY) as server:
        began = time.monotonic()
        seed(server, views)
        seeded_s = time.monotonic() - began
        rows, _ = timed_gets(server, rounds=rounds, from_ms=lately[0], to_ms=lately[1])
    with Server(folder / "data") as server:
        days, cached = timed_gets(server, rounds=rounds, from_ms=month[0], to_ms=month[1])
        edges, _ = timed_gets(server, rounds=rounds, from_ms=lately[0], to_ms=lately[1])
    what = f"metric API over {views:,} views, a month, by a dimension"
    return [
        Line(
            f"{what}: 29 whole days, from rollups",
            _said(days),
            "p95 ≤ 50 ms",
        ),
        Line(
            f"{what}: the last 30 days, from rollups and the views of both ends",
            _said(edges),
            "p95 ≤ 500 ms",
        ),
        Line(
            f"{what}: the last 30 days, from the views alone",
            f"{_said(rows)} (history and rollups made in {seeded_s:.0f} s)",
            "p95 ≤ 500 ms",
        ),
        Line("the same again within the cache's time", f"p95 {percentile(cached, 95):.1f} ms", "≤ 50 ms"),
    ]  # fmt: skip


def _said(times_ms: list[float]) -> str:
    return f"p50 {percentile(times_ms, 50):.0f} ms, p95 {percentile(times_ms, 95):.0f} ms"


def seed(server: Server, views: int) -> None:
    """Make history through the command a user has."""
    command = [sys.executable, "-m", "playhead", "seed", "--views", str(views), "--days", "30"]
    command += ["--rollups", "--data", str(server.data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
