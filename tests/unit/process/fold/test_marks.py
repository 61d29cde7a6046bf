from typing import Any

import pytest

from playhead.model.event import Context, Device, Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, apply, finish, new_view

T = 1_790_000_000_000
STAFF = Limits(internal_viewers=("qa-*", "boss"))


def row(*events: tuple[int, dict[str, Any]], limits: Limits = STAFF) -> ViewRow:
    state = new_view("v", "p/v")
    for seq, (after_ms, fields) in enumerate(events):
        kind = "HEARTBEAT" if seq else "PLAY"
        event = Event(event_type=kind, timestamp=T + after_ms, view_id="v", seq=seq, **fields)
        apply(state, Stored(event, Context(), T + after_ms, seq, 0, seq), limits)
    return finish(state, T + 3_600_000, limits)


def steady(count: int, *, every_ms: int, played_s: float = 0) -> list[tuple[int, dict[str, Any]]]:
    return [(n * every_ms, {"playback_position_sec": n * played_s}) for n in range(count)]


@pytest.mark.parametrize(
    ("viewer", "internal"),
    [("qa-7", True), ("boss", True), ("boss2", False), ("QA-7", False), (None, False)],
)
def test_a_viewer_of_the_list_is_internal(viewer: str | None, *, internal: bool) -> None:
    made = row((0, {"viewer_id": viewer}))
    assert (made.internal, made.bot) == (internal, False)


def test_a_star_is_no_viewer_without_a_name() -> None:
    everyone = Limits(internal_viewers=("*",))
    assert not row((0, {}), limits=everyone).internal
    assert row((0, {"viewer_id": "u"}), limits=everyone).internal


@pytest.mark.parametrize(
    ("fields", "bot"),
    [
        ({"custom": {"webdriver": True}}, True),
        ({"custom": {"webdriver": "true"}}, True),
        ({"custom": {"webdriver": False}}, False),
        ({"device": Device(category="Bot")}, True),
        ({"device": Device(category="tv")}, False),
    ],
)
def test_a_client_may_call_itself_a_robot(fields: dict[str, Any], *, bot: bool) -> None:
    assert row((0, fields)).bot is bot


def test_more_content_than_a_life_at_the_highest_rate_is_a_robots() -> None:
    playing: dict[str, Any] = {"state": "playing"}
    told = [(after, fields | playing) for after, fields in steady(200, every_ms=10, played_s=0.9)]
    assert row(*told).content_played_s > 60
    assert row(*told).bot


def test_a_viewer_at_sixteen_times_the_speed_is_none() -> None:
    fast: dict[str, Any] = {"state": "playing", "playback_rate": 16.0}
    told = [(after, fields | fast) for after, fields in steady(200, every_ms=1_000, played_s=16)]
    assert row(*told).content_played_s > 3_000
    assert not row(*told).bot


@pytest.mark.parametrize(
    ("count", "every_ms", "bot"),
    [(500, 9, True), (499, 1, False), (600, 11, False), (2_000, 5, True)],
)
def test_more_than_a_hundred_events_a_second_are_a_robots(
    count: int, every_ms: int, *, bot: bool
) -> None:
    assert row(*steady(count, every_ms=every_ms)).bot is bot
