"""What endpoints cost: requests a second over a materialized view, and the rendering of a template.

Run by itself it is the load: `python tests/bench/pipe_scenarios.py URL TOKEN SECONDS CONNECTIONS`.
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.lines import Line
from bench.probes import percentile
from playhead.template.rendering import Inputs
from playhead.template.template import Template
from support.server import Server

CONNECTIONS: Final = 4
COUNTRIES: Final = ("DE", "FR", "IN", "US", "BR")
ROWS: Final = 2_000_000
_PLAYS: Final = """SCHEMA >
    `at` DateTime,
    `title` String,
    `country` LowCardinality(String),
    `seconds` UInt32

ENGINE "MergeTree"
ENGINE_SORTING_KEY "at"
"""
_MINUTES: Final = """SCHEMA >
    `minute` DateTime,
    `title` String,
    `country` LowCardinality(String),
    `plays` AggregateFunction(count),
    `seconds` SimpleAggregateFunction(sum, UInt64)

ENGINE "AggregatingMergeTree"
ENGINE_SORTING_KEY "country, title, minute"
"""
_FILL: Final = """NODE summed
SQL >
    SELECT toStartOfMinute(at) AS minute, title, country, countState() AS plays, sum(seconds) AS seconds
    FROM plays GROUP BY minute, title, country

TYPE materialized
DATASOURCE play_minutes
"""
_TEMPLATE: Final = """
    SELECT title, countMerge(plays) AS plays, sum(seconds) AS seconds FROM play_minutes
    WHERE 1
    {% if defined(country) %} AND country = {{String(country, description='Two letters')}} {% end %}
    {% if defined(since) %} AND minute >= {{DateTime(since)}} {% end %}
    {% if defined(titles) %} AND title IN {{Array(titles, 'String')}} {% end %}
    GROUP BY title ORDER BY seconds DESC
    LIMIT {{Int32(page_size, 20)}} OFFSET {{Int32(page, 0) * Int32(page_size, 20)}}
"""
FILES: Final = {
    "datasources/plays.datasource": _PLAYS,
    "datasources/play_minutes.datasource": _MINUTES,
    "materializations/fill.pipe": _FILL,
    "endpoints/top_titles.pipe": f"NODE endpoint\nSQL >\n    %{_TEMPLATE}\nTYPE endpoint\n",
    "fixtures/plays.sql": (
        "SELECT toDateTime('2025-03-01 00:00:00') + intDiv(number, 200) AS at,"
        " concat('title-', toString(number % 40)) AS title,"
        " ['DE','FR','IN','US','BR'][1 + number % 5] AS country, number % 600 AS seconds"
        f" FROM numbers({ROWS})"
    ),
}
_PARAMS: Final = {"country": "DE", "titles": "title-0,title-5,title-10", "page_size": "10"}


def endpoint(folder: Path, *, quick: bool) -> list[Line]:
    """An endpoint over a materialized view, asked by a process of its own."""
    project = folder / "files"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, "utf-8")
    with Server(folder / "data") as server:
        _built(project, server)
        seconds = 3.0 if quick else 20.0
        found = _loaded(server, seconds)
    times = found.ms
    rate = len(times) / found.seconds
    measured = f"{rate:,.0f} requests/s, p95 {percentile(times, 95):.1f} ms, p50 {percentile(times, 50):.1f} ms"
    return [
        Line(
            f"endpoint over a materialized view, {CONNECTIONS} connections, values that differ",
            measured,
            "≥ 300 requests/s, p95 ≤ 25 ms",
        ),
        render(quick=quick),
    ]


def render(*, quick: bool) -> Line:
    """One template of the usual size, rendered with its parameters."""
    template = Template.compile(_TEMPLATE, name="endpoint")
    inputs = Inputs(params=_PARAMS)
    times = []
    for _ in range(200 if quick else 5_000):
        began = time.perf_counter()
        template.render(inputs)
        times.append((time.perf_counter() - began) * 1e6)
    measured = f"p50 {percentile(times, 50):.0f} µs, p95 {percentile(times, 95):.0f} µs"
    return Line("template rendered", measured, "≤ 200 µs")


def _built(project: Path, server: Server) -> None:
    command = [sys.executable, "-m", "playhead", "build", "--project", str(project)]
    done = subprocess.run(
        [*command, "--data", str(server.data), "--fixtures"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    until = time.monotonic() + 10
    while "top_titles" not in json.dumps(server.get("/v0/pipes")):
        if time.monotonic() > until:
            raise SystemExit("the built project did not become live")
        time.sleep(0.1)


class Loaded(msgspec.Struct):
    """What the load saw: milliseconds of each request, and how long it ran."""

    ms: list[float]
    seconds: float


def _loaded(server: Server, seconds: float) -> Loaded:
    url = f"{server.url}/v0/pipes/top_titles.json"
    done = subprocess.run(
        [sys.executable, __file__, url, server.token, str(seconds), str(CONNECTIONS)],
        capture_output=True, text=True, check=False, timeout=seconds + 60,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return msgspec.json.decode(done.stdout, type=Loaded)


async def _ask(url: str, token: str, seconds: float, connections: int) -> Loaded:
    """Ask over kept connections; plain text over a socket, so that the load takes little itself."""
    at = urlsplit(url)
    times: list[float] = []
    began = time.perf_counter()

    async def worker(number: int) -> None:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        asked = number
        while time.perf_counter() - began < seconds:
            asked += connections
            values = (
                f"country={COUNTRIES[asked % 5]}&titles=title-{asked % 40},title-{(asked + 5) % 40}"
            )
            head = f"GET {at.path}?{values} HTTP/1.1\r\nhost: {at.netloc}\r\n"
            sent = time.perf_counter()
            writer.write(f"{head}authorization: Bearer {token}\r\n\r\n".encode())
            await _whole(reader)
            times.append((time.perf_counter() - sent) * 1000)
        writer.close()

    await asyncio.gather(*(worker(number) for number in range(connections)))
    return Loaded(times, time.perf_counter() - began)


async def _whole(reader: asyncio.StreamReader) -> None:
    """Read one answer to its end; any but 200 ends the load."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(size)
    if not head.startswith(b"http/1.1 200"):
        raise SystemExit(body.decode())


if __name__ == "__main__":
    _url, _token, _seconds, _connections = sys.argv[1:5]
    _found = asyncio.run(_ask(_url, _token, float(_seconds), int(_connections)))
    print(msgspec.json.encode(_found).decode())
