"""The canonical event: what every door decodes into and every fold reads.

The field names are the wire's (camel case outside, snake case here), so the telemetry door needs
no translation: one typed decode validates, and the same decode in the worker gives the event.
"""

from typing import Any

import msgspec


class Part(
    msgspec.Struct,
    rename="camel",
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,  # as `Event`
):
    """A group of optional fields of an event."""


class Quality(Part):
    """The rendition on screen. `bitrate_kbps` is the manifest's, in kbit/s; sizes in pixels."""

    bitrate_kbps: float | None = None
    resolution: str | None = None
    width: float | None = None
    height: float | None = None
    codec: str | None = None
    fps: float | None = None


class Buffering(Part):
    """A stall the client timed itself, in its own clock (ms since 1970)."""

    started_at: int | None = None
    ended_at: int | None = None
    duration_ms: float | None = None
    total_ms: float | None = None
    """All stalls since the view began, by the client's own count."""


class Network(Part):
    """What the browser's Network Information API says."""

    downlink_mbps: float | None = None
    rtt_ms: float | None = None
    effective_type: str | None = None


class Device(Part):
    """What the client says it runs on. `category` is a device class of `collect/device.py`."""

    category: str | None = None
    model: str | None = None
    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    screen_width: float | None = None
    screen_height: float | None = None
    pixel_ratio: float | None = None


class PlayerStats(Part):
    """Running totals of the player (frames since the view began) and its size in CSS pixels."""

    decoded_frames: float | None = None
    dropped_frames: float | None = None
    fps: float | None = None
    buffer_length_sec: float | None = None
    width: float | None = None
    height: float | None = None
    throughput_kbps: float | None = None


class Engagement(Part):
    """Running totals of the client's own clock, in ms; they move only at a pause."""

    total_watch_time: float | None = None
    total_pause_time: float | None = None
    interaction_count: float | None = None


class PlayerError(Part):
    """A playback error. `category` is technical, business or content; unknown is technical."""

    type: str | None = None
    details: str | None = None
    code: str | None = None
    message: str | None = None
    category: str | None = None
    fatal: bool = False


class Ad(Part):
    """An advertisement. `position` is preroll, midroll or postroll."""

    id: str | None = None
    position: str | None = None
    pod_index: int | None = None
    duration_sec: float | None = None


class Hop(Part):
    """What one server on the way said of a response (CMSD-Dynamic, CTA-5006)."""

    name: str | None = None
    throughput_kbps: float | None = None
    max_bitrate_kbps: float | None = None
    rtt_ms: float | None = None
    delay_ms: float | None = None
    duress: bool | None = None


class Request(Part):
    """One media request of the player, times in ms from its start. `status` 0 = no response."""

    kind: str | None = None
    host: str | None = None
    cdn: str | None = None
    status: int | None = None
    bytes: float | None = None
    ttfb_ms: float | None = None
    total_ms: float | None = None
    bitrate_kbps: float | None = None
    url: str | None = None
    """Without its parameters: they hold tokens."""
    body_ms: float | None = None
    """To the first byte of the body."""
    object_ms: float | None = None
    """How much content the object holds."""
    hops: list[Hop] | None = None
    cmsd: str | None = None
    """The response's CMSD-Dynamic as it came; the telemetry door reads it into `hops`."""


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One thing that happened in one player.

    `timestamp` and `sent_at` are ms since 1970 of the client's clock, `monotonic_ms` counts from
    the start of the view, `seq` from 0 within the view. Unknown fields of the wire are in `extra`.

    The cyclic collector does not look at events: what came as JSON holds no cycles.
    """

    event_type: str = msgspec.field(name="eventType")
    timestamp: int
    event_id: str | None = msgspec.field(name="eventId", default=None)
    viewer_id: str | None = msgspec.field(name="viewerId", default=None)
    session_id: str | None = msgspec.field(name="sessionId", default=None)
    view_id: str | None = msgspec.field(name="viewId", default=None)
    seq: int | None = None
    playback_position_sec: float | None = msgspec.field(name="playbackPositionSec", default=None)
    sent_at: int | None = msgspec.field(name="sentAt", default=None)
    monotonic_ms: float | None = msgspec.field(name="monotonicMs", default=None)
    state: str | None = None
    startup_ms: float | None = msgspec.field(name="startupMs", default=None)
    video_id: str | None = msgspec.field(name="videoId", default=None)
    video_title: str | None = msgspec.field(name="videoTitle", default=None)
    stream_type: str | None = msgspec.field(name="streamType", default=None)
    duration_sec: float | None = msgspec.field(name="durationSec", default=None)
    cdn: str | None = None
    host: str | None = None
    player_name: str | None = msgspec.field(name="playerName", default=None)
    player_version: str | None = msgspec.field(name="playerVersion", default=None)
    experiment: str | None = None
    variant: str | None = None
    playback_rate: float | None = msgspec.field(name="playbackRate", default=None)
    live_latency_ms: float | None = msgspec.field(name="liveLatencyMs", default=None)
    heartbeat_interval_ms: float | None = msgspec.field(name="heartbeatIntervalMs", default=None)
    hidden: bool | None = None
    autoplay: bool | None = None
    report_seq: int | None = msgspec.field(name="reportSeq", default=None)
    """Number of the report within its own channel (CMCD `sn`): orders, but identifies nothing."""
    page_load_ms: float | None = msgspec.field(name="pageLoadMs", default=None)
    """Navigation to the page to the player's creation; told by the first view of a page."""
    player_startup_ms: float | None = msgspec.field(name="playerStartupMs", default=None)
    """The player's creation to its being ready."""
    drm_ms: float | None = msgspec.field(name="drmMs", default=None)
    """From the first request for a key to its being usable."""
    quality: Quality | None = None
    buffering: Buffering | None = None
    network: Network | None = None
    device: Device | None = None
    player: PlayerStats | None = None
    engagement: Engagement | None = None
    error: PlayerError | None = None
    ad: Ad | None = None
    request: Request | None = None
    custom: dict[str, Any] | None = None
    retry_count: int | None = msgspec.field(name="_retryCount", default=None)
    extra: dict[str, Any] | None = None


