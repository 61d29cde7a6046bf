"""Stall time the client adds up itself: a total, or the lengths of stalls that are over.

CMCD players report `bsda` (all stalls so far) and `bsd` (each stall once, in any later report).
What the states have told already is not counted again: only where the client's count says more
than the intervals know is the missing time written into the past, as one stall in the last playing
time before the report and after the report before.
"""

from typing import Final

from playhead.model import kinds
from playhead.model.event import Event
from playhead.process.fold import intervals, progress, stalls
from playhead.process.fold.state import (
    AD_REBUFFERING,
    NONE,
    PLAYING,
    REBUFFERING,
    SEEKING,
    SEQ_MAX,
    Limits,
    ViewState,
)

TOTAL_MAX_MS: Final = 7 * 86_400_000
"""More than a week of stalls is a broken counter."""


def take(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Take what an event says of stalls that are over; its own state was taken before."""
    if not _hear(state, event, at) and state.told_ms == state.told_checked_ms:
        return
    if state.mode in {REBUFFERING, AD_REBUFFERING}:
        return  # the open stall may be part of it: asked again with the next report
    if state.recovered_at != NONE and progress.is_recovered(state, at, limits):
        progress.confirm(state, limits)
    if state.recovered_at != NONE and state.recovered_from != REBUFFERING:
        return
    state.told_checked_ms = state.told_ms
    missing = round(state.told_ms - state.told_lost_ms - _known_ms(state))
    if missing > 0:
        sought = min(missing, _sought_ms(state, at))  # players count seeks as starvation
        state.told_lost_ms += sought
        missing -= sought
    if missing <= limits.stall_min_ms:
        return
    if state.recovered_at != NONE:
        written = _lengthen(state, missing)
    else:
        written = _write(state, missing, at, limits)
    state.told_lost_ms += missing - written


def _hear(state: ViewState, event: Event, at: int) -> bool:
    """Note the client's count; return whether it grew."""
    part = event.buffering
    if part is None:
        return False
    told = state.told_ms
    total, length = part.total_ms, part.duration_ms
    if total is not None and 0 <= total <= TOTAL_MAX_MS:
        state.told_total_ms = float(total)
        told = total - state.told_base_ms
    elif (
        state.cmcd
        and not state.told_total_ms  # a total holds every length: which one is new is not known
        and length is not None
        and 0 < length <= stalls.STALL_MAX_MS
        and kinds.kind_of(event.event_type) == kinds.BUFFER_END
    ):
        told += length
    if told <= state.told_ms:
        return False
    state.told_ms = told
    number = event.report_seq
    if number is None or not 0 <= number < SEQ_MAX:
        number = NONE
    if number == NONE or number != state.told_seq:
        state.told_from = state.told_at
        state.told_at = at
        state.told_seq = number
    return True


def _known_ms(state: ViewState) -> float:
    """Return the stall time that the intervals hold, the content's and the ads'."""
    older = state.older
    known = older.get(REBUFFERING, 0.0) + older.get(AD_REBUFFERING, 0.0)
    for interval in state.intervals:
        if interval[0] in {REBUFFERING, AD_REBUFFERING}:
            known += interval[2] - interval[1]
    return known


def _sought_ms(state: ViewState, at: int) -> int:
    """Return the time spent seeking since the report before."""
    since = state.told_from
    sought = at - max(state.since, since) if state.mode == SEEKING else 0
    for interval in reversed(state.intervals):
        if interval[2] <= since:
            break
        if interval[0] == SEEKING:
            sought += interval[2] - max(interval[1], since)
    return max(0, sought)


def _lengthen(state: ViewState, missing: int) -> int:
    """Let a stall that was just left begin earlier; return by how much (ms)."""
    before = state.stall_since
    start = stalls.start_before(state, max(before - missing, state.told_from))
    if start >= before:
        return 0
    intervals.rewrite(state, start, state.recovered_at, REBUFFERING)
    state.stall_since = start
    return int(before - start)


def _write(state: ViewState, missing: int, at: int, limits: Limits) -> int:
    """Write a stall into the past that nobody told when it happened; return its length (ms)."""
    if state.mode == PLAYING:
        intervals.push(state, at)
    least = limits.stall_min_ms
    written = intervals.carve(state, missing, state.told_from, REBUFFERING, least=least)
    if written:
        state.stalls += 1
        state.stalls_perceptible += 1
        state.position_at = min(at, state.position_at + written)
    return written
