"""What holds for every view, whatever the events are."""

import math
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model import kinds
from playhead.model.event import (
    Ad,
    Buffering,
    Context,
    Device,
    Engagement,
    Event,
    PlayerError,
    PlayerStats,
    Quality,
    Request,
)
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import (
    Limits,
    ViewState,
    apply,
    due,
    finish,
    fold,
    fold_named,
    fold_session,
    fork,
    new_view,
    scores,
    unique,
)
from playhead.process.fold.finish import TIME_MAX, TIME_MIN
from playhead.process.fold.progress import RATE_MAX
from playhead.process.identity import identity_of

T = 1_790_000_000_000
LIMITS = Limits()
TIGHT = Limits(max_intervals=8, max_watched_ranges=3, max_custom_keys=2, max_string=4)

_NAMES = (*kinds.ALL, "rebufferstart", "background", "playbackfail", "never heard of it")
_HOSTILE = st.sampled_from([-1e308, 1e308, -1.0, 0.0, 5e-324, 1e10, 1e18, 12.5, 3.0])
_HOSTILE_INT = st.sampled_from([-(2**63), -1, 0, 1, 2**31, 2**53, 2**63 - 1, 10**30, T, T + 5])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False) | _HOSTILE


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high) | _HOSTILE_INT


_STATES = st.sampled_from(["playing", "paused", "buffering", "seeking", "ad", "ended", "?", ""])
_TEXT = st.sampled_from(["", "a", "b", "0123456789"])

EVENTS = st.builds(
    Event,
    event_type=st.sampled_from(_NAMES),
    timestamp=whole(T, T + 400_000),
    view_id=maybe(st.just("v")),
    seq=maybe(whole(0, 40)),
    event_id=st.uuids().map(str),
    playback_position_sec=maybe(numbers(0, 300)),
    sent_at=maybe(whole(T, T + 400_000)),
    monotonic_ms=maybe(numbers(0, 400_000)),
    state=maybe(_STATES),
    startup_ms=maybe(numbers(0, 5_000)),
    video_id=maybe(_TEXT),
    duration_sec=maybe(numbers(0, 5_000)),
    cdn=maybe(_TEXT),
    playback_rate=maybe(numbers(0, 3)),
    live_latency_ms=maybe(numbers(0, 9_000)),
    heartbeat_interval_ms=maybe(numbers(0, 60_000)),
    hidden=maybe(st.booleans()),
    report_seq=maybe(whole(0, 40)),
    quality=maybe(
        st.builds(
            Quality, bitrate_kbps=maybe(numbers(0, 9_000)), height=maybe(numbers(0, 2_160)),
            width=maybe(numbers(0, 4_000)), resolution=maybe(st.sampled_from(["720p", "1x1", "x"])),
        )
    ),
    buffering=maybe(
        st.builds(
            Buffering, started_at=maybe(whole(T, T + 400_000)),
            ended_at=maybe(whole(T, T + 400_000)), duration_ms=maybe(numbers(0, 9_000)),
            total_ms=maybe(numbers(0, 60_000)),
        )
    ),
    device=maybe(st.builds(Device, os=maybe(_TEXT), pixel_ratio=maybe(numbers(0, 3)))),
    player=maybe(
        st.builds(
            PlayerStats, decoded_frames=maybe(numbers(0, 9_000)), width=maybe(numbers(0, 4_000)),
            dropped_frames=maybe(numbers(0, 90)), height=maybe(numbers(0, 2_000)),
        )
    ),
    engagement=maybe(st.builds(Engagement, total_watch_time=maybe(numbers(0, 90_000)))),
    error=maybe(
        st.builds(
            PlayerError, fatal=st.booleans(), code=maybe(_TEXT),
            category=maybe(st.sampled_from(["business", "content", "odd"])),
        )
    ),
    page_load_ms=maybe(numbers(0, 9_000)),
    player_startup_ms=maybe(numbers(0, 9_000)),
    drm_ms=maybe(numbers(0, 9_000)),
    ad=maybe(
        st.builds(Ad, id=maybe(_TEXT), position=maybe(st.sampled_from(["preroll", "midroll", "?"])))
    ),
    request=maybe(
        st.builds(
            Request, cdn=maybe(_TEXT), host=maybe(_TEXT), status=maybe(whole(0, 600)),
            bytes=maybe(numbers(0, 1e7)), ttfb_ms=maybe(numbers(0, 900)),
            total_ms=maybe(numbers(0, 9_000)),
        )
    ),
    custom=maybe(st.dictionaries(_TEXT, st.none() | _TEXT | _HOSTILE | _HOSTILE_INT, max_size=4)),
)  # fmt: skip


