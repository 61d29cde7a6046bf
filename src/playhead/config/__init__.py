"""The settings. Every limit of the product has its name here; units are the last word of a name."""

from pathlib import Path
from typing import Literal

from playhead.config.backup import Backup
from playhead.config.jobs import Jobs
from playhead.config.limits import Limits
from playhead.config.pipes import Pipes
from playhead.config.privacy import Privacy
from playhead.config.query import Query
from playhead.config.record import Record
from playhead.config.retention import Retention
from playhead.config.section import GIB, MIB, Section
from playhead.config.watch import Watch

__all__ = [
    "Backup",
    "Collect",
    "Config",
    "Data",
    "Jobs",
    "Limits",
    "Log",
    "Pipes",
    "Privacy",
    "Process",
    "Query",
    "Record",
    "Retention",
    "Server",
    "Store",
    "Watch",
]


class Server(Section, frozen=True):
    """Where the one port listens."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every interface."""
    port: int = 8700
    """The one port; 0 takes a free one."""
    base_path: str = ""
    """Path prefix when a proxy serves Playhead below one."""
    shutdown_ms: int = 8_000
    """How long a stop may take before the rest is cut off."""
    examples: bool = False
    """Serve a page for each player at `/examples`; `playhead demo` does unless this says otherwise."""
    tb_local: bool = False
    """Give the admin token to any program on this machine that asks at `/tokens`, as `tb --local` does."""


class Data(Section, frozen=True):
    """Where everything is kept."""

    dir: str = "playhead-data"
    """The data folder; everything is below it."""


class Collect(Section, frozen=True):
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
    requests_per_minute_per_address: int = 60_000
    """Requests per address and minute (`limits.burst_per_address` at once); 0 is no limit."""
    max_addresses_tracked: int = 100_000
    """Most addresses each rate limit remembers."""
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
    address_precision: Literal["network", "full"] = "network"
    """What is kept of an address, where it is: its network (/24 of IPv4, /48 of IPv6), or all of it."""
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


class Log(Section, frozen=True):
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


class Process(Section, frozen=True):
    """The fold and the loader."""

    niceness: int = 5
    """How far the worker stands back for the doors where processors are short (0 to 19): what came in
    waits in the log and loses nothing."""
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
    """Stored events are removed after this many days, not before `collect.max_event_age_ms`; 0 is never."""
    view_retention_days: int = 400
    """Views are removed after this many days; 0 is never."""
    rollup_days_per_round: int = 4
    """Closed days whose sums are made in one round of house-keeping (every ten minutes); 0 = none.

    As many sums of weeks and of four weeks are put together beside them.
    """
    max_rollup_values: int = 5_000
    """A dimension with more values on a day is not summed for that day, but read from the views."""


class Store(Section, frozen=True):
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
    stuck_ms: int = 15_000
    """A query that still runs so long after it was stopped ends the store process, which starts anew."""
    cache_bytes: int = 64 * MIB
    """Memory for the engine's own caches (marks and primary index), each."""


class Config(Section, frozen=True):
    """All settings, checked."""

    server: Server = Server()
    data: Data = Data()
    collect: Collect = Collect()
    log: Log = Log()
    process: Process = Process()
    store: Store = Store()
    query: Query = Query()
    pipes: Pipes = Pipes()
    record: Record = Record()
    jobs: Jobs = Jobs()
    backup: Backup = Backup()
    limits: Limits = Limits()
    retention: Retention = Retention()
    privacy: Privacy = Privacy()
    watch: Watch = Watch()

    @property
    def data_dir(self) -> Path:
        """Return the data folder as an absolute path."""
        return Path(self.data.dir).expanduser().absolute()
