"""Real recorded DASH sessions (a folder of CSV files) as telemetry with stable ids."""

import csv
import os
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_CHUNK = re.compile(r"_(\d+)s(?:-|\.|$)")
_NAMESPACE = uuid.UUID("6b0f8a52-52a3-4d1c-9a52-6f1f6f6d6c75")


def data_folder() -> Path:
    """Where recordings are kept, if they are on this machine."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("PLAYHEAD_DATA", str(default)))


def recordings() -> list[Path]:
    """The files of the lumos set, or skip."""
    folder = data_folder() / "lumos"
    found = sorted(folder.rglob("*.csv"))
    if not found:
        pytest.skip("no recordings on this machine (set PLAYHEAD_DATA)")
    return found


def chunks(path: Path) -> tuple[int, list[dict[str, str]]]:
    """Chunk duration (s, from the file name) and the rows of one recording."""
    match = _CHUNK.search(path.name)
    assert match, path.name
    with path.open(newline="") as file:
        return int(match.group(1)), list(csv.DictReader(file))


def events_of(path: Path, end_ms: int) -> list[dict[str, Any]]:
    """One recording as the events of one view that ended at `end_ms`."""
    chunk_s, rows = chunks(path)
    view = str(uuid.uuid5(_NAMESPACE, path.name))
    startup_ms = round(float(rows[0]["delivery_time"]) * 1000)
    start_ms = end_ms - startup_ms - len(rows) * chunk_s * 1000
    base = {
        "viewId": view,
        "sessionId": view,
        "viewerId": f"recorded-{path.parent.name}",
        "videoId": path.name.split("-")[4].split("_")[0]
        if path.name.count("-") > 3
        else "recorded",
        "network": {"effectiveType": rows[0]["connection_type"]},
    }
    events: list[dict[str, Any]] = []

    def add(kind: str, at_ms: int, position_s: float, **more: Any) -> None:
        events.append({
            **base, "eventType": kind, "timestamp": start_ms + at_ms, "seq": len(events),
            "eventId": str(uuid.uuid5(_NAMESPACE, f"{view}{len(events)}")),
            "playbackPositionSec": position_s, **more,
        })  # fmt: skip

    def quality(row: dict[str, str]) -> dict[str, float]:
        return {"bitrateKbps": float(row["bitrate"])}

    add("PLAY", 0, 0.0)
    add("PLAYING", startup_ms, 0.0, startupMs=startup_ms, quality=quality(rows[0]))
    for index, row in enumerate(rows):
        at_s = index * chunk_s
        kind = "QUALITY_CHANGE" if row["bitrate"] != rows[index - 1]["bitrate"] else "HEARTBEAT"
        if index:
            add(kind, startup_ms + at_s * 1000, at_s, quality=quality(row))
    total_s = len(rows) * chunk_s
    add("ENDED", startup_ms + total_s * 1000, total_s)
    return events


def batches(events: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for at in range(0, len(events), size):
        yield events[at : at + size]


def bitrate_by_connection(paths: list[Path]) -> dict[str, float]:
    """The direct computation: Σ bitrate·chunk duration / Σ chunk duration per connection type."""
    weighted: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for path in paths:
        chunk_s, rows = chunks(path)
        for row in rows:
            weighted[rows[0]["connection_type"]] += float(row["bitrate"]) * chunk_s
            seconds[rows[0]["connection_type"]] += chunk_s
    return {kind: weighted[kind] / seconds[kind] for kind in weighted}
