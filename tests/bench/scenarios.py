"""The scenarios of `make bench`: each gives lines of the budget table."""

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx2

from bench import (
    build_scenarios,
    dashboard_scenario,
    deployment_scenario,
    door_scenarios,
    history_scenarios,
    import_scenarios,
    listeners,
    overload,
    pipe_scenarios,
    player_scenarios,
    row_scenarios,
)
from bench.lines import Line
from bench.probes import Freshness, Memory, percentile
from support.books import result_of, start_load, wrong_views
from support.server import Server

HALF_REQUESTS_PER_S = 1_500


class Scenario(Protocol):
    """Takes an empty folder; a quick run only shows that everything works."""

    def __call__(self, folder: Path, *, quick: bool) -> list[Line]:
        """Measure and return lines."""
        ...


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server on an empty folder."""
    with Server(folder / "data") as server:
        yield server


def run_load(server: Server, folder: Path, **options: object) -> dict[str, Any]:
    """One run of the load generator, to its end."""
    out = folder / "load.json"
    load = start_load(server, out, **options)
    if load.wait(float(str(options["seconds"])) + 120):
        raise SystemExit("the load generator failed")
    return result_of(out)


def sustained(folder: Path, *, quick: bool) -> list[Line]:
    """As fast as the doors take it, until everything is stored and queryable."""
    seconds = 5 if quick else 40
    with serving(folder) as server, Memory(server) as memory:
        began = time.monotonic()
        result = run_load(
            server, folder, seconds=seconds, events=20, connections=48, views=3_000,
            batches_per_view=30,
        )  # fmt: skip
        server.wait_until_stored(300)
        took = time.monotonic() - began
        wrong = wrong_views(server, result)
    return [
        Line(
            "sustained ingest: 20-event batches, durable, folded, stored, queryable",
            f"{result['events'] / took:,.0f} events/s ({result['events']:,} in {took:.1f} s, "
            f"acknowledged at {result['events_per_s']:,.0f}/s), {len(wrong)} views wrong",
            "≥ 60,000 events/s, 0 lost",
        ),
        Line("memory of all processes under that load", f"{memory.peak_mb:,.0f} MB", "≤ 1,500 MB"),
    ]


def paced(folder: Path, *, quick: bool) -> list[Line]:
    """An offered load that the whole pipeline keeps up with: is the lag flat?"""
    seconds = 5 if quick else 30
    lines = []
    for requests_per_s in (1_500,) if quick else (1_000, 1_500, 2_000, 2_500, 3_000):
        with serving(folder / str(requests_per_s)) as server:
            result = run_load(
                server, folder / str(requests_per_s), seconds=seconds, events=20, connections=64,
                views=6_000, batches_per_view=30, rate=requests_per_s,
            )  # fmt: skip
            lag_ms = server.status()["lag"]["ms"]
            events = result["events"] / seconds
            wrong = wrong_views(server, result) if server.wait_until_stored(300) else []
        lines.append(
            Line(
                f"offered {requests_per_s * 20:,} events/s for {seconds} s",
                f"acknowledged {events:,.0f}/s, p99 {result['latency_ms']['p99']:.0f} ms, "
                f"lag at the end {lag_ms:,} ms, {len(wrong)} views wrong",
                "lag flat at 60,000/s",
            )
        )
        if lag_ms > 5_000:
            break
    return lines


def beacons(folder: Path, *, quick: bool) -> list[Line]:
    """Small requests: 5 events each."""
    seconds = 5 if quick else 20
    with serving(folder) as server:
        result = run_load(
            server, folder, seconds=seconds, events=5, connections=64, views=4_000,
            batches_per_view=60,
        )  # fmt: skip
        server.wait_until_stored(300)
        wrong = wrong_views(server, result)
    return [
        Line(
            "small beacons: 5 events a request, durable answer",
            f"{result['requests_per_s']:,.0f} requests/s, p99 {result['latency_ms']['p99']:.0f} ms, "
            f"{len(wrong)} views wrong",
            "≥ 15,000 requests/s",
        )
    ]


def latency(folder: Path, *, quick: bool) -> list[Line]:
    """Half the load: how long an answer takes, how old an answer is, also with readers."""
    lines = []
    for requests_per_s in (750,) if quick else (750, HALF_REQUESTS_PER_S):
        lines += _latency_at(folder / str(requests_per_s), requests_per_s, 5 if quick else 30)
    return lines


def _latency_at(folder: Path, requests_per_s: int, seconds: int) -> list[Line]:
    options = {
        "seconds": seconds, "rate": requests_per_s, "events": 20, "connections": 64,
        "views": 6_000, "batches_per_view": 30,
    }  # fmt: skip
    with serving(folder) as server:
        time.sleep(3)
        with Freshness(server) as freshness:
            alone = run_load(server, folder, **options)
        server.wait_until_stored(300)
        with readers(server, per_s=100) as asked:
            shared = run_load(server, folder, **options)
        server.wait_until_stored(300)
    ack, seen = alone["latency_ms"], freshness.seconds
    load = f"at {requests_per_s * 20:,} events/s"
    return [
        Line(
            f"acknowledge latency {load}",
            f"p50 {ack['p50']:.1f} ms, p99 {ack['p99']:.1f} ms",
            "p50 ≤ 10 ms, p99 ≤ 50 ms",
        ),
        Line(
            f"event to visible in an API answer {load}",
            f"p50 {percentile(seen, 50):.2f} s, p99 {percentile(seen, 99):.2f} s "
            f"({len(seen)} probes)",
            "p50 ≤ 0.5 s, p99 ≤ 1.5 s",
        ),
        Line(
            f"acknowledge p99 {load} while {asked.rate:.0f} metric requests/s run",
            f"p99 {shared['latency_ms']['p99']:.1f} ms",
            "≤ 50 ms",
        ),
    ]


class Asked:
    """How many requests were answered."""

    def __init__(self) -> None:
        self.count = 0
        self.began = time.monotonic()
        self.rate = 0.0


@contextlib.contextmanager
def readers(server: Server, *, per_s: int) -> Iterator[Asked]:
    """Ask the metric API in the background."""
    done, asked = threading.Event(), Asked()
    paths = ("/v1/metrics/views/overall", "/v1/metrics/rebuffer_percentage/breakdown?group_by=cdn")
    head = {"Authorization": f"Bearer {server.token}"}

    def ask() -> None:
        with httpx2.Client(base_url=server.url, headers=head, timeout=30) as http:
            while not done.is_set():
                http.get(paths[asked.count % 2])
                asked.count += 1
                due = asked.began + asked.count / per_s
                done.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield asked
    finally:
        done.set()
        thread.join()
        asked.rate = asked.count / (time.monotonic() - asked.began)


def idle(folder: Path, *, quick: bool) -> list[Line]:
    """What it takes to do nothing, and to say hello."""
    with serving(folder) as server, Memory(server) as memory:
        time.sleep(2 if quick else 10)
        memory.sample()
        used = memory.last_mb
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "playhead", "--help"], check=True, stdout=subprocess.DEVNULL
    )
    helped = time.monotonic() - began
    return [
        Line("idle memory of all processes", f"{used:.0f} MB", "≤ 500 MB"),
        Line("`playhead --help`", f"{helped:.2f} s", "≤ 0.2 s"),
    ]


def demo(folder: Path, *, quick: bool) -> list[Line]:
    """From the command to the first live number on the screen."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "playhead", "demo", "--data", str(folder / "data")]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--port", "0", "--for", "12"], stdout=subprocess.PIPE, text=True
    )
    shown = None
    for line in process.stdout or ():
        words = line.split()
        if shown is None and line.startswith("Watching now") and words[2] not in {"0", "\u2013"}:
            shown = time.monotonic() - began
    process.wait(30)
    said = "no number was shown" if shown is None else f"{shown:.1f} s"
    return [Line("`playhead demo` to the first live number", said, "≤ 10 s")]


