"""EPAS events by the vectors of `tests/vectors/epas`: each in both dialects, and what tells them apart."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.model.epas import KINDS, event_of, units_of

FOLDER = Path(__file__).parents[2] / "vectors" / "epas"
T = 1_790_000_000_000


def vectors(name: str) -> list[Any]:
    found = json.loads((FOLDER / name).read_text("utf-8"))
    return [pytest.param(vector, id=vector["name"]) for vector in found]


@pytest.mark.parametrize("vector", vectors("events.json"))
def test_event(vector: dict[str, Any]) -> None:
    found = [event_of(item, vector["units"]) for item in vector["events"]]
    assert json.loads(msgspec.json.encode(found)) == vector["expect"]


@pytest.mark.parametrize("vector", vectors("units.json"))
def test_units(vector: dict[str, Any]) -> None:
    assert units_of(vector["events"]) == vector["units"]


@pytest.mark.parametrize("vector", [v for v in vectors("events.json") if "in s" in str(v.id)])
def test_a_lone_event_with_a_duration_tells_its_units(vector: dict[str, Any]) -> None:
    [item] = vector["events"]
    assert units_of([item]) == "s" or item["duration"] == -1


def test_every_event_has_a_vector() -> None:
    seen = {
        item["event"] for vector in vectors("events.json") for item in vector.values[0]["events"]
    }
    assert seen == KINDS.keys()


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"event": "shrug", "sessionId": "s", "timestamp": T}, "'shrug'"),
        ({"event": "init", "timestamp": T}, "sessionId"),
        ({"event": "init", "sessionId": "s"}, "timestamp"),
        ({"event": "init", "sessionId": "s", "timestamp": "nan"}, "timestamp"),
        ({"event": "init", "sessionId": True, "timestamp": T}, "sessionId"),
        ({"event": "init", "sessionId": 1e300, "timestamp": T}, "sessionId"),
    ],
)
def test_what_cannot_be_placed_is_refused(item: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        event_of(item, "ms")
