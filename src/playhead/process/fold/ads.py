"""Ads: a break stops the content clock; its stalls are counted apart.

Before the first content frame a break is a pre-roll: the startup ends with the first ad frame, the
content's startup goes on after it, ad time taken out. An ad is awaited from its request, or from
the break's begin, to its first frame: a viewer who leaves meanwhile left because of it.
"""

from typing import Final

from playhead.model.event import Event
from playhead.process.fold import intervals, progress, watched
from playhead.process.fold.state import (
    AD,
    AD_REBUFFERING,
    IDLE,
    NONE,
    PAUSED,
    PLAYING,
    STARTING,
    Limits,
    ViewState,
)

_PREROLL: Final = frozenset(("", "preroll", "pre-roll", "pre"))
"""Positions of an ad, in small letters, that may stand before the content."""


def request(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The player asks for ads."""
    del limits
    state.ad_requests += 1
    state.ad_awaited = True
    if not state.started and _may_be_first(event):
        state.preroll_requests += 1
        if state.ad_requested_at == NONE:
            state.ad_requested_at = at


def response(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The ad server answers; of a pre-roll the first answer counts, whatever it held."""
    del limits
    if state.started or state.ad_answered_at != NONE or not _may_be_first(event):
        return
    state.ad_answered_at = at
    if state.ad_requested_at != NONE:
        state.preroll_request_ms = float(at - state.ad_requested_at)


def _may_be_first(event: Event) -> bool:
    position = "" if event.ad is None else event.ad.position or ""
    return position.lower() in _PREROLL


def is_awaited(state: ViewState) -> bool:
    """Return whether the viewer waits for an ad now, or left while waiting for it."""
    if not state.ad_awaited:
        return False  # an ad fetched ahead while the content plays keeps nobody waiting
    return state.closed == "stopped" or state.in_break or not state.content_started


def break_start(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Open an ad break by its own event."""
    del event
    _enter(state, at, limits)
    state.break_named = True


def ad_start(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Show an ad; players report the same one as `play`, `playing` and `impression`."""
    _enter(state, at, limits)
    _first_ad_frame(state, at)
    ident = event.ad.id[: limits.max_string] if event.ad is not None and event.ad.id else ""
    if not state.ad_running or (ident and state.ad_id and ident != state.ad_id):
        state.ads += 1
    state.ad_running = True
    state.ad_awaited = False
    state.ad_id = ident or state.ad_id
    if state.mode != AD:
        intervals.switch(state, AD, at)


def ad_progress(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """A quartile or a resume: the ad runs, whatever was said before."""
    if not state.ad_running:
        ad_start(state, event, at, limits)
    elif state.mode != AD:
        intervals.switch(state, AD, at)


def ad_pause(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Pause inside an ad: a pause like any other, the break stays open."""
    del event, limits
    if state.mode in {AD, AD_REBUFFERING}:
        intervals.switch(state, PAUSED, at)
        state.pauses += 1


def ad_end(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """One ad ran to its end."""
    del event
    state.ads_completed += state.ad_running
    _end_ad(state, at, limits)


def ad_skip(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The viewer skipped the ad; some players then say that it ended, too."""
    del event
    state.ads_skipped += state.ad_running
    _end_ad(state, at, limits)


def _end_ad(state: ViewState, at: int, limits: Limits) -> None:
    """Be done with one ad; a break that no event opened ends with it."""
    state.ad_running = False
    state.ad_id = ""
    if state.in_break and not state.break_named:
        leave(state, at, limits)
    elif state.mode in {AD_REBUFFERING, PAUSED} and state.in_break:
        intervals.switch(state, AD, at)


def break_end(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """End the break: back to the content, to its start, or to the end that came before."""
    del event
    state.ad_running = False
    state.ad_awaited = False
    state.ad_id = ""
    if state.in_break:
        leave(state, at, limits)


def ad_error(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """An ad that failed costs a warning, never the view."""
    del event
    state.warnings += 1
    state.ad_errors += 1
    state.ad_awaited = False
    if state.ad_running:
        _end_ad(state, at, limits)
    else:
        state.ad_startup_errors += 1


def _enter(state: ViewState, at: int, limits: Limits) -> None:
    if state.in_break:
        return
    if state.mode == PAUSED and at - state.since <= limits.pause_side_effect_ms and state.pauses:
        # Players pause the content for the break: the break's pause, not the viewer's.
        state.pauses -= 1
        state.mode = PLAYING if state.content_started else STARTING
    progress.settle(state, at, limits)
    watched.cut(state, limits)
    if state.intent_at == NONE:
        state.intent_at = at
        state.since = at
    state.in_break = True
    state.break_named = False
    state.ad_awaited = True
    state.has_ad = True
    state.ad_breaks += 1
    if state.started:
        intervals.switch(state, AD, at)
    elif state.mode == IDLE:
        intervals.switch(state, STARTING, at)


def _first_ad_frame(state: ViewState, at: int) -> None:
    if not state.started:
        state.started = True
        intervals.switch(state, AD, at)
        waited = float(max(0, at - state.intent_at - state.startup_apart_ms))
        if not state.startup_declared:
            state.startup_ms = waited
        state.preroll_startup_ms = waited
        if state.ad_answered_at != NONE:
            state.preroll_load_ms = float(at - state.ad_answered_at)


def leave(state: ViewState, at: int, limits: Limits) -> None:
    """Go back from the break to what it interrupted."""
    del limits
    state.in_break = False
    state.break_named = False
    state.ad_running = False
    state.ad_awaited = False
    if state.closed:
        mode = IDLE
    elif state.content_started:
        mode = PLAYING
        state.position_at = at
    else:
        mode = STARTING
    if state.mode != mode:
        intervals.switch(state, mode, at)
