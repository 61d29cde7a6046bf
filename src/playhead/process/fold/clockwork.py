"""Event time: one steady clock per view, out of a wall clock that jumps and one that stops.

The view's clock starts as the client's wall clock. It then follows the monotonic clock where the
client sends one (wall clocks are set by hand and by the network in the middle of a view), else the
wall clock, and never runs backwards. A wall clock far ahead of the monotonic one is either a jump
of the wall clock (then the difference to the server's clock jumps too) or a suspended device (then
it does not): suspended time is time nobody knows anything about.

The offset to the server's clock is the minimum of `received - sent`: the fastest message of the
view tells it best, and a minimum does not depend on order.
"""

from typing import Final

from playhead.model.event import Event, Request
from playhead.process.fold.state import NONE, Limits, ViewState

WALL_MAX: Final = 9_999_999_999_999
"""Last moment of 13 digits: 2286. What is later is no date."""
MONO_MAX: Final = 100_000_000_000
"""Three years in ms: no player runs that long, so it is no monotonic clock."""
SUSPENSION_MS: Final = 5_000
JUMP_BACK_MS: Final = 2_000
GAP_MAX_MS: Final = 7 * 86_400_000
"""Longest time between two events of one view: more is a broken clock."""
ANSWER_MAX_MS: Final = 600_000
"""Longest time that a request may take for its report to tell when it ended."""
OFFSET_MIN_MS: Final = 2_000
OFFSET_LATE_MS: Final = 300_000
"""Without `sentAt` a positive offset may be mere queueing in the client, up to this."""


def tick(state: ViewState, event: Event, received_at: int, limits: Limits) -> int:
    """Move the view's clock to an event.

    Returns:
        Milliseconds of the way that the device was suspended (0 nearly always). The event's
        moment is in `state.last_at` only after `apply` is through; here it is returned in
        `state.frame_ms` terms: `at = wall - frame`.
    """
    wall = event.timestamp
    if event.request is not None and state.cmcd:
        wall += _answered_after(event.request)
    if not 0 <= wall <= WALL_MAX:
        wall = 0 if wall < 0 else WALL_MAX
    sent = event.sent_at
    sample = received_at - (sent if sent is not None and wall < sent <= WALL_MAX else wall)
    mono = event.monotonic_ms
    suspended = 0
    if state.events == 0:
        at = wall
        if mono is not None and 0 <= mono <= MONO_MAX:
            state.mono_last = round(mono)
            state.mono_anchor = at - state.mono_last
    else:
        at = wall - state.frame_ms
        if mono is not None and 0 <= mono <= MONO_MAX:
            at, suspended = _by_monotonic(state, at, round(mono), sample)
        is_answer = event.request is not None and state.cmcd
        if is_answer and 0 < state.last_at - at <= ANSWER_MAX_MS:
            # Told once it was answered, with the time it was asked: no clock went back.
            state.last_wall = state.last_at + state.frame_ms
            return 0
        if at < state.last_at:
            at = _after_jump(state, at, received_at, limits)
        elif at - state.last_at > GAP_MAX_MS:
            at = state.last_at + GAP_MAX_MS
            state.mono_anchor = at - state.mono_last
            suspended = min(suspended, GAP_MAX_MS)
    state.frame_ms = wall - at
    state.last_wall = wall
    state.last_received_at = received_at
    state.last_sample_ms = sample
    offset = sample + wall - at
    if state.offset_ms is None or offset < state.offset_ms:
        state.offset_ms = offset
    if sent is not None:
        state.offset_sent = True
    return suspended


def _answered_after(request: Request) -> int:
    """Return the ms from a request, whose time a CMCD report of it has, to its last byte."""
    total = request.total_ms
    return round(total) if total is not None and 0 <= total <= ANSWER_MAX_MS else 0


def _by_monotonic(state: ViewState, by_wall: int, mono: int, sample: int) -> tuple[int, int]:
    """Return the moment by the monotonic clock, and how long the device was suspended."""
    if state.mono_last < 0 or mono < state.mono_last:
        # First reading, or a page that was loaded again: the wall clock bridges it.
        state.mono_last = mono
        state.mono_anchor = max(by_wall, state.last_at) - mono
        return by_wall, 0
    state.mono_last = mono
    at = state.mono_anchor + mono
    excess = by_wall - at
    if excess > SUSPENSION_MS and state.last_sample_ms - sample <= excess / 2:
        state.mono_anchor += excess
        return by_wall, excess
    return at, 0


def _after_jump(state: ViewState, at: int, received_at: int, limits: Limits) -> int:
    """Return a moment for an event whose clock went back: the server's clock bridges a jump."""
    if state.last_at - at > JUMP_BACK_MS:
        bridged = received_at - state.last_received_at
        at = state.last_at + max(0, min(bridged, limits.heartbeat_timeout_ms))
    else:
        at = state.last_at
    if state.mono_last >= 0:
        state.mono_anchor = at - state.mono_last
    return at


def applied_offset_ms(state: ViewState) -> int:
    """Return what is added to the view's clock to get the server's: 0 where clocks agree."""
    offset = state.offset_ms
    if offset is None:
        return 0
    if state.offset_sent:
        return offset if abs(offset) > OFFSET_MIN_MS else 0
    return offset if offset < -OFFSET_MIN_MS or offset > OFFSET_LATE_MS else 0


def timeout_ms(state: ViewState, limits: Limits) -> int:
    """Return how long the current state is believed after the last event."""
    timeout = limits.hidden_heartbeat_timeout_ms if state.hidden else limits.heartbeat_timeout_ms
    declared = 2 * state.heartbeat_ms
    return max(timeout, declared)


def declare_heartbeat(state: ViewState, interval_ms: float, limits: Limits) -> None:
    """Remember the heartbeat interval a client declares, within bounds."""
    if interval_ms > 0:
        state.heartbeat_ms = round(min(interval_ms, limits.max_heartbeat_interval_ms))


def is_idle(state: ViewState, at: int, limits: Limits) -> bool:
    """Return whether the view had no event for so long that it is over."""
    return state.last_at != NONE and at - state.last_at >= limits.view_idle_ms
