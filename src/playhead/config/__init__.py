"""The settings. Every limit of the product has its name here; units are the last word of a name."""

from pathlib import Path

import msgspec

GIB = 1 << 30
MIB = 1 << 20


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; an unknown key is an error, not a surprise."""


class Server(_Section, frozen=True):
    """Where the one port listens."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every interface."""
    port: int = 8700
    """The one port; 0 takes a free one."""
    base_path: str = ""
    """Path prefix when a proxy serves Playhead below one."""
    shutdown_ms: int = 8_000
    """How long a stop may take before the rest is cut off."""


class Data(_Section, frozen=True):
    """Where everything is kept."""

    dir: str = "playhead-data"
    """The data folder; everything is below it."""


class Collect(_Section, frozen=True):
    """The telemetry doors."""

    require_key: bool = False
    """Refuse telemetry without a write key. Off by default: a key in a page is public anyway."""
    default_property: str = "default"
    """The property of events sent without a write key."""
    allowed_origins: tuple[str, ...] = ("*",)
    """Origins whose pages may send; `*` is any."""
    max_body_bytes: int = 1 * MIB
    """Largest request body as sent."""
    max_decompressed_bytes: int = 8 * MIB
    """Largest request body after decompression."""
    max_events_per_request: int = 2_000
    """Most events in one request."""
    max_json_depth: int = 32
    """Deepest nesting of a body."""
    requests_per_minute_per_address: int = 0
    """Requests per address and minute; 0 is no limit."""
    max_addresses_tracked: int = 100_000
    """Most addresses the rate limit remembers."""
    body_timeout_ms: int = 10_000
    """How long a client may take to send its body."""
    max_event_age_ms: int = 7 * 86_400_000
    """Older events are dropped (`too_old`)."""
    max_event_ahead_ms: int = 60_000
    """Events further in the future are dropped (`too_far_ahead`)."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Peers whose forwarding and geography headers are believed; addresses or networks."""
    address_header: str = "x-forwarded-for"
    """Header in which a trusted proxy names the client."""
    country_headers: tuple[str, ...] = (
        "cf-ipcountry",
        "cloudfront-viewer-country",
        "x-country-code",
    )
    """Headers in which a trusted proxy names the country; the first present wins."""
    region_headers: tuple[str, ...] = ("cloudfront-viewer-country-region", "x-region-code")
    """The same for the region."""
    asn_headers: tuple[str, ...] = ("cloudfront-viewer-asn", "x-asn")
    """The same for the network (ASN)."""
    geo_file: str = ""
    """A MaxMind-format file for country, region and city."""
    asn_file: str = ""
    """A MaxMind-format file for the network (ASN)."""
    cdn_hosts: tuple[tuple[str, str], ...] = ()
    """Pairs of host suffix and CDN name, before the built-in table."""
    closed_doors: tuple[str, ...] = ()
    """Doors that take nothing (`cmcd`, `cdn`, `epas`, …); they answer 410, so that players stop."""
    max_log_body_bytes: int = 16 * MIB
    """Largest body of CDN log lines or rows as sent."""
    max_log_decompressed_bytes: int = 64 * MIB
    """The same after decompression."""
    max_log_age_ms: int = 3_650 * 86_400_000
    """Older CDN log lines and frames are dropped (`too_old`)."""
    log_path_patterns: tuple[str, ...] = ()
    """Regular expressions with groups `owner`, `video_id`, `rendition`, `segment`, `session`; tried before the built-in ones."""
    log_session_parameters: tuple[str, ...] = ("session", "sessionid", "session_id", "sid", "pbs")
    """Parameters of a logged request that name a session; the first present wins."""
    nginx_log_format: str = ""
    """The `log_format` of nginx access logs; empty is `combined`."""
    keep_addresses: bool = False
    """Keep client addresses of CDN logs. Off: they are dropped after the geo look-up."""
    idempotency_ms: int = 3_600_000
    """How long an `Idempotency-Key` is remembered."""
    wait_ms: int = 30_000
    """How long `/v0/events?wait=true` waits for the store; then it answers 202 instead of 200."""
    max_idempotency_keys: int = 100_000
    """Most keys remembered."""
    bot_views_per_minute: int = 120
    """More views begun a minute by one address and user agent mark a bot; 0 is no limit."""
    internal_networks: tuple[str, ...] = ()
    """Addresses and networks whose views are marked internal."""
    internal_viewers: tuple[str, ...] = ()
    """Viewer ids whose views are marked internal; `*` stands for any text."""
    internal_hosts: tuple[str, ...] = ()
    """Hosts of pages (Origin, Referer) whose views are marked internal; `*` stands for any text."""


