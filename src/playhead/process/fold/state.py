"""The state of one view in the middle of its fold: everything needed to go on, nothing else.

All times are in the view's own clock (the client's, made steady: see `clockwork.py`), in ms; -1
means "none yet". Positions are seconds of content, -1 = unknown. The state is serialisable with
`msgspec.msgpack` and grows only within the limits of `Limits`.
"""

from copy import copy
from typing import Final

import msgspec

from playhead.model.states import State

IDLE: Final = State.IDLE.value
STARTING: Final = State.STARTING.value
PLAYING: Final = State.PLAYING.value
REBUFFERING: Final = State.REBUFFERING.value
SEEKING: Final = State.SEEKING.value
PAUSED: Final = State.PAUSED.value
AD: Final = State.AD.value
AD_REBUFFERING: Final = State.AD_REBUFFERING.value
UNKNOWN: Final = State.UNKNOWN.value

NONE: Final = -1
"""No such moment."""
SEQ_MAX: Final = 1 << 53
"""Largest whole number that every client's language can count to; more is no count."""
NOWHERE: Final = -1.0
"""No such position, no such number."""

Interval = tuple[str, int, int, float, float, float, int, str, float, float]
"""State, from, to (ms), position from, to (s), bitrate (kbit/s), height (px), CDN, scale (-1), rate."""


class Limits(msgspec.Struct, frozen=True):
    """Every bound and threshold of the fold, by name."""

    view_idle_ms: int = 3_600_000
    heartbeat_timeout_ms: int = 30_000
    hidden_heartbeat_timeout_ms: int = 150_000
    max_heartbeat_interval_ms: int = 600_000
    """A client may declare slower heartbeats, but no slower than this."""
    max_intervals: int = 2_000
    """Older intervals are summed up and leave the row; its totals stay right."""
    max_watched_ranges: int = 200
    """Beyond it the two ranges nearest to each other are joined."""
    max_custom_keys: int = 20
    max_string: int = 256
    max_events_missing: int = 1_000_000
    recovery_progress_ms: int = 500
    """A recovery with less progress is false: the stall goes on (metrics.md §3)."""
    stall_min_ms: int = 250
    """Least length of an inferred stall, and of a perceptible one."""
    stall_min_fraction: float = 0.1
    """Least share of missing progress between two reports: below it is jitter, not a stall."""
    side_effect_ms: int = 250
    """A `waiting` this short before a seek is the seek's own."""
    pause_side_effect_ms: int = 1_000
    """A pause this short before an ad break or the end is theirs."""
    seek_coalesce_ms: int = 1_000
    """Scrubs closer than this (while paused) are one seek."""
    abandon_score_ms: int = 1_000
    """Who leaves a start sooner than this gets no score."""
    internal_viewers: tuple[str, ...] = ()
    """Viewer ids whose views are marked internal; `*` stands for any text."""
    business_errors: tuple[str, ...] = ("business",)
    """Codes, categories, types or details of fatal errors that are business exceptions."""


