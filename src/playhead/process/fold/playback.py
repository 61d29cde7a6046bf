"""The state machine: what each kind of event does to a view (reference player.md §1).

One handler a kind, found in one dictionary. Clients differ in what they send: whatever a handler
needs to know may be missing, so evidence from any event counts (see `progress.py`).
"""

from collections.abc import Callable
from typing import Final

from playhead.model import kinds
from playhead.model.event import Event, PlayerError
from playhead.model.pattern import any_of
from playhead.process.fold import ads, intervals, progress, requests, stalls, startup, watched
from playhead.process.fold.state import (
    AD,
    AD_REBUFFERING,
    IDLE,
    NONE,
    PAUSED,
    PLAYING,
    REBUFFERING,
    SEEKING,
    STARTING,
    Limits,
    ViewState,
)

Handler = Callable[[ViewState, Event, int, Limits], None]

STARTUP_MAX_MS: Final = 3_600_000


def play(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Play intent: a start, a resume, or a replay."""
    del event
    if state.closed:
        failed = state.closed == "failed"
        progress.reopen(state, at)
        _go(state, STARTING if failed or not state.content_started else PLAYING, at)
    elif state.mode == IDLE:
        state.intent_at = at if state.intent_at == NONE else state.intent_at
        _go(state, PLAYING if state.content_started else STARTING, at)
    elif state.mode == PAUSED:
        if state.in_break:
            _go(state, AD, at)
        else:
            _go(state, PLAYING if state.content_started else STARTING, at)
    elif state.mode == SEEKING:
        state.seek_resumes = True
    elif state.in_break and not state.ad_running and state.started and not state.break_named:
        ads.leave(state, at, limits)


def _go(state: ViewState, mode: str, at: int) -> None:
    intervals.switch(state, mode, at)
    state.position_at = at


def playing(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The player says that it plays; it may say so inside a seek, too early, or for an ad."""
    mode = state.mode
    if mode == PLAYING:
        return
    if state.in_break and state.ad_running:
        if mode == AD_REBUFFERING:
            intervals.switch(state, AD, at)
        return
    if state.in_break:
        ads.leave(state, at, limits)
        mode = state.mode
    if mode == STARTING:
        progress.first_frame(state, _declared_start(state, event, at))
    elif mode == IDLE:
        _join(state, event, at)
    elif mode == PAUSED:
        _go(state, PLAYING, at)
    elif mode == REBUFFERING or (mode == SEEKING and state.seek_done):
        stood = state.recovered_position if mode == REBUFFERING else state.position
        progress.recover(state, at, stood)
        state.position_at = at
    elif mode == SEEKING:
        state.seek_resumes = True
        if state.cmcd:  # there a seek is a state, and ends with the next one
            progress.end_seek(state, at)
            state.position_at = at


def _declared_start(state: ViewState, event: Event, at: int) -> int:
    """Return the moment of the first frame: where the client's own startup time ends."""
    declared = event.startup_ms
    if declared is None or not 0 <= declared <= STARTUP_MAX_MS or state.started:
        return at
    return max(state.since, min(at, state.intent_at + round(declared)))


def _join(state: ViewState, event: Event, at: int) -> None:
    """First evidence of playing without a start: it was lost, or the view goes on after its end."""
    progress.reopen(state, at)
    declared = event.startup_ms
    if (
        state.intent_at == NONE and not state.started
        and declared is not None and 0 <= declared <= STARTUP_MAX_MS
    ):  # fmt: skip
        state.intent_at = at - round(declared)
        state.since = state.intent_at
        intervals.switch(state, STARTING, state.since)
    progress.first_frame(state, at)
    state.position_at = at


def pause(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Pause; inside a stall it ends the stall, inside a seek or break it is not the viewer's."""
    mode = state.mode
    if mode == SEEKING:
        state.seek_resumes = False
        if state.cmcd:
            progress.end_seek(state, at)
        return
    if state.recovered_from == SEEKING and not progress.is_recovered(state, at, limits):
        state.seek_resumes = False
    if mode in {IDLE, PAUSED, AD, AD_REBUFFERING} or state.closed:
        _total_moved(state, event)
        return
    if mode == STARTING:
        _started_by_total(state, event, at)
    progress.settle(state, at, limits)
    intervals.switch(state, PAUSED, at)
    state.pauses += 1
    _total_moved(state, event)


def _started_by_total(state: ViewState, event: Event, at: int) -> None:
    """A watch total that grew before a pause proves a first frame nobody reported."""
    if event.engagement is None or event.engagement.total_watch_time is None:
        return
    watched_ms = event.engagement.total_watch_time
    if state.watch_total_ms < watched_ms <= STARTUP_MAX_MS:
        progress.first_frame(state, max(state.since, at - round(watched_ms)))


def _total_moved(state: ViewState, event: Event) -> None:
    if event.engagement is not None and event.engagement.total_watch_time is not None:
        total = event.engagement.total_watch_time
        if 0 <= total <= progress.POSITION_MAX_S:
            state.watch_total_ms = float(total)


def seek_start(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """A seek, from its first `seeking`; scrubs close together are one."""
    del event
    mode = state.mode
    watched.cut(state, limits)
    if mode == PLAYING and state.recovered_from == SEEKING:
        if not progress.is_recovered(state, at, limits):
            stalls.relapse(state)
            state.seek_done = False
            return
        progress.confirm(state, limits)
    if mode == SEEKING:
        state.seek_done = False
        return
    if mode not in {PLAYING, REBUFFERING, PAUSED} and not (state.closed and state.content_started):
        return  # a seek before the first frame is part of the start; in a break it is the ad's
    state.seek_resumes = mode != PAUSED
    begun = at
    if mode == REBUFFERING and at - state.stall_since <= limits.side_effect_ms:
        begun = state.stall_since  # the seek's own `waiting` came first
        state.stall_since = NONE
        state.recovered_at = NONE
    else:
        progress.settle(state, at, limits)
    if (
        mode != PAUSED
        or state.seek_ended_at == NONE
        or (at - state.seek_ended_at > limits.seek_coalesce_ms)
    ):
        state.seeks += 1
    progress.reopen(state, at)
    intervals.switch(state, SEEKING, begun)
    state.seek_done = False


def seek_end(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The player found the place; the seek lasts until it plays on from there."""
    del event, limits
    if state.mode == SEEKING and not state.seek_done:
        progress.end_seek(state, at)
        state.position_at = at


def ended(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The content is over; a replay re-opens the view."""
    del event
    if state.mode == PAUSED and at - state.since <= limits.pause_side_effect_ms and state.pauses:
        state.pauses -= 1  # players pause as they end
        state.mode = PLAYING if state.content_started else STARTING
    close(state, at, limits, "ended")


def stop(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The viewer or the page ended the view; after its end or failure that changes nothing."""
    del event
    if not state.closed:
        close(state, at, limits, "stopped")


def close(state: ViewState, at: int, limits: Limits, how: str) -> None:
    """End the view as the client says."""
    if state.closed:
        return
    progress.settle(state, at, limits)
    watched.cut(state, limits)
    intervals.switch(state, IDLE, at)
    if how == "stopped":
        state.ad_awaited = ads.is_awaited(state)
    state.closed = how
    state.clean_end = True
    if how != "ended":
        state.in_break = False
        state.ad_running = False


def error(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """An error: fatal ones end the view, all others are warnings."""
    part = event.error
    fatal = event.event_type.lower() in _FATAL_NAMES or (part is not None and bool(part.fatal))
    if not fatal:
        state.warnings += 1
        return
    if state.closed == "failed":
        return  # players report one failure more than once
    state.errors += 1
    category = (part.category or "").lower() if part is not None else ""
    state.fatal_business = _is_business(category, part, limits)
    unnamed = "business" if state.fatal_business else "technical"
    state.fatal_category = category if category in _CATEGORIES else unnamed
    if part is not None:
        code = part.code or part.details or part.type or part.message or ""
        state.fatal_code = code[: limits.max_string]
    if state.closed not in {"", "failed"}:
        return
    if state.intent_at == NONE:
        state.intent_at = at
        state.since = at
    close(state, at, limits, "failed")


def _is_business(category: str, part: PlayerError | None, limits: Limits) -> bool:
    """Return whether the rules call a fatal error a business exception."""
    rules = any_of(limits.business_errors)
    if rules is None or part is None:
        return False
    most = limits.max_string
    texts = (category, part.code, part.type, part.details)
    return any(text and rules.match(text[:most]) for text in texts)


_CATEGORIES: Final = frozenset(("technical", "business", "content"))
_FATAL_NAMES: Final = frozenset(("playbackfail", "playback_fail", "fatal"))


def heartbeat(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """A sign of life; where it names a state, the view is put right."""
    name = event.state
    if not name or (state.closed and state.cmcd):
        return  # CMCD players go on reporting after the end
    handler = _BY_STATE.get(name)
    if handler is None:
        handler = _BY_STATE.get(name.lower())
        if handler is None:
            return
    if handler is playing:
        if state.mode == PLAYING:
            return
        if state.mode == SEEKING and not state.seek_done:
            state.seek_resumes = True
            progress.end_seek(state, at)
            return
    handler(state, event, at, limits)


def visibility(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Shown or hidden, for players that say it by the event's name."""
    del limits
    name = event.event_type.lower()
    if event.hidden is None and name in {"background", "foreground"}:
        hide(state, at, hidden=name == "background")


def hide(state: ViewState, at: int, *, hidden: bool) -> None:
    """Note that the page or app is hidden, or shown again."""
    if hidden != state.hidden:
        intervals.push(state, at)
        state.hidden = hidden


def nothing(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Kinds that change no state; what they carry was taken already."""
    del state, event, at, limits


_BY_STATE: Final[dict[str, Handler]] = {
    "playing": playing, "play": playing,
    "starting": play, "loading": play, "joining": play,
    "paused": pause, "pause": pause,
    "rebuffering": stalls.buffer_start, "buffering": stalls.buffer_start,
    "stalled": stalls.buffer_start, "waiting": stalls.buffer_start,
    "seeking": seek_start,
    "ad": ads.ad_progress,
    "ended": ended,
    "stopped": stop,
}  # fmt: skip

HANDLERS: Final[dict[str, Handler]] = {
    kinds.VIEW_INIT: startup.init,
    kinds.PLAYER_READY: startup.ready,
    kinds.PLAY: play,
    kinds.PLAYING: playing,
    kinds.PAUSE: pause,
    kinds.BUFFER_START: stalls.buffer_start,
    kinds.BUFFER_END: stalls.buffer_end,
    kinds.SEEK_START: seek_start,
    kinds.SEEK_END: seek_end,
    kinds.HEARTBEAT: heartbeat,
    kinds.STATE: heartbeat,
    kinds.VISIBILITY: visibility,
    kinds.PLAYER_ERROR: error,
    kinds.ENDED: ended,
    kinds.STOP: stop,
    kinds.AD_BREAK_START: ads.break_start,
    kinds.AD_BREAK_END: ads.break_end,
    kinds.AD_REQUEST: ads.request,
    kinds.AD_RESPONSE: ads.response,
    kinds.AD_START: ads.ad_start,
    kinds.AD_FIRST_QUARTILE: ads.ad_progress,
    kinds.AD_MIDPOINT: ads.ad_progress,
    kinds.AD_THIRD_QUARTILE: ads.ad_progress,
    kinds.AD_RESUME: ads.ad_progress,
    kinds.AD_PAUSE: ads.ad_pause,
    kinds.AD_END: ads.ad_end,
    kinds.AD_SKIP: ads.ad_skip,
    kinds.AD_ERROR: ads.ad_error,
    kinds.REQUEST: requests.take,
}

_FRAME: Final = frozenset((kinds.PLAYING, kinds.BUFFER_END))
_PROOFS: Final[dict[str, frozenset[str]]] = {
    STARTING: _FRAME | {kinds.AD_START, kinds.PLAYER_ERROR},
    REBUFFERING: _FRAME,
    SEEKING: _FRAME | {kinds.SEEK_END},
    AD: frozenset(kind for kind in kinds.ALL if kind.startswith("AD_")),
    AD_REBUFFERING: frozenset((kinds.BUFFER_END, *(k for k in kinds.ALL if k.startswith("AD_")))),
    PAUSED: frozenset(kinds.ALL),
}


def proves(mode: str, kind: str) -> bool:
    """Return whether an event of a kind proves that a silent mode lasted until it.

    A pause needs no sign of life; a stall ends with the event that ends it, however late.
    """
    return kind in _PROOFS.get(mode, ())
