"""The view row: one attempt to play one video, as a row of the `views` table.

Fields stand in the order of the table's columns (a test compares the two). Times are UTC
milliseconds, durations milliseconds, positions seconds of content. `None` = no such value.
"""

import msgspec

FOLD_VERSION = 3
SCORE_VERSION = 1


class ViewRow(msgspec.Struct, kw_only=True, array_like=True):
    """A view as the store keeps it; encoded as a JSON array, one element a column."""

    # Who and what
    view_id: str
    view_key: str
    """Unit of the fold: property and the client's view id, else property and session."""
    property: str
    session_id: str
    viewer_id: str
    video_id: str
    video_title: str
    stream_type: str
    """`vod`, `live` or empty."""
    duration_s: float | None
    # When
    first_seen_day: str
    """Receipt day (UTC, ISO) of the first event; the partition; never changes."""
    started_at: int
    ended_at: int
    """End of the last interval."""
    last_event_at: int
    live_until: int
    """Until when the last interval may be prolonged while no event comes."""
    received_at: int
    """Receipt of the newest event."""
    status: str
    final: bool
    clean_end: bool
    """The client said so itself (ended, stop or fatal error); False = dropped view."""
    # Startup
    startup_ms: float | None
    """Play intent to first frame with progress (with a pre-roll: first ad frame)."""
    content_startup_ms: float | None
    """The same to the first content frame, ad time taken out."""
    page_load_ms: float | None = None
    """Navigation to the page to the player's creation, as the client tells it."""
    player_startup_ms: float | None = None
    """The player's creation to its being ready: told, else `VIEW_INIT` to `PLAYER_READY`."""
    aggregate_startup_ms: float | None = None
    """Page load + player startup + startup: only of views for which a page was loaded."""
    drm_ms: float | None = None
    """Time to get the key, as the client tells it."""
    exit_before_start: bool
    startup_failed: bool
    startup_failed_business: bool
    playback_failed: bool
    playback_failed_business: bool
    # Time spent, ms of wall time
    playing_ms: float
    watch_ms: float
    """starting + playing + rebuffering + seeking (ads included); pause is not."""
    starting_ms: float
    rebuffer_count: int
    rebuffer_perceptible_count: int
    rebuffer_ms: float
    rebuffer_max_ms: float = 0.0
    """The longest stall."""
    seek_count: int
    seek_ms: float
    seek_latency_max_ms: float | None = None
    """The longest time from seeking to the picture moving again."""
    pause_count: int
    pause_ms: float
    ad_break_count: int
    ad_count: int
    ad_ms: float
    ad_rebuffer_ms: float
    ad_request_count: int = 0
    ad_error_count: int = 0
    ad_startup_error_count: int = 0
    """Ad errors before the ad's first frame."""
    ad_exit_before_start_count: int = 0
    """1 = left in a requested ad break before the first frame of an ad."""
    ad_complete_count: int = 0
    ad_skip_count: int = 0
    preroll_request_count: int = 0
    """Ad requests before the first frame of all."""
    preroll_startup_ms: float | None = None
    """Play intent to the first pre-roll frame."""
    preroll_request_ms: float | None = None
    """The first ad request to the first response."""
    preroll_load_ms: float | None = None
    """That response to the first pre-roll frame."""
    hidden_ms: float
    unknown_ms: float
    # Picture
    bitrate_kbps: float | None
    """Weighted by playing time with a known bitrate."""
    bitrate_weight_ms: float
    """That playing time."""
    peak_bitrate_kbps: float | None = None
    """The highest rendition that played."""
    bits_played: float = 0.0
    """Bitrate by media seconds, summed up: kbit (CTA-2066)."""
    media_s: float = 0.0
    """Those media seconds: playing time with a known bitrate, by the playback rate."""
    upshifts: int
    downshifts: int
    upscale_avg: float | None
    upscale_max: float | None
    downscale_avg: float | None
    downscale_max: float | None
    scale_weight_ms: float
    dropped_frames: float | None
    decoded_frames: float | None
    live_latency_ms: float | None
    """Weighted by playing time."""
    live_latency_weight_ms: float
    # Media requests of the player
    request_count: int = 0
    request_failed_count: int = 0
    """Status 400 and above, or no response."""
    request_bytes: float = 0.0
    """Of answered requests whose time is known."""
    request_ms: float = 0.0
    """That time, summed up."""
    request_ttfb_ms: float = 0.0
    """Times to the first byte, summed up."""
    request_ttfb_count: int = 0
    """How many of them."""
    request_ttfb_max_ms: float | None = None
    # Errors
    errors: int
    warnings: int
    fatal_error_code: str
    fatal_error_category: str
    # Scores 0..100
    score: float | None
    score_success: float | None
    score_startup: float | None
    score_smooth: float | None
    score_quality: float | None
    score_version: int
    # Dimensions
    cdn: str
    host: str
    country: str
    region: str
    city: str
    asn: int
    as_org: str
    device_class: str
    device_model: str
    os: str
    os_version: str
    browser: str
    browser_version: str
    player_name: str
    player_version: str
    connection_type: str
    experiment: str
    variant: str
    has_ad: bool
    autoplay: bool | None
    bot: bool
    internal: bool
    custom: dict[str, str]
    # Content watched: from-to in seconds of content, merged, sorted
    watched_from_s: list[float]
    watched_to_s: list[float]
    content_played_s: float
    """Seconds of content played, repeats counted each time."""
    # State intervals, adjacent equal ones merged
    interval_state: list[str]
    interval_from: list[int]
    interval_to: list[int]
    interval_position_from_s: list[float]
    """-1 = unknown."""
    interval_position_to_s: list[float]
    interval_bitrate_kbps: list[float]
    """0 = unknown."""
    interval_height: list[int]
    interval_cdn: list[str]
    # Book-keeping
    events: int
    events_missing: int
    """Gaps in `seq`."""
    duplicates: int
    clock_offset_ms: int
    """Added to the client's clock."""
    fold_version: int
    last_offset: int
    """Newest log offset applied."""
    version: int
    """fold_version·2^58 + as_of_ms·2^16 + (events mod 2^16): the newest row wins."""
    state: str
    """The fold's own state (base64 of zstd of MessagePack) while the view is open; empty when final."""


COLUMNS: tuple[str, ...] = ViewRow.__struct_fields__


def version_of(as_of_ms: int, events: int, fold_version: int = FOLD_VERSION) -> int:
    """Return a row version that grows with the fold's version, then log time, then events."""
    return (fold_version << 58) + (as_of_ms << 16) + (events & 0xFFFF)


def as_of_ms(version: int) -> int:
    """Return the log time (UTC ms) in a row version."""
    return (version & (1 << 58) - 1) >> 16