class ViewState(msgspec.Struct, array_like=True):
    """One view so far. Made by `new_view`, changed only by `apply`."""

    view_id: str
    view_key: str
    # Book-keeping
    events: int = 0
    first_received_at: int = NONE
    received_at: int = NONE
    last_offset: int = NONE
    seq_count: int = 0
    seq_min: int = NONE
    seq_max: int = NONE
    # Clock
    last_at: int = NONE
    last_wall: int = NONE
    last_received_at: int = NONE
    """Receipt of the previous event in order (not the newest receipt)."""
    last_sample_ms: int = 0
    frame_ms: int = 0
    """Wall clock minus the view's clock at the last event."""
    mono_anchor: int = NONE
    mono_last: int = NONE
    offset_ms: int | None = None
    offset_sent: bool = False
    first_at: int = NONE
    heartbeat_ms: int = 0
    # Mode: the open segment
    mode: str = IDLE
    since: int = NONE
    since_position: float = NOWHERE
    closed: str = ""
    """`ended`, `stopped` or `failed` while the view is over, else empty."""
    clean_end: bool = False
    hidden: bool = False
    hidden_ms: int = 0
    rate: float = 1.0
    position: float = NOWHERE
    position_at: int = NONE
    progressed: bool = False
    """The playhead has been seen moving: only then can it be missed."""
    intervals: list[Interval] = []
    older: dict[str, float] = {}
    """Sums of intervals that left the list."""
    # Startup
    intent_at: int = NONE
    started: bool = False
    content_started: bool = False
    startup_ms: float = NOWHERE
    startup_declared: bool = False
    content_startup_ms: float = NOWHERE
    startup_apart_ms: int = 0
    """Time between intent and first frame that was no waiting: pauses, ads, hidden, suspended."""
    # Stalls and seeks
    stall_since: int = NONE
    stall_told_at: int = NONE
    """Start of the stall by the client's last word: what its duration counts from."""
    stalls: int = 0
    stalls_perceptible: int = 0
    recovered_at: int = NONE
    """A recovery not yet confirmed by progress: when, from what, where the playhead stood."""
    recovered_from: str = ""
    recovered_position: float = NOWHERE
    seeks: int = 0
    seek_done: bool = False
    seek_ended_at: int = NONE
    seek_resumes: bool = True
    """After the seek the player plays on (else it stays paused)."""
    pauses: int = 0
    watch_total_ms: float = 0.0
    # Ads
    in_break: bool = False
    break_named: bool = False
    """The break was opened by an event of its own, so only such an event ends it."""
    ad_running: bool = False
    ad_id: str = ""
    ad_breaks: int = 0
    ads: int = 0
    has_ad: bool = False
    # Picture
    bitrate_kbps: float = 0.0
    width: int = 0
    height: int = 0
    player_width: float = 0.0
    player_height: float = 0.0
    pixel_ratio: float = 1.0
    scale: float = NOWHERE
    upshifts: int = 0
    downshifts: int = 0
    dropped_before: float = 0.0
    dropped_last: float = NOWHERE
    decoded_before: float = 0.0
    decoded_last: float = NOWHERE
    latency_sum: float = 0.0
    latency_weight_ms: int = 0
    # Errors
    errors: int = 0
    warnings: int = 0
    fatal_code: str = ""
    fatal_category: str = ""
    # Content watched
    run_from: float = NOWHERE
    run_to: float = NOWHERE
    ranges: list[tuple[float, float]] = []
    content_played_s: float = 0.0
    # Dimensions
    property: str = ""
    session_id: str = ""
    viewer_id: str = ""
    anonymous_id: str = ""
    video_id: str = ""
    video_title: str = ""
    stream_type: str = ""
    duration_s: float = NOWHERE
    cdn: str = ""
    host: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    asn: int = 0
    as_org: str = ""
    device_class: str = ""
    context_device_class: str = ""
    device_model: str = ""
    os: str = ""
    os_version: str = ""
    context_os: str = ""
    context_os_version: str = ""
    browser: str = ""
    browser_version: str = ""
    context_browser: str = ""
    context_browser_version: str = ""
    player_name: str = ""
    player_version: str = ""
    connection_type: str = ""
    experiment: str = ""
    variant: str = ""
    autoplay: bool | None = None
    bot: bool = False
    internal: bool = False
    custom: dict[str, str] = {}
    # Stall time the client adds up itself (see `told.py`); what is new stands at the end, so that
    # a state stored before can still be read
    cmcd: bool = False
    """The view is known from CMCD reports: they tell states more loosely than an SDK."""
    told_ms: float = 0.0
    """All stalls of this view by the client's count."""
    told_checked_ms: float = 0.0
    told_lost_ms: float = 0.0
    """The part of it for which there was no playing time, or which was a seek."""
    told_base_ms: float = 0.0
    """The client's count when the view began: it counts on from content to content."""
    told_total_ms: float = 0.0
    told_at: int = NONE
    told_from: int = NONE
    told_seq: int = NONE
    fatal_business: bool = False
    """The fatal error is a business exception, by the rules of `Limits`."""
    media_rate: float = 1.0
    """Playback rate of the open segment."""
    # Start-up in parts (see `startup.py`)
    init_at: int = NONE
    page_load_ms: float = NOWHERE
    player_startup_ms: float = NOWHERE
    player_startup_told: bool = False
    drm_ms: float = NOWHERE
    # Ads asked for
    ad_awaited: bool = False
    """An ad was asked for, or a break begun, and no ad has shown a frame or failed since."""
    ad_requests: int = 0
    ad_errors: int = 0
    ad_startup_errors: int = 0
    ads_completed: int = 0
    ads_skipped: int = 0
    ad_requested_at: int = NONE
    ad_answered_at: int = NONE
    preroll_requests: int = 0
    preroll_startup_ms: float = NOWHERE
    preroll_request_ms: float = NOWHERE
    preroll_load_ms: float = NOWHERE
    # Requests
    requests: int = 0
    requests_failed: int = 0
    request_bytes: float = 0.0
    request_ms: float = 0.0
    ttfb_ms: float = 0.0
    ttfb_count: int = 0
    ttfb_max_ms: float = 0.0


def new_view(view_id: str, view_key: str) -> ViewState:
    """Return the state of a view of which nothing is known yet."""
    return ViewState(view_id=view_id, view_key=view_key)


def fork(state: ViewState) -> ViewState:
    """Return an independent copy: what is applied to one is not seen by the other."""
    twin = copy(state)
    twin.intervals = state.intervals.copy()
    twin.ranges = state.ranges.copy()
    twin.custom = state.custom.copy()
    twin.older = state.older.copy()
    return twin
