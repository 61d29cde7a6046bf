"""Ten times the load a server sustains, for minutes: what it answers, what it takes, how it recovers.

First the rate is measured that this machine, server and generator together, sustains. Then ten times
as much is offered by a crowd (each connection an address of its own) and by one abusive address. Every
answer must be an acknowledgement, or a 429 or 503 that says when to come again; what was
acknowledged must be there exactly once, and afterwards the server must be as quick as before.
"""

import subprocess
import time
from pathlib import Path
from typing import Any, Final

from bench.lines import Line
from bench.probes import Memory
from support.books import result_of, start_load, wrong_views
from support.server import Server

SECONDS: Final = 300
TIMES: Final = 10
CONNECTIONS: Final = 1_500
ABUSIVE: Final = 300
"""Connections of the one address that sends more than it may."""
MEMORY_MAX_MB: Final = 1_500
LOOKS: Final = 6
_ENV: Final = {
    "PLAYHEAD_COLLECT__REQUESTS_PER_MINUTE_PER_ADDRESS": "6000",
    "PLAYHEAD_LIMITS__BURST_PER_ADDRESS": "500",
}
_CALM: Final = {
    "rate": 100, "events": 20, "views": 400, "connections": 16, "batches_per_view": 20,
    "addresses": 250,
}  # fmt: skip
_OUTCOMES: Final = ("requests", "retries", "dishonest", "not_sent_in_time")


def overload(folder: Path, *, quick: bool, seconds: int = SECONDS) -> list[Line]:
    """Offer ten times what is sustained, and look at what is left."""
    seconds = 10 if quick else seconds
    results: list[dict[str, Any]] = []
    with Server(folder / "data", env=_ENV) as server, Memory(server) as memory:
        before = _calm(server, folder, results, seed=1)
        per_s = _sustained(server, folder, results, seconds=5 if quick else 15)
        rate = per_s * TIMES
        crowd = start_load(
            server, folder / "crowd.json", seconds=seconds, rate=rate, events=20, seed=3,
            views=3_000, connections=CONNECTIONS, batches_per_view=30, addresses=CONNECTIONS,
            patience_s=30,
        )  # fmt: skip
        one = start_load(
            server, folder / "one.json", seconds=seconds, rate=rate, events=20, seed=4,
            views=600, connections=ABUSIVE, batches_per_view=30, addresses=1,
        )  # fmt: skip
        held_mb = _watched(memory, (crowd, one), seconds)
        overloaded = [result_of(folder / name) for name in ("crowd.json", "one.json")]
        results += overloaded
        began = time.monotonic()
        server.wait_until_stored(1_800)
        caught_up = time.monotonic() - began
        peak_mb = memory.peak_mb  # what follows, the comparison above all, is not the load's
        after = _calm(server, folder, results, seed=5)
        server.wait_until_stored(300)
        wrong = [view for result in results for view in wrong_views(server, result)]
        holds = server.status()["events"]["equation_holds"]
    return _lines(
        overloaded, seconds=seconds, per_s=per_s, peak_mb=peak_mb, held_mb=held_mb, wrong=len(wrong),
        holds=holds, caught_up=caught_up, before=before, after=after,
    )  # fmt: skip


def _calm(server: Server, folder: Path, results: list[dict[str, Any]], *, seed: int) -> float:
    """The 99th percentile of answers under a light load, in ms."""
    out = folder / f"calm-{seed}.json"
    _ended(start_load(server, out, seconds=10, seed=seed, **_CALM), 10)
    results.append(result_of(out))
    return float(results[-1]["latency_ms"]["p99"])


def _sustained(
    server: Server, folder: Path, results: list[dict[str, Any]], *, seconds: int
) -> float:
    """Requests a second that are answered and stored by the end of it."""
    out = folder / "sustained.json"
    began = time.monotonic()
    load = start_load(
        server, out, seconds=seconds, seed=2, events=20, connections=48, views=1_000,
        batches_per_view=30, addresses=250,
    )  # fmt: skip
    _ended(load, seconds)
    server.wait_until_stored(300)
    results.append(result_of(out))
    return float(results[-1]["requests"]) / (time.monotonic() - began)


def _watched(
    memory: Memory, loads: "tuple[subprocess.Popen[bytes], ...]", seconds: int
) -> list[float]:
    """Wait for loads to end; return what the processes held on the way, in MB."""
    held: list[float] = []
    for _ in range(LOOKS):
        time.sleep(seconds / LOOKS)
        held.append(memory.last_mb)
    for load in loads:
        _ended(load, seconds)
    return held


def _ended(load: "subprocess.Popen[bytes]", seconds: float) -> None:
    if load.wait(seconds + 300):
        raise SystemExit("the load generator failed")


def _lines(
    overloaded: list[dict[str, Any]], *, seconds: int, per_s: float, peak_mb: float, held_mb: list[float], wrong: int,
    holds: bool, caught_up: float, before: float, after: float,
) -> list[Line]:  # fmt: skip
    total = {name: sum(one[name] for one in overloaded) for name in _OUTCOMES}
    because: dict[str, int] = {}
    for one in overloaded:
        for reason, count in one["retried_because"].items():
            because[reason] = because.get(reason, 0) + count
    first = next((one["first_dishonest"] for one in overloaded if one["dishonest"]), "")
    asked = total["requests"] + total["retries"]
    return [
        Line(
            f"{TIMES} times {per_s:,.0f} requests/s offered for {seconds} s by {CONNECTIONS:,} "
            f"addresses, and as much by one: answers",
            f"{asked:,} sent ({asked / seconds:,.0f}/s), {total['requests']:,} acknowledged, "
            f"{because or 'no refusals'}, {total['dishonest']} without Retry-After {first}".rstrip(),
            "2xx, 429 or 503 with Retry-After only",
        ),
        Line(
            f"memory of all processes meanwhile, looked at {LOOKS} times",
            f"{peak_mb:,.0f} MB at most; " + ", ".join(f"{mb:,.0f}" for mb in held_mb),
            f"≤ {MEMORY_MAX_MB:,} MB",
        ),
        Line(
            "what was acknowledged, afterwards",
            f"{wrong} views wrong, books balance: {holds}, all stored {caught_up:.1f} s after",
            "0 lost, 0 doubled",
        ),
        Line(
            "acknowledge p99 under a light load",
            f"{before:.0f} ms before, {after:.0f} ms after",
            "as before",
        ),
    ]
