"""Vectors of views (`tests/vectors/*.json`, `tests/vectors/player`): read, made absolute, compared."""

import json
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest

from playhead.model.event import Event
from playhead.model.telemetry import decode
from playhead.model.view import ViewRow

FOLDER: Final = Path(__file__).parents[1] / "vectors"
BASE: Final = 1_790_000_000_000
"""What is added to moments below `RELATIVE_BELOW`; ms since 1970."""
RELATIVE_BELOW: Final = 100_000_000_000
TIMES: Final = {"started_at", "ended_at", "last_event_at", "live_until", "received_at"}


def load(pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Every vector of the files that fit, with its file's name below the folder."""
    found = []
    for path in sorted(FOLDER.glob(pattern)):
        name = path.relative_to(FOLDER).as_posix()
        found += [(name, vector) for vector in json.loads(path.read_text("utf-8"))]
    return found


def absolute(moment: int) -> int:
    """A moment of a vector, in ms since 1970."""
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


def seen(row: ViewRow, expected: dict[str, Any], *, within_s: float = 0) -> dict[str, Any]:
    """The part of a row that the vector speaks of, in the vector's own terms.

    `within_s`: what was watched may differ by as many seconds of content.
    """
    return {name: _seen(row, name, value, within_s) for name, value in expected.items()}


def _seen(row: ViewRow, name: str, value: Any, within_s: float) -> Any:
    if name == "intervals":
        return _intervals(row, len(value[0]) if value else 3)
    if name == "watched":
        ranges = [list(r) for r in zip(row.watched_from_s, row.watched_to_s, strict=True)]
        flat = list(chain.from_iterable(value))
        close = list(chain.from_iterable(ranges)) == pytest.approx(flat, abs=within_s)
        return value if close else ranges
    got = getattr(row, name)
    if name in TIMES:
        return got if value >= RELATIVE_BELOW else got - BASE
    close = isinstance(value, float) and got == pytest.approx(value, abs=0.05)
    return value if close else got


def _intervals(row: ViewRow, width: int) -> list[list[Any]]:
    """The states of a view; vectors name as many of their columns as they mean."""
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
    return [list(interval)[:width] for interval in columns]
