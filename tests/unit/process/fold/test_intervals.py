from playhead.process.fold import intervals
from playhead.process.fold.state import Limits, ViewState, new_view


def playing_since(start: int) -> ViewState:
    state = new_view("v", "p/v")
    state.intent_at = state.since = start
    state.mode = "playing"
    return state


def told(state: ViewState) -> list[tuple[str, int, int]]:
    return [interval[:3] for interval in state.intervals]


def test_equal_neighbours_merge() -> None:
    state = playing_since(0)
    intervals.push(state, 10)
    intervals.push(state, 20)
    assert told(state) == [("playing", 0, 20)]


def test_an_attribute_that_changes_opens_a_new_interval() -> None:
    state = playing_since(0)
    intervals.push(state, 10)
    state.bitrate_kbps = 3000.0
    intervals.push(state, 20)
    assert told(state) == [("playing", 0, 10), ("playing", 10, 20)]


def test_relabel_splits_the_past_where_it_must() -> None:
    state = playing_since(0)
    state.since_position, state.position = 0.0, 1.0
    intervals.push(state, 1_000)
    state.bitrate_kbps = 3000.0
    intervals.push(state, 2_000)
    intervals.relabel(state, 500, "rebuffering")
    assert told(state) == [
        ("playing", 0, 500),
        ("rebuffering", 500, 1_000),
        ("rebuffering", 1_000, 2_000),
    ]
    assert state.intervals[0][4] == 0.5


def test_relabel_stops_at_what_was_said() -> None:
    state = playing_since(0)
    intervals.switch(state, "paused", 10)
    intervals.switch(state, "playing", 20)
    intervals.push(state, 30)
    intervals.relabel(state, 5, "rebuffering")
    assert told(state) == [("playing", 0, 10), ("paused", 10, 20), ("rebuffering", 20, 30)]


def test_compacting_keeps_the_sums() -> None:
    state = playing_since(0)
    for at in range(1, 11):
        intervals.switch(state, "paused" if at % 2 else "playing", at)
    intervals.compact(state, Limits(max_intervals=8))
    sums = dict(state.older)
    intervals.add_up(sums, state.intervals)
    assert len(state.intervals) == 8
    assert (sums["playing"], sums["paused"]) == (5, 5)


def test_peaks_survive_that_old_intervals_are_summed_up() -> None:
    state = new_view("v", "p/v")
    rest = (0.0, 0.0)
    stalled = [
        ("rebuffering", at, at + 10, *rest, 0.0, 0, "", -1.0, 1.0) for at in range(0, 80, 10)
    ]
    played = [
        ("playing", at, at + 10, *rest, 900.0 - at, 0, "", -1.0, 1.0) for at in range(80, 160, 10)
    ]
    state.intervals = [*played[:1], *stalled, *played[1:]]
    for _ in range(3):
        intervals.compact(state, Limits(max_intervals=len(state.intervals) - 1))
    sums = dict(state.older)
    intervals.add_up(sums, state.intervals)
    assert (sums["bitrate_max"], sums["rebuffering_max"]) == (820.0, 80.0)