class Log(_Section, frozen=True):
    """The durable log."""

    kind: str = "sqlite"
    """`sqlite`: segment files in the data folder."""
    segment_bytes: int = 1 * GIB
    """A segment is closed at this size."""
    segment_age_ms: int = 3_600_000
    """A segment is closed at this age."""
    retention_age_ms: int = 7 * 86_400_000
    """Segments behind the worker are removed beyond this age."""
    retention_bytes: int = 20 * GIB
    """Segments behind the worker are removed beyond this total size."""
    free_space_floor_bytes: int = 1 * GIB
    """Below this much free disk the doors answer 503 and loading waits."""
    max_batches_per_commit: int = 64
    """Most batches in one commit."""
    max_pending_batches: int = 4_096
    """Most batches waiting for the disk; beyond it 503."""
    max_pending_bytes: int = 64 * MIB
    """Most bytes waiting for the disk; beyond it 503."""
    idle_tick_ms: int = 10_000
    """How often an idle log carries time forward."""


class Process(_Section, frozen=True):
    """The fold and the loader."""

    view_idle_ms: int = 3_600_000
    """A view without events for this long is closed."""
    heartbeat_timeout_ms: int = 30_000
    """A state lasts at most this long past the last event, then it is unknown."""
    hidden_heartbeat_timeout_ms: int = 150_000
    """The same for a player in a hidden tab."""
    business_errors: tuple[str, ...] = ("business",)
    """Fatal errors that are business exceptions: patterns of their code, category, type or details;
    `*` stands for any text."""
    tail_ms: int = 60_000
    """How far back events are put in order in memory."""
    tail_events: int = 256
    """How many events are kept to put others in order."""
    max_tail_events: int = 100_000
    """Events kept in memory for ordering, all views together (about 2 kB each)."""
    max_events_per_view: int = 50_000
    """Events beyond this are dropped (`view_too_long`)."""
    max_open_views: int = 500_000
    """Most views in memory; beyond it the longest silent are closed."""
    batch_events: int = 50_000
    """Most events loaded at once."""
    batch_bytes: int = 64 * MIB
    """Most bytes of events loaded at once."""
    flush_ms: int = 200
    """The loader waits at least this long between two loads."""
    max_values_per_dimension: int = 10_000
    """Distinct values a dimension may have; the rest is counted as `other`."""
    event_retention_days: int = 30
    """Stored events are removed after this many days."""
    view_retention_days: int = 400
    """Views are removed after this many days."""
    rollup_days_per_round: int = 4
    """Closed days whose sums are made in one round of house-keeping (every ten minutes); 0 = none."""
    max_rollup_values: int = 5_000
    """A dimension with more values on a day is not summed for that day, but read from the views."""


class Store(_Section, frozen=True):
    """The store process."""

    kind: str = "embedded"
    """`embedded`, or `clickhouse` with a URL."""
    url: str = ""
    """URL of a ClickHouse server."""
    max_memory_bytes: int = 2 * GIB
    """Memory the engine may take in all."""
    max_query_memory_bytes: int = 1 * GIB
    """Memory one query may take."""
    max_concurrent_queries: int = 4
    """Queries that run at once."""
    max_waiting_queries: int = 64
    """Queries that may wait for their turn; beyond it 503."""
    max_wait_ms: int = 5_000
    """How long a query waits for its turn."""
    max_threads: int = 2
    """Threads of one query."""
    max_query_bytes: int = 1 * MIB
    """Longest text of one statement."""
    max_insert_bytes: int = 128 * MIB
    """Largest block inserted at once."""
    max_concurrent_inserts: int = 2
    """Blocks inserted at once."""
    max_waiting_inserts: int = 16
    """Blocks that may wait for their turn; beyond it 503."""
    insert_timeout_ms: int = 120_000
    """How long one insert may take."""
    command_timeout_ms: int = 600_000
    """How long one migration or removal of old data may take."""
    cache_bytes: int = 64 * MIB
    """Memory for the engine's own caches (marks and primary index), each."""


