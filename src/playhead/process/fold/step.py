"""One step of the fold: the next event of a view, in order."""

from typing import Final

from playhead.model import kinds
from playhead.model.event import Event, PlayerStats
from playhead.model.event_row import Stored
from playhead.process.fold import (
    clockwork,
    dimensions,
    intervals,
    picture,
    playback,
    progress,
    startup,
    told,
)
from playhead.process.fold.state import (
    NONE,
    PLAYING,
    SEEKING,
    SEQ_MAX,
    STARTING,
    Limits,
    ViewState,
    new_view,
)

CMCD: Final = "cmcd"
"""The door whose events are a second witness where another door tells of the same view."""
_BEFORE: Final = {
    kind: rank
    for rank, kind in enumerate((
        kinds.VIEW_INIT, kinds.PLAYER_READY, kinds.SEEK_START, kinds.PAUSE, kinds.AD_BREAK_START,
        kinds.AD_REQUEST, kinds.AD_RESPONSE, kinds.AD_START, kinds.PLAY, kinds.BUFFER_START,
        kinds.SEEK_END, kinds.BUFFER_END, kinds.PLAYING, kinds.AD_SKIP, kinds.AD_END,
        kinds.AD_BREAK_END,
    ))
}  # fmt: skip
_LAST: Final = {kinds.PLAYER_ERROR: 90, kinds.ENDED: 91, kinds.STOP: 92}
_RANKS: Final = {kind: _LAST.get(kind, _BEFORE.get(kind, 50)) for kind in kinds.ALL}
_DECLARES: Final = frozenset((kinds.BUFFER_START, kinds.BUFFER_END))
_NO_PICTURE: Final = frozenset(("ad", "ad_rebuffering"))


def order_key(stored: Stored) -> tuple[int, float, int, int, int]:
    """Return the place of an event within its view: a total order.

    `seq`, else `monotonicMs`, else timestamp. Events numbered by `seq` come first, then those
    with only a monotonic time, then the rest: one key per event cannot compare two different
    scales, a client uses one scale for all its events, and a stray event without number (a
    server's, a late beacon's) does least harm at the end. Events of the same moment stand in the
    order players raise them (start before end, errors and ends last), then by identity.
    Without a view id only the timestamp counts: both other scales begin anew with every view of
    the session.
    CMCD reports of a named view are classes of their own after all others, in the order of their
    report numbers: their timestamps are known to run backwards.
    """
    event = stored.event
    rank = _RANKS[kinds.kind_of(event.event_type)]
    if event.view_id:
        if stored.door == CMCD:
            number = event.report_seq
            if number is not None and 0 <= number < SEQ_MAX:
                return (3, number, event.timestamp, rank, stored.identity)
            return (4, event.timestamp, 0, rank, stored.identity)
        seq = event.seq
        if seq is not None and 0 <= seq < SEQ_MAX:
            return (0, seq, event.timestamp, rank, stored.identity)
        mono = event.monotonic_ms
        if mono is not None:
            return (1, mono, event.timestamp, rank, stored.identity)
    return (2, event.timestamp, 0, rank, stored.identity)


def apply(state: ViewState, stored: Stored, limits: Limits) -> None:
    """Apply the next event in order (see `order_key`); each event of a view once."""
    event = stored.event
    kind = kinds.kind_of(event.event_type)
    received_at = stored.received_at
    suspended = clockwork.tick(state, event, received_at, limits)
    at = state.last_wall - state.frame_ms
    last_at = state.last_at
    if last_at == NONE:
        _first(state, stored, at, limits)
        last_at = at
    gap = at - last_at
    _count(state, stored)
    position = event.playback_position_sec
    if gap > limits.heartbeat_timeout_ms or suspended:
        _bridge(state, event, kind, at, suspended=suspended, limits=limits)
    if event.live_latency_ms is not None:
        picture.take_latency(state, event.live_latency_ms, gap, limits)
    infer = kind not in _DECLARES
    rate = event.playback_rate
    if rate is not None and rate != state.rate and 0 < rate <= progress.RATE_MAX:
        _change_rate(state, position, float(rate), at, limits)
        position = None
    if position is not None and not (state.closed and state.cmcd and _is_zombie(state, event, at)):
        # The position that ends a seek is where it went to, and proves nothing.
        take = (
            progress.land if kind == kinds.SEEK_END and state.mode == SEEKING else progress.observe
        )
        take(state, position, at, limits, infer=infer)
    if event.hidden is not None and bool(event.hidden) != state.hidden:
        playback.hide(state, at, hidden=bool(event.hidden))
    handler = playback.HANDLERS.get(kind)
    if handler is not None:
        handler(state, event, at, limits)
    if event.buffering is not None:
        told.take(state, event, at, limits)
    if event.startup_ms is not None and not state.startup_declared:
        _declare_startup(state, event, at, limits)
    if (
        event.page_load_ms is not None
        or event.player_startup_ms is not None
        or event.drm_ms is not None
    ):
        startup.take(state, event)
    _attributes(state, event, at, limits)
    dimensions.take(state, event, limits)
    if dimensions.is_new(state, stored.context):
        dimensions.take_context(state, stored.context, limits)
    if len(state.intervals) > limits.max_intervals:
        intervals.compact(state, limits)
    state.last_at = at


def _change_rate(
    state: ViewState, position: float | None, rate: float, at: int, limits: Limits
) -> None:
    """Take another rate, and a report that spans both rates: the faster one bounds it."""
    if position is not None:
        state.rate = max(rate, state.rate)
        progress.observe(state, position, at, limits, infer=False)
    state.rate = rate
    if state.mode == PLAYING:
        intervals.push(state, at)
    state.media_rate = rate


