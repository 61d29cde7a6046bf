"""Stalls as clients declare them: at their start, at their end, or only afterwards.

A stall that a client declares counts whatever its length and starts where the client says; a
duration it measured wins over the times of its events.
"""

from typing import Final

from playhead.model.event import Event
from playhead.process.fold import intervals, progress
from playhead.process.fold.state import (
    AD,
    AD_REBUFFERING,
    IDLE,
    NONE,
    PLAYING,
    REBUFFERING,
    SEEKING,
    STARTING,
    Limits,
    ViewState,
)

STALL_MAX_MS: Final = 3_600_000
"""A longer stall is a broken measurement."""
_RECENT: Final = 8
"""How many intervals back a stall told late may have been seen already."""


_STALLED: Final = frozenset((REBUFFERING, AD_REBUFFERING))


def buffer_start(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """A stall, if the content was playing; before the first frame it is startup."""
    mode = state.mode
    if mode == IDLE and not state.closed:
        if not state.content_started:
            state.intent_at = at if state.intent_at == NONE else state.intent_at
            intervals.switch(state, STARTING, at)
    elif mode == AD:
        intervals.switch(state, AD_REBUFFERING, at)
    elif mode == PLAYING:
        if state.recovered_at != NONE:
            if not progress.is_recovered(state, at, limits):
                relapse(state)
                state.stall_told_at = _stall_start(state, event, at)
                return
            progress.confirm(state, limits)
        start = _stall_start(state, event, at)
        intervals.switch(state, REBUFFERING, start)
        state.stall_since = start
        state.stall_told_at = start
        state.recovered_position = state.position
        state.position_at = at
    elif mode == REBUFFERING:
        state.stall_told_at = _stall_start(state, event, at)


def relapse(state: ViewState) -> None:
    """The recovery was false: the old stall or seek goes on as if it had not been."""
    intervals.relabel(state, state.recovered_at, state.recovered_from)
    state.recovered_at = NONE
    state.recovered_from = ""


def _stall_start(state: ViewState, event: Event, at: int) -> int:
    """Return where the client says the stall began, in the view's clock, else this moment."""
    part = event.buffering
    if part is None or part.started_at is None:
        return at
    return _bounded_start(state, part.started_at - state.frame_ms, at)


def _bounded_start(state: ViewState, start: int, at: int) -> int:
    """Keep a declared start within the playing time it can have interrupted."""
    earliest = state.since
    for interval in reversed(state.intervals):
        if interval[2] != earliest or interval[0] != PLAYING or start >= earliest:
            break
        earliest = interval[1]
    return max(earliest, min(start, at))


def buffer_end(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The end of a stall, or of the start for players that tell no first frame."""
    mode = state.mode
    if state.cmcd and (mode not in _STALLED or event.state == "rebuffering"):
        return  # a report of stalls that are over, at any time: see `told.py`
    if mode == STARTING and not (state.in_break and state.ad_running):
        if state.in_break:
            return
        progress.first_frame(state, max(state.since, _stall_end(state, event, at)))
    elif mode == AD_REBUFFERING:
        intervals.switch(state, AD, at)
    elif mode == REBUFFERING:
        end = _stall_end(state, event, at)
        _leave_stall(state, event, end)
    elif mode == SEEKING and state.seek_done:
        progress.recover(state, at, state.position)
        state.position_at = at
    elif mode == PLAYING and state.recovered_at == NONE:
        _whole_stall(state, event, at, limits)


def _stall_end(state: ViewState, event: Event, at: int) -> int:
    part = event.buffering
    if part is None or part.ended_at is None:
        return at
    return min(at, part.ended_at - state.frame_ms)


def _leave_stall(state: ViewState, event: Event, end: int) -> None:
    """Leave an open stall; a duration the client measured wins over the events' times.

    It measured from its last BUFFER_START: after a false recovery that is not the stall's start.
    """
    part = event.buffering
    length = None if part is None else part.duration_ms
    told = state.stall_told_at
    start = told
    if part is not None and part.started_at is not None:
        start = part.started_at - state.frame_ms
    if length is not None and 0 <= length <= STALL_MAX_MS:
        if part is not None and part.started_at is None and length > end - told:
            start = end - round(length)
        else:
            end = min(end, max(start, state.stall_since) + round(length))
    if start < state.stall_since:
        start = start_before(state, start)
        intervals.relabel(state, start, REBUFFERING)
        state.stall_since = start
    end = max(end, state.stall_since)
    progress.recover(state, end, state.recovered_position)
    state.position_at = (
        end if event.playback_position_sec is None else state.last_wall - state.frame_ms
    )


def start_before(state: ViewState, start: int) -> int:
    """Bound a start that lies before the stall as known: within the playing time before it."""
    earliest = state.stall_since
    for interval in reversed(state.intervals):
        if interval[1] >= state.stall_since:
            continue
        if interval[0] != PLAYING or start >= earliest:
            break
        earliest = interval[1]
    return max(earliest, start)


def _whole_stall(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """A stall told only at its end: write it into the past, where the client says it was."""
    part = event.buffering
    if part is None:
        return
    length = part.duration_ms
    if length is not None and not 0 <= length <= STALL_MAX_MS:
        length = None
    end = _stall_end(state, event, at)
    if part.started_at is not None:
        start = part.started_at - state.frame_ms
        end = end if length is None else min(at, start + round(length))
    elif length is not None:
        start = end - round(length)
    else:
        return
    if any(past[0] == REBUFFERING and past[2] > start for past in state.intervals[-_RECENT:]):
        return  # progress told of this stall before the client did
    start = _bounded_start(state, start, at)
    end = max(start, end)
    intervals.relabel(state, start, REBUFFERING)
    state.stall_since = start
    progress.recover(state, end, state.position)
    state.position_at = max(end, state.position_at)
    if at - end >= limits.recovery_progress_ms:
        progress.confirm(state, limits)