class Query(_Section, frozen=True):
    """The answers."""

    use_rollups: bool = True
    """Read closed days from their sums where there are any, instead of from the views."""
    timeout_ms: int = 10_000
    """How long one query may take; beyond it 408."""
    max_result_rows: int = 100_000
    """Most rows of one answer."""
    max_result_bytes: int = 64 * MIB
    """Most bytes of one answer."""
    max_rows_to_read: int = 2_000_000_000
    """Most rows one query may read."""
    max_groups: int = 1_000
    """Most groups of a breakdown."""
    max_buckets: int = 10_000
    """Most time buckets of an answer."""
    max_histogram_buckets: int = 200
    """Most buckets of values of a histogram."""
    max_series: int = 50
    """Most series of a grouped time series or live answer."""
    max_report_buckets: int = 500
    """Most time buckets of a report."""
    report_exact_views: int = 1_000_000
    """Views of a report and the period before it up to which medians are exact; beyond, within 1 %."""
    max_filters: int = 50
    """Most filters of one question."""
    max_page_rows: int = 500
    """Most view rows of one page."""
    max_events_shown: int = 5_000
    """Most events shown of one view."""
    max_live_minutes: int = 60
    """How far back a live answer may reach."""
    live_every_ms: int = 1_000
    """How often a live stream sends its newest numbers."""
    live_history_ms: int = 120_000
    """How long after a live stream broke off a listener still gets only what changed meanwhile."""
    live_stalled_ms: int = 30_000
    """A listener that takes nothing for this long is let go."""
    live_ping_ms: int = 15_000
    """A live stream with nothing to say for this long sends a comment."""
    max_listeners: int = 2_000
    """Most live streams open at once; beyond it 503."""
    max_live_questions: int = 20
    """Most different questions of live streams, each asked once however many listen; beyond it 503."""
    max_sessions: int = 10_000
    """Most browser sessions at once."""
    session_ms: int = 7 * 86_400_000
    """How long a browser session lasts."""
    max_troubles: int = 200
    """Most stalls, failures, slow startups and long seeks explained of one view."""
    max_exports: int = 2
    """Exports of views that may run at once; each holds one of the store's queries."""
    export_timeout_ms: int = 600_000
    """How long one export may take."""
    max_export_rows: int = 20_000_000
    """Most views of one export."""
    max_export_bytes: int = 16 * GIB
    """Most bytes of one export; a Parquet file may have `query.max_result_bytes`."""
    max_retention_points: int = 10_800
    """Most points of a retention curve; a longer title gets coarser ones."""
    min_retention_views: int = 5
    """Fewest views of a title for its drop-offs and hotspots, and to be compared with others."""
    similar_length_percent: int = 25
    """Titles are of similar length when theirs differs by no more than this."""
    min_similar_titles: int = 5
    """Fewest titles to compare a retention curve with."""
    max_similar_titles: int = 100
    """Most titles to compare a retention curve with; those with the most views are taken."""
    max_moments: int = 10
    """Most drop-offs, spikes, dips and parts shown of a retention curve, each."""
    min_insight_views: int = 50
    """Values with fewer views are left out of insights, unless `min_views` asks otherwise."""
    max_insight_metrics: int = 12
    """Most metrics of one question for insights."""
    max_insight_dimensions: int = 40
    """Most dimensions of one question for insights."""
    max_insight_pair_dimensions: int = 6
    """Of so many of the strongest dimensions pairs are looked at."""
    insight_pair_percent: int = 90
    """A pair is shown when its impact is at least this share of that of either of its parts."""
    max_parameter_bytes: int = 16_384
    """Longest query string."""
    requests_per_minute_per_token: int = 6_000
    """Requests per token and minute; 0 is no limit."""
    cache_ms: int = 5_000
    """How long an answer about a closed span is kept."""
    cache_open_ms: int = 500
    """The same where views may still change it; also the step in which `now` moves on."""
    cache_entries: int = 1_000
    """Most answers kept."""
    cache_bytes: int = 32 * MIB
    """Memory for answers kept."""
    good_startup_ms: float = 4_000
    """A good view starts within this time (`good_view_percentage` and its relatives)."""
    good_wait_ms: float = 5_000
    """Who leaves after waiting so long for the first frame had no good view; before, it is not judged."""
    good_rebuffer_percentage: float = 1
    """A good view stalls for at most this share of its playing, stalled and seeking time."""
    good_bitrate_tv_kbps: float = 2_500
    """A good view's average bitrate on televisions, set-top boxes and consoles; 0 asks for none."""
    good_bitrate_desktop_kbps: float = 1_200
    """The same on desktops, and where the device is not known."""
    good_bitrate_handheld_kbps: float = 600
    """The same on phones and tablets."""
    apdex_startup_ms: float = 2_000
    """Viewers are satisfied with a start within this time, tolerating within four times it."""
    apdex_rebuffer_percentage: float = 0.5
    """The same for the stalled share."""


class Config(_Section, frozen=True):
    """All settings, checked."""

    server: Server = Server()
    data: Data = Data()
    collect: Collect = Collect()
    log: Log = Log()
    process: Process = Process()
    store: Store = Store()
    query: Query = Query()

    @property
    def data_dir(self) -> Path:
        """Return the data folder as an absolute path."""
        return Path(self.data.dir).expanduser().absolute()
