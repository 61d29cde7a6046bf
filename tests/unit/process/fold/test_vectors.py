"""Every vector of `tests/vectors` through the fold; the format is in that folder's README."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.model.telemetry import decode
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold_named, fold_session
from playhead.process.identity import identity_of, view_key_of

VECTORS = Path(__file__).parents[3] / "vectors"
BASE = 1_790_000_000_000
RELATIVE_BELOW = 100_000_000_000
TIMES = {"started_at", "ended_at", "last_event_at", "live_until", "received_at"}
LIMITS = Limits()


def load() -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = []
    for path in sorted(VECTORS.glob("*.json")):
        vectors += json.loads(path.read_text("utf-8"))
    return vectors


def absolute(moment: int) -> int:
    return moment + BASE if moment < RELATIVE_BELOW else moment


def event_of(wire: dict[str, Any]) -> Event:
    """A wire event with its times made absolute."""
    wire = dict(wire)
    for key in ("timestamp", "sentAt"):
        if key in wire:
            wire[key] = absolute(wire[key])
    if "buffering" in wire:
        wire["buffering"] = {
            key: absolute(value) if key.endswith("At") else value
            for key, value in wire["buffering"].items()
        }
    [event] = decode(json.dumps([wire]).encode())
    assert isinstance(event, Event), event
    return event


def stored_of(vector: dict[str, Any]) -> list[Stored]:
    """The events of a vector as the log would give them; received when sent if nothing is said."""
    out = []
    for index, raw in enumerate(vector["events"]):
        wire = {**vector.get("common", {}), **raw}
        received = wire.pop("receivedAt", None)
        door = wire.pop("door", "telemetry")
        context = msgspec.convert({**vector.get("context", {}), **wire.pop("context", {})}, Context)
        event = event_of(wire)
        at = event.timestamp if event.sent_at is None else event.sent_at
        received_at = absolute(received) if received is not None else at
        out.append(Stored(event, context, received_at, index, 0, identity_of(event), door))
    return out


def rows_of(vector: dict[str, Any], events: list[Stored]) -> list[ViewRow]:
    as_of = absolute(vector["as_of"])
    if not events:
        return []
    key, named = view_key_of(events[0].event, events[0].context)
    if named:
        return fold_named(events[0].event.view_id or "", key, events, as_of, LIMITS)
    return fold_session(key, events, as_of, LIMITS)


def seen(row: ViewRow, expected: dict[str, Any]) -> dict[str, Any]:
    """The part of a row that the vector speaks of, in the vector's own terms."""
    out: dict[str, Any] = {}
    for name, value in expected.items():
        if name == "intervals":
            columns = zip(
                row.interval_state,
                [at - BASE for at in row.interval_from],
                [at - BASE for at in row.interval_to],
                row.interval_position_from_s,
                row.interval_position_to_s,
                row.interval_bitrate_kbps,
                row.interval_height,
                row.interval_cdn,
                strict=True,
            )
            width = len(value[0]) if value else 3
            out[name] = [list(interval)[:width] for interval in columns]
        elif name == "watched":
            out[name] = [list(r) for r in zip(row.watched_from_s, row.watched_to_s, strict=True)]
        elif name in TIMES:
            at = getattr(row, name)
            out[name] = at if value >= RELATIVE_BELOW else at - BASE
        else:
            got = getattr(row, name)
            close = isinstance(value, float) and got == pytest.approx(value, abs=0.05)
            out[name] = value if close else got
    return out


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["name"]) for v in load()])
def test_vector(vector: dict[str, Any]) -> None:
    rows = rows_of(vector, stored_of(vector))
    expected = vector["expect"]["views"]
    assert len(rows) == len(expected)
    assert [seen(row, e) for row, e in zip(rows, expected, strict=True)] == expected


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["name"]) for v in load()])
def test_vector_in_any_order_and_repeated(vector: dict[str, Any]) -> None:
    events = stored_of(vector)
    again = events + events[::2]
    random.Random(7).shuffle(again)
    encoded = [msgspec.json.encode(row) for row in rows_of(vector, events)]
    assert [msgspec.json.encode(row) for row in rows_of(vector, again)] == encoded


def test_names_are_unique_and_reasons_are_given() -> None:
    vectors = load()
    assert len({vector["name"] for vector in vectors}) == len(vectors) >= 60
    assert all(vector["why"] for vector in vectors)
