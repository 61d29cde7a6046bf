"""Progress of the playhead: what two position reports prove about the time between them.

The playhead is the only witness that cannot be wrong: `waiting` and `playing` events come early,
late or not at all. Progress proves playing (also through silence), its absence while "playing"
proves a stall, and a recovery counts only once the playhead has moved on far enough.
"""

from typing import Final

from playhead.process.fold import intervals, watched
from playhead.process.fold.state import (
    IDLE,
    NONE,
    PAUSED,
    PLAYING,
    REBUFFERING,
    SEEKING,
    STARTING,
    UNKNOWN,
    Limits,
    ViewState,
)

POSITION_MAX_S: Final = 1e10
"""Live players may report seconds since 1970; more is no position."""
RATE_MAX: Final = 16.0
BACK_S: Final = 0.05
"""A playhead this much further back has jumped back."""
AHEAD_FACTOR: Final = 1.1
AHEAD_S: Final = 1.0
"""A playhead further ahead than time by rate by factor plus this has jumped, not played."""
PROVED_FRACTION: Final = 0.9
"""Progress over this share of a silence proves that it was played through."""
WHOLE_SECOND_MS: Final = 1_000
"""Positions in whole seconds hide up to this much progress."""


def observe(
    state: ViewState, position: float, at: int, limits: Limits, *, infer: bool = True
) -> None:
    """Take a position report (seconds of content) at a moment of the view's clock.

    `infer=False` where missing progress has its reason: a declared stall, a change of rate.
    """
    if not 0 <= position <= POSITION_MAX_S or (state.in_break and state.started):
        return  # in ads the position is the ad's: the content clock stands still
    before = state.position
    if before < 0:
        state.position = float(position)
        state.position_at = at
        return
    delta = position - before
    elapsed = at - state.position_at
    moved_ms = delta * 1000.0 / state.rate
    mode = state.mode
    if moved_ms > elapsed * AHEAD_FACTOR + AHEAD_S * 1000.0 or delta < -AHEAD_S:
        watched.cut(state, limits)
        if mode == PLAYING and state.recovered_at != NONE:
            confirm(state, limits)  # who jumps away from the stall has left it
    elif mode == PLAYING:
        trial = state.recovered_at
        _while_playing(state, position, at, limits, infer=infer)
        if (
            0 <= delta <= BACK_S
            and infer
            and state.mode == PLAYING
            and state.recovered_at == trial
            and not state.hidden
        ):
            return  # keep the older report: with ten reports a second a standstill adds up
    elif delta > BACK_S and mode == REBUFFERING and not infer:
        watched.extend(state, before, position)  # the event itself says when the stall ended
    elif delta > BACK_S:
        _while_standing(state, position, at, limits)
        return
    elif delta >= 0 and mode != PLAYING:
        return  # keep the older report: creeping progress adds up
    state.position = float(position)
    state.position_at = at


def land(state: ViewState, position: float, at: int, limits: Limits, *, infer: bool = True) -> None:
    """Take the position that the end of a seek tells: where it went to, not progress within it."""
    del infer
    if 0 <= position <= POSITION_MAX_S and not (state.in_break and state.started):
        watched.cut(state, limits)
        state.position = float(position)
        state.position_at = at


def _while_playing(
    state: ViewState, position: float, at: int, limits: Limits, *, infer: bool
) -> None:
    before = state.position
    delta = position - before
    if delta > 0:
        state.progressed = True
        if delta > BACK_S or not infer or state.hidden:
            watched.extend(state, before, position)
    pending = state.recovered_at != NONE
    if pending:
        if delta < -BACK_S:
            back_out(state, at)
            return
        if (position - state.recovered_position) * 1000.0 >= limits.recovery_progress_ms:
            confirm(state, limits)
            pending = False
    if not infer or not state.progressed or delta < -BACK_S:
        return
    missing = at - state.position_at - max(0.0, delta) * 1000.0 / state.rate
    if missing >= limits.stall_min_ms:
        _miss(state, position, at, missing=missing, limits=limits)


