"""Every view vector through the player's state machine, then through the server's fold.

Node runs the machine once over all vectors (`player/scripts/vectors.mjs`). Of `tests/vectors/*.json`
the wire events are the signals of a player; what the machine makes of them must fold to the same
view. Vectors of `tests/vectors/player/` hold the signals themselves, and what must be sent.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from playhead.model.event import Context
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold_named
from playhead.process.identity import identity_of, view_key_of
from support.view_vectors import absolute, event_of, load, seen

ROOT: Final = Path(__file__).parents[2]
PLAYER: Final = ROOT / "player"
NODE_TIMEOUT_S: Final = 120
WATCHED_WITHIN_S: Final = 0.05

OTHER_FILES: Final = {
    "books.json": "lost, repeated and late events: the transport's and the server's",
    "clocks.json": "clocks and late batches: the transport's and the server's, not the machine's",
    "cmcd_views.json": "another door: reports of players that run no machine of ours",
    "dimensions.json": "what identifies passes the machine untouched",
    "sessions.json": "views without id, cut by the server",
}
NOT_OURS: Final[dict[str, str]] = json.loads(
    (PLAYER / "test" / "core" / "not_ours.json").read_text("utf-8")
)
"""Vectors that speak of what no player with this machine does, and why."""


@cache
def played() -> dict[str, dict[str, Any]]:
    """What the machine made of each vector, by file and name."""
    missing = ""
    if shutil.which("node") is None:
        missing = "Node is not installed"
    elif not (PLAYER / "node_modules" / "esbuild").is_dir():
        missing = "player/node_modules is missing: run `npm ci` in player/"
    if missing and os.environ.get("PLAYHEAD_REQUIRE_PLAYER"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    run = subprocess.run(
        ["node", "scripts/vectors.mjs"],
        cwd=PLAYER,
        capture_output=True,
        check=False,
        timeout=NODE_TIMEOUT_S,
    )
    assert run.returncode == 0, run.stderr.decode()
    out: dict[str, dict[str, Any]] = json.loads(run.stdout)
    return out


def fold(vector: dict[str, Any], events: list[dict[str, Any]]) -> ViewRow:
    """Fold what the machine sent, received as it was sent."""
    context = msgspec.convert(vector.get("context", {}), Context)
    stored = []
    for index, wire in enumerate(events):
        wire.pop("door", None)
        event = event_of(wire)
        stored.append(Stored(event, context, event.timestamp, index, 0, identity_of(event)))
    key, named = view_key_of(stored[0].event, context)
    assert named
    [row] = fold_named("v1", key, stored, absolute(vector["as_of"]), Limits())
    return row


def told(row: ViewRow, expected: dict[str, Any]) -> dict[str, Any]:
    """The part of a row that the vector speaks of; of content a player's polls tell as much."""
    return seen(row, expected, within_s=WATCHED_WITHIN_S)


def of_states(expected: dict[str, Any]) -> dict[str, Any]:
    """What a vector expects, of each interval the state and its moments alone."""
    if "intervals" not in expected:
        return expected
    return expected | {"intervals": [interval[:3] for interval in expected["intervals"]]}


def wire_vectors() -> list[Any]:
    return [
        pytest.param(file, vector, id=vector["name"])
        for file, vector in load("*.json")
        if file not in OTHER_FILES and vector["name"] not in NOT_OURS
    ]


@pytest.mark.parametrize(("file", "vector"), wire_vectors())
def test_what_the_player_makes_of_a_vector_folds_to_its_view(
    file: str, vector: dict[str, Any]
) -> None:
    made = played()[file][vector["name"]]
    [expected] = map(of_states, vector["expect"]["views"])
    assert told(fold(vector, made["events"]), expected) == expected


def signal_vectors() -> list[Any]:
    return [pytest.param(f, vector, id=vector["name"]) for f, vector in load("player/*.json")]


@pytest.mark.parametrize(("file", "vector"), signal_vectors())
def test_what_the_player_makes_of_signals_folds_to_the_view(
    file: str, vector: dict[str, Any]
) -> None:
    made = played()[file][vector["name"]]
    expected = list(map(of_states, vector["expect"]["views"]))
    rows = [fold(vector, made["events"])] if made["events"] else []
    assert [told(row, e) for row, e in zip(rows, expected, strict=True)] == expected
