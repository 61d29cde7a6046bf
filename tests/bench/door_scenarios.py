"""Scenarios of the other doors: CMCD records and CDN log lines, end to end, every one counted."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.lines import Line
from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

POSTS = Path(__file__).parent / "posts.py"


def cmcd(folder: Path, *, quick: bool) -> list[Line]:
    """CMCD event mode, 50 records a request, until every record is in a view."""
    return _measured(
        folder, "cmcd", seconds=5 if quick else 30, batch=50,
        what="/cmcd: batches of 50 records", budget="≥ 40,000 records/s",
        sql="SELECT view_id, count() FROM playhead.events WHERE door = 'cmcd' GROUP BY 1",
    )  # fmt: skip


def cdn(folder: Path, *, quick: bool) -> list[Line]:
    """Edgecast log lines, 500 a request, until every line can be queried."""
    return _measured(
        folder, "cdn", seconds=5 if quick else 30, batch=500,
        what="/logs/cdn: batches of 500 Edgecast lines", budget="≥ 60,000 lines/s end to end",
        sql="SELECT host, count() FROM playhead.cdn_requests GROUP BY 1",
    )  # fmt: skip


def _measured(
    folder: Path, door: str, *, seconds: int, batch: int, what: str, budget: str, sql: str
) -> list[Line]:
    folder.mkdir(parents=True, exist_ok=True)
    with Server(folder / "data") as server:
        began = time.monotonic()
        result = _posted(server, folder / "posts.json", door, seconds, batch)
        server.wait_until_stored(300)
        took = time.monotonic() - began
        wrong = _wrong(server, sql, result)
        holds = server.status()["events"]["equation_holds"]
    latency = result["latency_ms"]
    return [
        Line(
            what + ", durable, stored, queryable",
            f"{result['records'] / took:,.0f}/s ({result['records']:,} in {took:.1f} s), "
            f"{len(wrong)} counts wrong, books balance: {holds}",
            budget,
        ),
        Line(
            what + ", acknowledged",
            f"{result['records_per_s']:,.0f}/s, p50 {latency['p50']:.0f} ms, "
            f"p99 {latency['p99']:.0f} ms, generator {result['cpu_us_per_record']:.1f} µs each",
            budget,
        ),
    ]


def _posted(server: Server, out: Path, door: str, seconds: int, batch: int) -> dict[str, Any]:
    command = [sys.executable, str(POSTS), "--url", server.url, "--door", door, "--out", str(out)]
    command += ["--seconds", str(seconds), "--batch", str(batch)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result: dict[str, Any] = json.loads(out.read_text())
    if result["unanswered"] or result["refused"]:
        raise SystemExit(f"the load was refused: {result['first_refusal']}")
    return result


def _wrong(server: Server, sql: str, result: dict[str, Any]) -> list[str]:
    """Say which counts in the store are not the acknowledged ones."""
    client = StoreClient(embedded(server.data))
    try:
        stored = {row[0]: row[1] for row in client.rows(sql).rows}
    finally:
        client.close()
    wanted = {key: count for key, count in result["ledger"].items() if count}
    return [key for key in wanted | stored if wanted.get(key) != stored.get(key)]