@st.composite
def stored_events(draw: st.DrawFn) -> list[Stored]:
    """Events of one view, tame or hostile, as the log gives them."""
    events = draw(st.lists(EVENTS, max_size=14))
    out = []
    for index, event in enumerate(events):
        received_at = T + draw(st.integers(0, 900_000))
        context = Context(country=draw(st.sampled_from(["", "FI", "SE"])))
        out.append(Stored(event, context, received_at, index, 0, identity_of(event)))
    return out


def encoded(row: ViewRow) -> bytes:
    return msgspec.json.encode(row)


AS_OF = st.integers(T, T + 9_000_000)


@settings(deadline=None)
@given(stored_events(), AS_OF, st.randoms())
def test_order_and_repetition_change_nothing(events: list[Stored], as_of: int, random: Any) -> None:
    expected = encoded(fold("v", "p/v", events, as_of, LIMITS))
    again = events + [event for event in events if random.random() < 0.5]
    random.shuffle(again)
    assert encoded(fold("v", "p/v", again, as_of, LIMITS)) == expected


@settings(deadline=None)
@given(stored_events(), AS_OF, st.randoms())
def test_sessions_do_not_depend_on_order(events: list[Stored], as_of: int, random: Any) -> None:
    expected = [encoded(row) for row in fold_session("p/s:1", events, as_of, LIMITS)]
    again = events + events[:3]
    random.shuffle(again)
    assert [encoded(row) for row in fold_session("p/s:1", again, as_of, LIMITS)] == expected


@settings(deadline=None)
@given(stored_events(), AS_OF, st.integers(0, 14))
def test_a_stored_state_goes_on_as_if_nothing_had_been(
    events: list[Stored], as_of: int, at: int
) -> None:
    state = new_view("v", "p/v")
    for index, event in enumerate(unique(events)):
        if index == at:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ViewState)
        apply(state, event, LIMITS)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ViewState)
    if events:
        assert encoded(finish(state, as_of, LIMITS)) == encoded(
            fold("v", "p/v", events, as_of, LIMITS)
        )


@settings(deadline=None)
@given(stored_events(), stored_events(), AS_OF)
def test_a_fork_is_independent_and_finish_changes_nothing(
    events: list[Stored], more: list[Stored], as_of: int
) -> None:
    state = new_view("v", "p/v")
    for event in unique(events):
        apply(state, event, TIGHT)
    before = msgspec.msgpack.encode(state)
    twin = fork(state)
    for event in unique(more):
        apply(twin, event, TIGHT)
    finish(twin, as_of, TIGHT)
    finish(state, as_of, TIGHT)
    assert msgspec.msgpack.encode(state) == before


@settings(max_examples=400, deadline=None)
@given(stored_events(), AS_OF, st.sampled_from([LIMITS, TIGHT]))
def test_every_row_is_sound(events: list[Stored], as_of: int, limits: Limits) -> None:
    row = fold("v", "p/v", events, as_of, limits)
    check_numbers(row)
    check_intervals(row)
    check_sums(row)
    check_measures(row)
    assert len(row.interval_state) <= limits.max_intervals + 1
    assert len(row.watched_from_s) <= limits.max_watched_ranges
    assert len(row.custom) <= limits.max_custom_keys


@settings(max_examples=400, deadline=None)
@given(stored_events(), stored_events(), AS_OF, st.randoms())
def test_every_row_by_cmcd_is_sound_in_any_order(
    reports: list[Stored], events: list[Stored], as_of: int, random: Any
) -> None:
    both = list(events)
    for one in reports:
        one.event.seq, one.event.view_id = None, "v"
        identity = identity_of(one.event)
        both.append(msgspec.structs.replace(one, door="cmcd", identity=identity))
    rows = fold_named("v", "p/v", both, as_of, LIMITS)
    for row in rows:
        check_numbers(row)
        check_intervals(row)
        check_sums(row)
        check_measures(row)
    random.shuffle(both)
    again = fold_named("v", "p/v", both, as_of, LIMITS)
    assert [encoded(row) for row in again] == [encoded(row) for row in rows]


def check_numbers(row: ViewRow) -> None:
    for name in row.__struct_fields__:
        value = getattr(row, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, bool):
                continue
            if isinstance(item, int):
                assert -(2**63) <= item < 2**63, name
            elif isinstance(item, float):
                assert math.isfinite(item), name
            if isinstance(item, (int, float)) and (
                name.endswith(("_ms", "_count", "_bytes")) and "offset" not in name
            ):
                assert item >= 0, name