def _miss(state: ViewState, position: float, at: int, *, missing: float, limits: Limits) -> None:
    """The playhead did less than time and rate ask for: a stall nobody declared."""
    elapsed = at - state.position_at
    least = elapsed * limits.stall_min_fraction
    if position == int(position) and state.position == int(state.position):
        least += WHOLE_SECOND_MS
    if missing < least:
        return
    start = state.position_at
    if state.hidden:
        # Browsers stop pictures in hidden tabs: hidden time, not a stall.
        _hide(state, start, at, round(missing))
        return
    if state.recovered_at != NONE:
        back_out(state, at)
        return
    moved = round(elapsed - missing)
    intervals.relabel(state, start, REBUFFERING)
    state.stall_since = start
    state.stall_told_at = start
    state.recovered_position = state.position
    if moved > 0:
        recover(state, at - moved, state.position)
        if (position - state.position) * 1000.0 >= limits.recovery_progress_ms:
            confirm(state, limits)


def _hide(state: ViewState, start: int, at: int, missing: int) -> None:
    """Say that the picture stood still, unseen: unknown time, marked as hidden."""
    start = max(start, state.since)
    end = min(at, start + missing)
    if end > start:
        intervals.insert_unknown(state, start, end)
        state.hidden_ms += end - start


def _while_standing(state: ViewState, position: float, at: int, limits: Limits) -> None:
    """The playhead moved while nothing should be playing: what should have been said was lost."""
    delta = position - state.position
    moved = round(delta * 1000.0 / state.rate)
    begun = max(at - moved, state.position_at)
    mode = state.mode
    enough = delta * 1000.0 >= limits.recovery_progress_ms
    if mode == STARTING:
        if delta * 1000.0 < limits.stall_min_ms:
            return
        first_frame(state, max(begun, state.since))
    elif mode == IDLE and enough:
        reopen(state, begun)
        first_frame(state, begun)
    elif mode == REBUFFERING and enough:
        recover(state, max(begun, state.stall_since), state.position)
        confirm(state, limits)
    elif mode == PAUSED and enough:
        intervals.switch(state, PLAYING, max(begun, state.since))
    elif mode == SEEKING and enough and not state.seek_done:
        end_seek(state, max(begun, state.since))
        confirm(state, limits)
    elif mode == SEEKING and enough:
        recover(state, max(begun, state.since), state.position)
        confirm(state, limits)
    else:
        return
    if state.mode == PLAYING:
        state.progressed = True
        watched.extend(state, state.position, position)
    state.position = float(position)
    state.position_at = at


def first_frame(state: ViewState, moment: int) -> None:
    """Content begins to play: ends the start, of the view or after a pre-roll."""
    unseen = state.intent_at == NONE
    if unseen:
        state.intent_at = moment
        state.since = moment
    intervals.switch(state, PLAYING, max(moment, state.since))
    if not state.content_started:
        waited = max(0, state.since - state.intent_at - state.startup_apart_ms)
        state.content_started = True
        if unseen:  # the events of the start were lost: nobody knows how long it took
            state.started = True
        elif not state.started:
            state.started = True
            state.startup_ms = float(waited)
            state.content_startup_ms = float(waited)
        else:
            state.content_startup_ms = float(max(waited, state.startup_ms))
    forgive(state)
    state.position_at = max(state.since, state.position_at)


def reopen(state: ViewState, at: int) -> None:
    """A view that was over goes on: a replay, or a retry after a fatal error."""
    if state.closed:
        intervals.push(state, max(at, state.since))
        state.closed = ""
        state.clean_end = False


def forgive(state: ViewState) -> None:
    """Playing again after a fatal error: it was none, only a warning."""
    if state.fatal_category:
        state.warnings += state.errors
        state.errors = 0
        state.fatal_code = ""
        state.fatal_category = ""
        state.fatal_business = False


def recover(state: ViewState, moment: int, position: float) -> None:
    """Leave a stall or a seek, on trial until the playhead has made progress."""
    state.recovered_from = state.mode
    state.recovered_at = max(moment, state.stall_since)
    state.recovered_position = position
    intervals.switch(state, PLAYING, state.recovered_at)