class Context(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What only the door knows of a batch: where it came from and for whom. Never an address."""

    property: str = "default"
    country: str = ""
    region: str = ""
    city: str = ""
    asn: int = 0
    as_org: str = ""
    device_class: str = ""
    os: str = ""
    os_version: str = ""
    browser: str = ""
    browser_version: str = ""
    bot: bool = False
    internal: bool = False
    anonymous_id: str = ""
    """Daily salted hash of address and user agent; used only where an event names nobody."""


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """One event of a batch that did not pass: its index, the drop's or fault's code, a sentence.

    `dropped` events are gone on purpose (a named reason); the others go to quarantine.
    """

    index: int
    code: str
    message: str
    dropped: bool = False

    def moved_to(self, index: int) -> "Refusal":
        """Return the same refusal of an event that stands elsewhere."""
        return Refusal(index, self.code, self.message, self.dropped)

    def told(self) -> dict[str, int | str]:
        """Return what its sender is told of it."""
        return {"index": self.index, "code": self.code, "message": self.message}


class Rows(msgspec.Struct, frozen=True, array_like=True):
    """Says that a record holds rows of a table: each line of its body a JSON array, in this order.

    The loader puts `event_row.ROW_COLUMNS` before them. A line that is a JSON string was refused.
    """

    table: str
    columns: tuple[str, ...]


class Into(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Says that a record holds rows of a project's data source; see `project/routes.py`.

    Each line of the body is a row as an insert takes it, in the columns of the shape; or, with
    `form`, the body is a piece of an imported file as it came.
    """

    datasource: str
    shape: str
    workspace: str = ""
    """"" = the main one."""
    quarantine: bool = False
    """The rows are refused ones, for the data source's quarantine."""
    job: str = ""
    """The import they belong to."""
    chunk: int = -1
    """Which piece of the import."""
    form: str = ""
    """"csv" or "ndjson": the body is a raw piece of a file; "" = it holds made rows."""
    columns: tuple[str, ...] = ()
    """Of a raw piece of CSV: its columns, in order; () = as the data source's."""
    dialect: tuple[str, str] = (",", "")
    """Of a raw piece of CSV: delimiter and escape character, "" = none."""
    place: str = ""
    """The database whose table of the data source's name takes the rows instead of where they
    belong otherwise: a replacement is loaded beside."""


class Meta(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """The meta column of a log record: the context and the refused events of its batch."""

    context: Context = Context()
    refused: tuple[Refusal, ...] = ()
    rows: Rows | None = None
    """None: the body is a JSON array of events, or what `into` says."""
    into: Into | None = None
    """Rows of a project's data source."""
    source: str = ""
    """What the sender named at the door: a log format, a data source."""
    retried: tuple[tuple[int, int], ...] = ()
    """Offset and index of the quarantined rows that this record takes up again."""
    idempotency: str = ""
    """The request's `Idempotency-Key`, hashed with its sender and door; see `collect/idempotency.py`."""