def check_intervals(row: ViewRow) -> None:
    columns = list(
        zip(
            row.interval_state, row.interval_from, row.interval_to, row.interval_bitrate_kbps,
            row.interval_height, row.interval_cdn, strict=True,
        )
    )  # fmt: skip
    clamped = not TIME_MIN < row.started_at <= row.ended_at < TIME_MAX
    assert all(start < end or clamped for _, start, end, *_ in columns)
    for before, after in pairwise(columns):
        assert before[2] <= after[1]
        same = (before[0], *before[3:]) == (after[0], *after[3:])
        assert not (same and before[2] == after[1]) or clamped
    watched = list(zip(row.watched_from_s, row.watched_to_s, strict=True))
    assert all(start < end for start, end in watched)
    assert all(a[1] < b[0] for a, b in pairwise(watched))


def check_sums(row: ViewRow) -> None:
    spent = (
        row.playing_ms + row.starting_ms + row.rebuffer_ms + row.seek_ms + row.pause_ms
        + row.ad_ms + row.ad_rebuffer_ms + row.hidden_ms + row.unknown_ms
    )  # fmt: skip
    if TIME_MIN < row.started_at <= row.ended_at < TIME_MAX:
        assert spent <= row.ended_at - row.started_at
    assert row.rebuffer_perceptible_count <= row.rebuffer_count


def check_measures(row: ViewRow) -> None:
    assert row.rebuffer_max_ms <= row.rebuffer_ms
    assert (row.seek_latency_max_ms or 0) <= row.seek_ms
    assert row.ad_complete_count + row.ad_skip_count <= row.ad_count
    assert row.ad_startup_error_count <= row.ad_error_count <= row.warnings
    assert row.preroll_request_count <= row.ad_request_count <= row.events
    assert row.ad_exit_before_start_count <= row.final
    assert row.request_failed_count <= row.request_count <= row.events
    assert row.request_ttfb_count <= row.request_count
    assert (row.request_ttfb_max_ms or 0) <= row.request_ttfb_ms
    if row.bitrate_kbps is None:
        assert (row.peak_bitrate_kbps, row.bits_played, row.media_s) == (None, 0, 0)
    else:
        assert row.bitrate_kbps <= (row.peak_bitrate_kbps or 0)
        assert row.bits_played <= (row.peak_bitrate_kbps or 0) * row.media_s * (1 + 1e-9)
        assert row.media_s <= row.bitrate_weight_ms / 1000 * RATE_MAX * (1 + 1e-9)
    if row.aggregate_startup_ms is not None:
        assert row.aggregate_startup_ms >= (row.page_load_ms or 0) + (row.startup_ms or 0)


@settings(deadline=None)
@given(stored_events(), AS_OF)
def test_due_names_the_next_change(events: list[Stored], as_of: int) -> None:
    state = new_view("v", "p/v")
    for event in unique(events):
        apply(state, event, LIMITS)
    if not events:
        return
    when = due(state, LIMITS, as_of)
    assert when > as_of
    before, after = finish(state, as_of, LIMITS), finish(state, when, LIMITS)
    if not before.final and when < TIME_MAX:
        assert (after.status, after.ended_at) != (before.status, before.ended_at) or (
            after.status == "paused"
        )


_PART = st.none() | st.floats(0.01, 100)


@settings(deadline=None)
@given(_PART, _PART, _PART, st.floats(0, 100), st.integers(0, 2))
def test_overall_score_grows_with_every_part(
    smooth: float | None, startup: float | None, quality: float | None, more: float, which: int
) -> None:
    parts = [smooth, startup, quality]
    better = list(parts)
    part = better[which]
    if part is not None:
        better[which] = min(100.0, part + more)
    low = scores.overall_score(100.0, *parts)
    high = scores.overall_score(100.0, *better)
    assert low is not None
    assert high is not None
    assert 0.0 <= low <= high + 1e-9 <= 100.0 + 2e-9


@settings(deadline=None)
@given(st.floats(0, 1e7), st.floats(0, 1e7), st.integers(0, 50), st.floats(0, 1))
def test_scores_fall_as_things_get_worse(a: float, b: float, stalls: int, share: float) -> None:
    low, high = sorted((a, b))
    assert scores.startup_score(low) >= scores.startup_score(high)
    assert scores.smooth_score(stalls, share) >= scores.smooth_score(stalls + 1, share)
    assert scores.smooth_score(stalls, share / 2) >= scores.smooth_score(stalls, share)
    assert scores.quality_score(low, low) >= scores.quality_score(high, low)
    assert scores.quality_score(low, low) >= scores.quality_score(high, high)