def back_out(state: ViewState, at: int) -> None:
    """The recovery was false up to now: the stall or seek went on; the next try starts here."""
    was = state.recovered_from
    intervals.relabel(state, state.recovered_at, was)
    if state.since > at:
        return
    intervals.switch(state, PLAYING, at)
    state.recovered_at = at


def confirm(state: ViewState, limits: Limits) -> None:
    """The recovery was true: the stall or seek ended where it began."""
    if state.recovered_from == REBUFFERING:
        close_stall(state, state.recovered_at, limits)
    state.recovered_at = NONE
    state.recovered_from = ""
    state.seek_done = False


def close_stall(state: ViewState, end: int, limits: Limits) -> None:
    """Count a stall that is over."""
    if state.stall_since != NONE:
        state.stalls += 1
        if end - state.stall_since >= limits.stall_min_ms:
            state.stalls_perceptible += 1
    state.stall_since = NONE


def is_recovered(state: ViewState, at: int, limits: Limits) -> bool:
    """Return whether a recovery on trial holds: by progress, or by time where none is told."""
    if (
        state.position >= 0
        and state.recovered_position >= 0
        and (state.position_at >= at or state.position > state.recovered_position)
    ):
        moved_ms = (state.position - state.recovered_position) * 1000.0
        return moved_ms >= limits.recovery_progress_ms
    return (at - state.recovered_at) * state.rate >= limits.recovery_progress_ms


def settle(state: ViewState, at: int, limits: Limits) -> None:
    """End whatever stall or seek is open: something else begins at this moment."""
    if state.recovered_at != NONE:
        if is_recovered(state, at, limits):
            confirm(state, limits)
            return
        intervals.relabel(state, state.recovered_at, state.recovered_from)
        state.recovered_at = NONE
        state.recovered_from = ""
    if state.stall_since != NONE:
        close_stall(state, at, limits)
    state.seek_done = False


def end_seek(state: ViewState, moment: int) -> None:
    """The player says the seek is done: playing on trial, or paused as before."""
    state.seek_done = True
    state.seek_ended_at = moment
    if state.seek_resumes:
        recover(state, moment, state.position)
        return
    state.seek_done = False
    intervals.switch(state, PAUSED, moment)


def bridge(state: ViewState, at: int, position: float | None, *, timeout: int, proved: bool,
           limits: Limits) -> None:  # fmt: skip
    """Decide what a silence longer than the heartbeat timeout was, now that an event ended it.

    Args:
        state: The view before the event; `state.last_at` is where the silence began.
        at: Its end.
        position: The playhead at its end, if told.
        timeout: How long a state is believed without news (ms).
        proved: The event itself proves that the state lasted (a pause ends with a play).
        limits: `view_idle_ms` bounds what can be proved.
    """
    start = state.last_at
    gap = at - start
    if state.mode in {IDLE, UNKNOWN} or (proved and gap < limits.view_idle_ms):
        return
    covered = timeout
    if state.mode == PLAYING and position is not None and state.position >= 0:
        moved = (position - state.position) * 1000.0 / state.rate
        elapsed = at - state.position_at
        if (
            0 <= moved <= elapsed * AHEAD_FACTOR + AHEAD_S * 1000.0
            and elapsed < limits.view_idle_ms
        ):
            if moved >= elapsed * PROVED_FRACTION:
                return
            covered = max(0, min(gap, round(moved) - (start - state.position_at)))
            state.progressed = state.progressed or moved > 0
            _watch_through(state, position, at)
    elif state.mode == STARTING and position is not None and position > state.position >= 0:
        return
    intervals.insert_unknown(state, start + covered, at)
    state.position_at = at


def _watch_through(state: ViewState, position: float, at: int) -> None:
    """Take a report that a silence has already explained: played content, nothing missing."""
    watched.extend(state, state.position, float(position))
    state.position = float(position)
    state.position_at = at
