"""Vectors of metrics: rows of a source go in, the numbers of each measurement come out.

`tests/vectors/metrics/*.json` hold `{"metric", "rows", "gives": {measurement: value}}`. The rows are those
of the metric's source; what is left out is as `view_row`, `insert_requests` and `insert_frames` say. Rows
of `requests` are events of players. All are stored at once, each vector's under a property of its own.
"""

import json
import uuid
from pathlib import Path
from typing import Any

import msgspec

from playhead.model import event_row
from playhead.model.event import Context, Event
from playhead.query.catalogue import catalogue
from support.answering import NOW_MS, insert_views, view_row
from support.door_rows import insert_frames, insert_requests
from support.running_store import RunningStore

FOLDER = Path(__file__).parents[1] / "vectors" / "metrics"


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of a metric's source, and what each measurement gives."""

    metric: str
    rows: list[dict[str, Any]]
    gives: dict[str, float | None]
    name: str = ""
    """What it shows, where the metric has several."""


def vectors() -> list[Vector]:
    """Return every vector, in the order of the files."""
    found: list[Vector] = []
    for path in sorted(FOLDER.glob("*.json")):
        found += msgspec.convert(json.loads(path.read_text("utf-8")), list[Vector])
    return found


def insert_events(store: RunningStore, *rows: dict[str, Any]) -> None:
    """Store wire events of players as the worker does: ten minutes ago unless told otherwise.

    `property` and other fields of the door's context are given in `context`.
    """
    lines = []
    for number, given in enumerate(rows):
        fields = {"eventType": "REQUEST", "timestamp": NOW_MS - 600_000} | given
        context = msgspec.convert(fields.pop("context", {}), Context)
        event = msgspec.convert(fields, Event)
        own = (
            uuid.uuid4().hex, event.timestamp, number, "REQUEST", event.timestamp, 1, number,
            "telemetry",
        )  # fmt: skip
        lines.append(event_row.row_of(own, msgspec.structs.astuple(context), event))
    body = msgspec.json.Encoder().encode_lines(lines)
    store.client.insert("events", event_row.COLUMNS, body, token=uuid.uuid4().hex)


def insert_all(store: RunningStore) -> None:
    """Store the rows of all vectors, each vector's with its number as the property."""
    views, cdn, frames, events = [], [], [], []
    for number, vector in enumerate(vectors()):
        for row in vector.rows:
            own = {"property": f"v{number}"}
            source = catalogue().metric(vector.metric).source
            if source in {"views", "renditions"}:
                views.append(view_row(**_timed(row), **own))
            elif source == "cdn":
                cdn.append(row | own)
            elif source == "frames":
                frames.append(row | own)
            else:
                events.append(row | {"context": own})
    insert_views(store, *views)
    insert_requests(store, *cdn)
    insert_frames(store, *frames)
    insert_events(store, *events)


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose `intervals` are (state, ms, kbps, height, cdn), one after the other.

    `started_ago_ms` says how long before now it began.
    """
    row = dict(row)
    if "started_ago_ms" in row:
        row["started_at"] = NOW_MS - row.pop("started_ago_ms")
    given = row.get("intervals")
    if given is None:
        return row
    at, placed = NOW_MS - 600_000, []
    for state, length_ms, *rest in given:
        placed.append((state, at, at + length_ms, *rest))
        at += length_ms
    padded = [(*one, *(0, 0, "")[len(one) - 3 :]) for one in placed]
    return row | {
        "intervals": placed,
        "interval_height": [one[4] for one in padded],
        "interval_cdn": [one[5] for one in padded],
    }
