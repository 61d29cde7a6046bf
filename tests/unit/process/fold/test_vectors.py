"""Every vector of `tests/vectors` through the fold; the format is in that folder's README."""

import random
from typing import Any

import msgspec
import pytest

from playhead.model.event import Context
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold_named, fold_session
from playhead.process.identity import identity_of, view_key_of
from support.view_vectors import absolute, event_of, seen
from support.view_vectors import load as loaded

LIMITS = Limits()


def load() -> list[dict[str, Any]]:
    return [vector for _, vector in loaded("*.json")]


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
