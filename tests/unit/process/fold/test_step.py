from typing import Any

import msgspec
import pytest

from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.process.fold import FAR, Limits, apply, cuts, due, fold, new_view, order_key

T = 1_790_000_000_000
LIMITS = Limits()


def event(kind: str, at: int, **more: Any) -> Stored:
    fields: dict[str, Any] = {"event_type": kind, "timestamp": T + at, **more}
    return Stored(Event(**fields), Context(), T + at, 0, 0, fields.get("seq", at))


def test_seq_orders_before_monotonic_before_timestamp() -> None:
    numbered = event("PLAY", 9, view_id="v", seq=5)
    timed = event("PLAY", 8, view_id="v", monotonic_ms=1.0)
    plain = event("PLAY", 0, view_id="v")
    assert sorted([plain, timed, numbered], key=order_key) == [numbered, timed, plain]


def test_cmcd_reports_of_a_view_come_last_by_their_number() -> None:
    def report(at: int, **more: Any) -> Stored:
        return msgspec.structs.replace(event("HEARTBEAT", at, view_id="v", **more), door="cmcd")

    plain = event("PLAY", 99, view_id="v")
    second, first = report(1, report_seq=2), report(5, report_seq=1)
    bare, odd = report(0), report(3, report_seq=-1)
    ordered = sorted([odd, bare, second, first, plain], key=order_key)
    assert ordered == [plain, first, second, bare, odd]


def test_without_a_view_id_only_the_timestamp_orders() -> None:
    old = event("PLAY", 0, seq=9, monotonic_ms=900.0)
    new = event("PLAY", 1, seq=0, monotonic_ms=0.0)
    assert order_key(old) < order_key(new)


def test_events_of_one_moment_stand_as_players_raise_them() -> None:
    kinds = ["STOP", "BUFFER_END", "BUFFER_START", "PLAYING", "PLAY"]
    events = sorted((event(kind, 0) for kind in kinds), key=order_key)
    assert [e.event.event_type for e in events] == [
        "PLAY", "BUFFER_START", "BUFFER_END", "PLAYING", "STOP",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("following", "cut"),
    [
        (event("PLAY", 3_600_000), True),
        (event("PLAY", 3_599_999), False),
        (event("PLAY", 5, video_id="b"), True),
        (event("PLAY", 5, video_id="a"), False),
    ],
)
def test_a_session_is_cut_by_idle_time_and_by_another_video(following: Stored, cut: bool) -> None:
    state = new_view("s-0", "p/s:s")
    assert not cuts(state, following, LIMITS)
    apply(state, event("PLAY", 0, video_id="a"), LIMITS)
    assert cuts(state, following, LIMITS) is cut


def test_due_is_the_timeout_then_the_idle_close_then_never() -> None:
    state = new_view("v", "p/v")
    apply(state, event("PLAY", 0), LIMITS)
    assert due(state, LIMITS, T) == T + 30_000
    assert due(state, LIMITS, T + 30_000) == T + 3_600_000
    assert due(state, LIMITS, T + 3_600_000) == FAR
    apply(state, event("STOP", 10), LIMITS)
    assert due(state, LIMITS) == FAR


def test_the_day_is_the_receipt_day_of_the_first_received_event() -> None:
    late = Stored(Event(event_type="PLAY", timestamp=T), Context(), T + 86_400_000, 2, 0, 1)
    early = Stored(Event(event_type="STOP", timestamp=T + 5), Context(), T + 9, 1, 0, 2)
    row = fold("v", "p/v", [late, early], T + 90_000_000, LIMITS)
    assert row.first_seen_day == "2026-09-21"
    assert (row.last_offset, row.received_at) == (2, T + 86_400_000)
