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
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.model.telemetry import decode
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold_named
from playhead.process.identity import identity_of, view_key_of

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "tests" / "vectors"
PLAYER: Final = ROOT / "player"
BASE: Final = 1_790_000_000_000
RELATIVE_BELOW: Final = 100_000_000_000
NODE_TIMEOUT_S: Final = 120
TIMES: Final = {"started_at", "ended_at", "last_event_at", "live_until"}

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


def load(pattern: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(VECTORS.glob(pattern)):
        name = path.relative_to(VECTORS).as_posix()
        found += [(name, vector) for vector in json.loads(path.read_text("utf-8"))]
    return found


def fold(vector: dict[str, Any], events: list[dict[str, Any]]) -> ViewRow:
    """Fold what the machine sent, received as it was sent."""
    context = msgspec.convert(vector.get("context", {}), Context)
    stored = []
    for index, wire in enumerate(events):
        wire.pop("door", None)
        [event] = decode(json.dumps([wire]).encode())
        assert isinstance(event, Event), event
        stored.append(Stored(event, context, event.timestamp, index, 0, identity_of(event)))
    key, named = view_key_of(stored[0].event, context)
    assert named
    as_of = vector["as_of"]
    as_of += BASE if as_of < RELATIVE_BELOW else 0
    [row] = fold_named("v1", key, stored, as_of, Limits())
    return row


def seen(row: ViewRow, expected: dict[str, Any]) -> dict[str, Any]:
    """The part of a row that the vector speaks of."""
    out: dict[str, Any] = {}
    for name, value in expected.items():
        if name == "intervals":
            columns = zip(
                row.interval_state,
                [at - BASE for at in row.interval_from],
                [at - BASE for at in row.interval_to],
                strict=True,
            )
            out[name] = [list(interval) for interval in columns]
            expected[name] = [interval[:3] for interval in value]
        elif name == "watched":
            out[name] = [list(r) for r in zip(row.watched_from_s, row.watched_to_s, strict=True)]
            flat = list(chain.from_iterable(out[name]))
            if flat == pytest.approx(list(chain.from_iterable(value)), abs=0.05):
                out[name] = value
        elif name in TIMES:
            out[name] = getattr(row, name) - (BASE if value < RELATIVE_BELOW else 0)
        else:
            got = getattr(row, name)
            close = isinstance(value, float) and got == pytest.approx(value, abs=0.05)
            out[name] = value if close else got
    return out


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
    [expected] = vector["expect"]["views"]
    assert seen(fold(vector, made["events"]), expected) == expected


def signal_vectors() -> list[Any]:
    return [pytest.param(f, vector, id=vector["name"]) for f, vector in load("player/*.json")]


@pytest.mark.parametrize(("file", "vector"), signal_vectors())
def test_what_the_player_makes_of_signals_folds_to_the_view(
    file: str, vector: dict[str, Any]
) -> None:
    made = played()[file][vector["name"]]
    expected = vector["expect"]["views"]
    rows = [fold(vector, made["events"])] if made["events"] else []
    assert [seen(row, e) for row, e in zip(rows, expected, strict=True)] == expected
