"""Ads: a break stops the content clock; its stalls are counted apart.

Before the first content frame a break is a pre-roll: the startup ends with the first ad frame, the
content's startup goes on after it, ad time taken out.
"""

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
    """End or skip one ad; a break that no event opened ends with it."""
    del event
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
    state.ad_id = ""
    if state.in_break:
        leave(state, at, limits)


def ad_error(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """An ad that failed costs a warning, never the view."""
    state.warnings += 1
    if state.ad_running:
        ad_end(state, event, at, limits)


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
        if not state.startup_declared:
            waited = at - state.intent_at - state.startup_apart_ms
            state.startup_ms = float(max(0, waited))


def leave(state: ViewState, at: int, limits: Limits) -> None:
    """Go back from the break to what it interrupted."""
    del limits
    state.in_break = False
    state.break_named = False
    state.ad_running = False
    if state.closed:
        mode = IDLE
    elif state.content_started:
        mode = PLAYING
        state.position_at = at
    else:
        mode = STARTING
    if state.mode != mode:
        intervals.switch(state, mode, at)