def kills(folder: Path, *, quick: bool) -> list[Line]:
    """Fifty random kills under load; how long the doors and the answers are away."""
    count = 3 if quick else 50
    rng = random.Random(7)
    doors: list[float] = []
    with serving(folder) as server:
        out = folder / "load.json"
        load = start_load(
            server, out, seconds=4 * count, rate=100, events=20, views=400, connections=16,
            batches_per_view=20,
        )  # fmt: skip
        for at in range(count):
            time.sleep(rng.uniform(1.5, 3.5))
            role = ("web", "worker", "store")[at % 3]
            server.kill(role)
            if role == "web":
                doors.append(away(server))
        load.wait(4 * count + 120)
        server.wait_until_stored(300)
        result = result_of(out)
        wrong = wrong_views(server, result)
        holds = server.status()["events"]["equation_holds"]
    return [
        Line(
            f"{count} random `kill -9` of web, worker and store under load",
            f"{result['events']:,} events acknowledged, {len(wrong)} views wrong, "
            f"books balance: {holds}",
            "0 lost, 0 doubled",
        ),
        Line(
            "doors answer again after a kill of web",
            f"median {percentile(doors, 50):.2f} s, longest {max(doors):.2f} s",
            "≤ 3 s",
        ),
    ]


def away(server: Server) -> float:
    """Seconds until a door answers."""
    began = time.monotonic()
    while True:
        try:
            if httpx2.post(f"{server.url}/telemetry", content=b"[]", timeout=10).status_code == 200:
                return time.monotonic() - began
        except httpx2.HTTPError:
            time.sleep(0.01)


def live_listeners(folder: Path, *, quick: bool) -> list[Line]:
    """What many listeners of one live question cost beside few, under a modest load."""
    seconds = 6 if quick else 40
    with serving(folder) as server:
        load = start_load(
            server, folder / "load.json", seconds=2 * seconds + 40, rate=listeners.EVENTS_PER_S / 20,
            events=20, views=400, connections=16, batches_per_view=30,
        )  # fmt: skip
        time.sleep(5)
        pids = [server.pid("web"), server.pid("store")]
        spent = listeners.measured(server.port, server.token, pids, seconds=seconds)
        load.terminate()
        load.wait(30)
    few, many = spent[listeners.FEW], spent[listeners.MANY]
    return [
        Line(
            f"live stream at {listeners.EVENTS_PER_S:,} events/s, {listeners.MANY} listeners "
            f"beside {listeners.FEW}: CPU of web and store",
            f"{many / few:.2f} times ({many * 100:.1f} % of a core beside {few * 100:.1f} %)",
            "0.8 to 1.2 times",
        )
    ]


ALL: dict[str, Callable[..., list[Line]]] = {
    "deployments": deployment_scenario.deployments,
    "idle": idle,
    "demo": demo,
    "sustained": sustained,
    "paced": paced,
    "beacons": beacons,
    "cmcd": door_scenarios.cmcd,
    "cdn": door_scenarios.cdn,
    "rows": row_scenarios.rows,
    "latency": latency,
    "metrics": history_scenarios.metrics,
    "pipes": pipe_scenarios.endpoint,
    "imports": import_scenarios.imports,
    "build": build_scenarios.build,
    "listeners": live_listeners,
    "dashboard": dashboard_scenario.dashboard,
    "kills": kills,
    "overload": overload.overload,
    "player": player_scenarios.player,
}
