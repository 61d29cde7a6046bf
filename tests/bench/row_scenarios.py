"""The scenario of rows: the events API into a data source of a project, end to end, every row counted."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.lines import Line
from bench.posts import ROW_COLUMNS
from support.server import Server

POSTS = Path(__file__).parent / "posts.py"
ROLES = ("web", "worker", "store")
BATCH = 500


def rows(folder: Path, *, quick: bool) -> list[Line]:
    """Rows of 15 columns, 500 a request, until every row can be queried."""
    project = folder / "project" / "datasources"
    project.mkdir(parents=True)
    (project / "plays.datasource").write_text(_datasource())
    with Server(folder / "data") as server:
        build = [sys.executable, "-m", "playhead", "build", "--project", str(folder / "project")]
        subprocess.run([*build, "--data", str(server.data)], check=True, stdout=subprocess.DEVNULL)
        before = {role: _cpu_s(server.pid(role)) for role in ROLES}
        began = time.monotonic()
        result = _posted(server, folder / "posts.json", 5 if quick else 30)
        server.wait_until_stored(300)
        took = time.monotonic() - began
        spent = {role: _cpu_s(server.pid(role)) - before[role] for role in ROLES}
        wrong = _wrong(server, result["ledger"])
        holds = server.status()["events"]["equation_holds"]
    count, latency = result["records"], result["latency_ms"]
    each = ", ".join(f"{role} {spent[role] / count * 1e6:.1f}" for role in ROLES)
    what = f"/v0/events: batches of {BATCH} rows of {len(ROW_COLUMNS)} columns"
    budget = "≥ 60,000 rows/s end to end"
    return [
        Line(
            what + ", durable, stored, queryable",
            f"{count / took:,.0f}/s ({count:,} in {took:.1f} s), {wrong} counts wrong,"
            f" books balance: {holds}",
            budget,
        ),
        Line(
            what + ", acknowledged",
            f"{result['records_per_s']:,.0f}/s, p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms",
            budget,
        ),
        Line(
            what + ", processor time a row",
            f"{each}, generator {result['cpu_us_per_record']:.1f} µs",
            "",
        ),
    ]


def _datasource() -> str:
    columns = ",\n".join(f"    {name} {kind} `json:$.{name}`" for name, kind in ROW_COLUMNS)
    return f"SCHEMA >\n{columns}\n\nENGINE MergeTree\nENGINE_SORTING_KEY viewer_id, at\n"


def _posted(server: Server, out: Path, seconds: int) -> dict[str, Any]:
    command = [sys.executable, str(POSTS), "--url", server.url, "--door", "rows", "--out", str(out)]
    command += ["--seconds", str(seconds), "--batch", str(BATCH), "--token", server.token]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result: dict[str, Any] = json.loads(out.read_text())
    if result["unanswered"] or result["refused"]:
        raise SystemExit(f"the load was refused: {result['first_refusal']}")
    return result


def _wrong(server: Server, ledger: dict[str, int]) -> int:
    """Return how many senders have other counts, or repeated rows, in the table."""
    sql = "SELECT sender, count() AS n, uniqExact(number) AS different FROM plays GROUP BY sender"
    found = server.get("/v0/sql", q=f"{sql} FORMAT JSON")["data"]
    stored = {one["sender"]: (one["n"], one["different"]) for one in found}
    return sum(
        stored.get(name, (0, 0)) != (count, count) for name, count in ledger.items() if count
    )


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
