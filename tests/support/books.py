"""Compare, event by event, what a load generator got acknowledged with what is in the store."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from playhead.store.client import StoreClient
from playhead.store.location import embedded
from support.server import Server

LOAD = Path(__file__).parents[1] / "bench" / "load.py"


def start_load(server: Server, out: Path, **options: object) -> "subprocess.Popen[bytes]":
    """Start the load generator in a process of its own; `out` gets its result."""
    command = [sys.executable, str(LOAD), "--url", server.url, "--out", str(out)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def result_of(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def wrong_views(server: Server, result: dict[str, Any]) -> list[str]:
    """Sentences about every view whose stored events are not exactly the acknowledged ones.

    A batch without an answer at the end may or may not be there, but only whole.
    """
    client = StoreClient(embedded(server.data))
    try:
        events = client.rows(
            "SELECT view_id, count(), uniqExact(seq), max(seq) FROM events GROUP BY view_id"
        ).rows
        views = client.rows(
            "SELECT view_id, count(), sum(events), any(events_missing) FROM views FINAL GROUP BY 1"
        ).rows
    finally:
        client.close()
    stored = {view: (count, unique, newest + 1) for view, count, unique, newest in events}
    rows = {view: (count, in_row, missing) for view, count, in_row, missing in views}
    wrong = []
    for view, acked in result["ledger"].items():
        low, high = (
            result["uncertain"].get(view, (acked, acked)) if result["uncertain"] else (acked, acked)
        )
        count, unique, length = stored.get(view, (0, 0, 0))
        allowed = {acked, low, high}
        if not (count == unique == length and count in allowed and count >= acked):
            wrong.append(f"{view}: {acked} acknowledged, {count} stored, {unique} different")
        elif rows.get(view) != (1, count, 0):
            wrong.append(f"{view}: {count} stored, its row says {rows.get(view)}")
    return wrong
