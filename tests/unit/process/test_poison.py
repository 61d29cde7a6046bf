"""Whatever an event holds, the range it came in is folded and every event is accounted for."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from playhead.config import Process
from playhead.log.base import Record
from playhead.model.event_row import Stored
from playhead.process.caps import Caps
from playhead.process.fold import apply, finish
from playhead.process.folder import Folder
from playhead.process.tracks import CLOSED_GRACE_MS, Tracks

AT = 1_790_000_000_000


def record(offset: int, events: list[dict[str, Any]], *, received_at: int = AT) -> Record:
    body = msgspec.json.encode(events)
    return Record(offset, "telemetry", "s", received_at, len(events), b"", body)


def play(view: str, seq: int, **more: Any) -> dict[str, Any]:
    kind = "PLAYING" if seq else "PLAY"
    return {"eventType": kind, "timestamp": AT + seq, "viewId": view, "seq": seq, **more}


def uuid7(made_at: int, number: int) -> str:
    digits = f"{made_at:012x}7abc8def{number:012x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def a_folder(asked: list[str] | None = None, **settings: Any) -> Folder:
    def lookup(keys: list[str], _: int) -> dict[str, list[Stored]]:
        if asked is not None:
            asked.extend(keys)
        return {}

    return Folder(Tracks(Process(**settings)), lookup, Caps(10))


def failing(function: Callable[..., Any], fails: Callable[..., bool]) -> Callable[..., Any]:
    def wrapped(state: Any, *rest: Any) -> Any:
        result = function(state, *rest)
        if fails(state, *rest):
            raise OverflowError
        return result

    return wrapped


def test_an_event_the_fold_fails_on_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = failing(apply, lambda _, stored, __: stored.event.video_title == "bad")
    monkeypatch.setattr("playhead.process.track.apply", broken)
    events = [play("v", 0), play("v", 1, videoTitle="bad"), play("v", 2)]
    folded = a_folder().fold([record(0, events)])
    assert (folded.counts["stored"], folded.counts["quarantined"]) == (2, 1)
    assert [row[6] for row in folded.quarantine] == ["not_folded"]
    assert [row.events for row in folded.views] == [2]


def test_a_view_that_cannot_be_finished_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = failing(finish, lambda state, *_: state.view_id == "bad")
    monkeypatch.setattr("playhead.process.track.finish", broken)
    folded = a_folder().fold([record(0, [play("bad", 0), play("good", 0)])])
    assert folded.counts["stored"] == 2
    assert [row.view_id for row in folded.views] == ["good"]


def test_a_number_beyond_64_bits_in_a_custom_field_is_stored() -> None:
    event = {"eventType": "PLAY", "timestamp": AT, "sessionId": "s", "custom": {"n": 10**30}}
    folded = a_folder().fold([record(0, [event, event])])
    assert (folded.counts["stored"], folded.counts["duplicates"]) == (1, 1)


@pytest.mark.parametrize(("more", "is_asked"), [
    ({}, False), ({"_retryCount": 1}, True), ({"sentAt": AT + CLOSED_GRACE_MS + 61_000}, True),
])  # fmt: skip
def test_a_first_event_that_may_be_a_second_sending_is_looked_up(
    more: dict[str, Any], *, is_asked: bool
) -> None:
    asked: list[str] = []
    folder = a_folder(asked)
    later = AT + CLOSED_GRACE_MS
    folder.fold([record(0, [])])
    folder.fold([record(1, [], received_at=later)])
    event = play(uuid7(later, 1), 0, **more) | {"timestamp": later}
    folder.fold([record(2, [event], received_at=later + 1)])
    assert asked == ([f"default/{uuid7(later, 1)}"] if is_asked else [])


def test_after_an_overflow_nothing_is_taken_for_new() -> None:
    asked: list[str] = []
    folder = a_folder(asked, max_open_views=1)
    later = AT + CLOSED_GRACE_MS
    events = [play(uuid7(later, n), 0) | {"timestamp": later} for n in (1, 2)]
    folder.fold([record(0, [])])
    folder.fold([record(1, events, received_at=later)])
    assert asked == []
    folder.fold([record(2, events, received_at=later + 1)])
    assert asked == [f"default/{uuid7(later, 1)}"]