def _first(state: ViewState, stored: Stored, at: int, limits: Limits) -> None:
    state.last_at = at
    state.since = at
    state.first_at = at
    state.cmcd = stored.door == CMCD
    dimensions.take_context(state, stored.context, limits)


def _is_zombie(state: ViewState, event: Event, at: int) -> bool:
    """Return whether a position told after the end proves nothing: players report on after it.

    The first one only says where the playhead stands now; progress counts from there.
    """
    if event.state in _OVER:
        return True
    if state.position_at >= state.since:
        return False
    position = event.playback_position_sec
    if position is not None and 0 <= position <= progress.POSITION_MAX_S:
        state.position = float(position)
        state.position_at = at
    return True


_OVER: Final = frozenset(("ended", "stopped", "failed"))


def _count(state: ViewState, stored: Stored) -> None:
    """Count the event; all of it independent of order."""
    state.events += 1
    received_at = stored.received_at
    if received_at > state.received_at:  # noqa: PLR1730  `max` costs twice as much, per event
        state.received_at = received_at
    if state.first_received_at == NONE or received_at < state.first_received_at:
        state.first_received_at = received_at
    if stored.offset > state.last_offset:  # noqa: PLR1730  the same
        state.last_offset = stored.offset
    seq = stored.event.seq
    if seq is not None and 0 <= seq < SEQ_MAX and stored.event.view_id:
        state.seq_count += 1
        if seq > state.seq_max:  # noqa: PLR1730  the same
            state.seq_max = seq
        if state.seq_min == NONE or seq < state.seq_min:
            state.seq_min = seq


def _bridge(
    state: ViewState, event: Event, kind: str, at: int, *, suspended: int, limits: Limits
) -> None:
    """Account for a silence and for suspended time before the event."""
    if suspended:
        awake = max(state.last_at, at - suspended)
        timeout = clockwork.timeout_ms(state, limits)
        start = min(awake, state.last_at + timeout)
        if state.mode == STARTING:
            state.startup_apart_ms += at - start
        intervals.insert_unknown(state, start, at)
        state.position_at = at
        return
    timeout = clockwork.timeout_ms(state, limits)
    if at - state.last_at <= timeout:
        return
    position = event.playback_position_sec
    if position is not None and not 0 <= position <= progress.POSITION_MAX_S:
        position = None
    proved = playback.proves(state.mode, kind) or (
        state.mode == STARTING and event.startup_ms is not None
    )
    progress.bridge(state, at, position, timeout=timeout, proved=proved, limits=limits)


def _declare_startup(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The client's own startup time wins, and proves a first frame."""
    startup_ms = event.startup_ms
    if startup_ms is None or not 0 <= startup_ms <= playback.STARTUP_MAX_MS:
        return
    if state.closed or (state.in_break and not state.started):
        return
    if not state.started:
        playback.playing(state, event, at, limits)
    if state.started:
        state.startup_declared = True
        state.startup_ms = float(startup_ms)
        if not state.content_started:
            state.preroll_startup_ms = float(startup_ms)
        if not state.has_ad and state.content_started:
            state.content_startup_ms = float(startup_ms)


def _attributes(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Take the picture's attributes; inside an ad they are the ad's and not counted."""
    if event.heartbeat_interval_ms is not None:
        clockwork.declare_heartbeat(state, event.heartbeat_interval_ms, limits)
    if event.cdn or event.request is not None:
        picture.take_cdn(state, event, at, limits)
    if event.quality is not None and state.mode not in _NO_PICTURE:
        picture.take_quality(state, event.quality, at)
    stats = event.player
    if stats is not None:
        picture.take_frames(state, stats)
        ratio = event.device.pixel_ratio if event.device is not None else None
        if ratio is not None or stats.width is not None or stats.height is not None:
            picture.take_size(state, stats, ratio, at)
    elif event.device is not None and event.device.pixel_ratio is not None:
        picture.take_size(state, _NO_STATS, event.device.pixel_ratio, at)


_NO_STATS: Final = PlayerStats()


def cuts(state: ViewState, stored: Stored, limits: Limits) -> bool:
    """Return whether an event would start a new view, for views cut out of sessions.

    It does after `view_idle_ms` without event, or with another video than the view's.
    """
    if state.last_at == NONE:
        return False
    video = stored.event.video_id
    if video and state.video_id and video[: limits.max_string] != state.video_id:
        return True
    return stored.event.timestamp - state.last_wall >= limits.view_idle_ms


def cuts_content(state: ViewState, stored: Stored, limits: Limits) -> bool:
    """Return whether an event would start a new view in a CMCD session: with another video."""
    video = stored.event.video_id
    known = state.video_id
    return bool(video and known and video[: limits.max_string] != known)


def successor(state: ViewState, view_id: str) -> ViewState:
    """Return the fresh state of the view that follows in the same key."""
    following = new_view(view_id, state.view_key)
    if state.cmcd:
        following.told_base_ms = following.told_total_ms = state.told_total_ms
    return following


def cut_off(state: ViewState, stored: Stored, limits: Limits) -> None:
    """End a view because the next event of its session starts another one.

    Its last state lasts until that event, at most the heartbeat timeout. Nobody said that the view
    ended, so it has no clean end.
    """
    if state.closed:
        return
    until = state.last_at + clockwork.timeout_ms(state, limits)
    following = max(state.last_at, stored.event.timestamp - state.frame_ms)
    playback.close(state, min(until, following), limits, "stopped")
    state.clean_end = False
