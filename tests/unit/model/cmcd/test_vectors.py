"""Every vector of `tests/vectors/cmcd`: one record in, canonical events out; see its README."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.model import kinds
from playhead.model.cmcd import Cmcd, decode_headers, decode_line, decode_query, events_of
from playhead.model.cmcd.keys import EVENTS, KEYS, OBJECT_TYPES, STATES
from playhead.model.cmcd.report import BY_EVENT
from playhead.model.event import Event

VECTORS = Path(__file__).parents[3] / "vectors" / "cmcd"
RECEIVED_AT = 1_765_837_003_416
OWN = {"MUTE", "UNMUTE", "PLAYER_COLLAPSE", "PLAYER_EXPAND", "CONTENT_CHANGE"}


def load() -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = []
    for path in sorted(VECTORS.glob("*.json")):
        vectors += json.loads(path.read_text("utf-8"))
    return vectors


def record_of(vector: dict[str, Any]) -> Cmcd | None:
    if "headers" in vector:
        return decode_headers(vector["headers"])
    return decode_query(vector["query"]) if "query" in vector else decode_line(vector["line"])


def wire(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(event))
    return found


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["name"]) for v in load()])
def test_vector(vector: dict[str, Any]) -> None:
    cmcd = record_of(vector)
    if cmcd is None or not cmcd.is_understood:
        assert vector["expect"] == []
        assert (cmcd is None) == vector.get("understood", True)
        return
    assert [wire(event) for event in events_of(cmcd, RECEIVED_AT)] == vector["expect"]
    assert len(cmcd.faults) == vector.get("faults", 0), cmcd.faults


def seen() -> list[Cmcd]:
    return [cmcd for vector in load() if (cmcd := record_of(vector)) is not None]


def test_every_key_is_covered() -> None:
    found = {name for cmcd in seen() for name in cmcd.values}
    assert found == set(KEYS)


def test_every_event_state_and_object_type_is_covered() -> None:
    found = {(key, str(cmcd.values.get(key))) for cmcd in seen() for key in ("e", "ot")}
    found |= {(str(cmcd.values.get("e")), str(cmcd.values.get("sta"))) for cmcd in seen()}
    wanted = {("e", name) for name in EVENTS} | {("ot", name) for name in OBJECT_TYPES}
    wanted |= {(event, state) for event in ("ps", "t") for state in STATES}
    assert wanted <= found


def test_every_event_has_a_kind() -> None:
    assert BY_EVENT.keys() == EVENTS.keys()
    assert {kind for kind in BY_EVENT.values() if kind not in kinds.ALL} == OWN


def test_names_are_unique_and_reasons_are_given() -> None:
    vectors = load()
    assert len({vector["name"] for vector in vectors}) == len(vectors) >= 120
    assert all(vector["why"] for vector in vectors)
