"""The CDN request: one line of a CDN's access log in normal form, as a row of `cdn_requests`.

Fields stand in the order of the table's columns (a test compares the two). Empty string = unknown;
`None` = no such number. The client's address is in `address` only where the settings keep it.
"""

from typing import Final

import msgspec

TABLE: Final = "cdn_requests"
CACHE_STATES: Final = ("hit", "miss", "stale", "refresh", "pass", "error", "")
"""What became of a request at the cache, in one spelling for every CDN; empty = not said."""


class CdnRequest(msgspec.Struct, array_like=True, gc=False):
    """One request as a CDN logged it. Times in ms, sizes in bytes, rates in kbit/s."""

    at: int
    """The time in the log, UTC ms: CDNs log when the answer began, or when it ended."""
    cdn: str = ""
    pop: str = ""
    """The CDN's place that answered, as the CDN names it."""
    owner: str = ""
    """Whose content it is, by `collect.log_path_patterns`."""
    video_id: str = ""
    rendition: str = ""
    segment: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    """Without parameters: they hold tokens."""
    status: int = 0
    cache: str = ""
    """One of `CACHE_STATES`."""
    cache_detail: str = ""
    """The CDN's own word."""
    bytes_out: float | None = None
    bytes_in: float | None = None
    ttfb_ms: float | None = None
    total_ms: float | None = None
    """To the last byte."""
    protocol: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    asn: int = 0
    as_org: str = ""
    device_class: str = ""
    os: str = ""
    browser: str = ""
    bot: bool = False
    internal: bool = False
    address: str = ""
    request_id: str = ""
    session_id: str = ""
    """A session named in the path or parameters, by `collect.log_session_parameters`."""
    extra: dict[str, object] | None = None
    """What the log said besides."""
    # From here on only what CMCD says: lines without it leave these columns out (`BARE_COLUMNS`).
    view_id: str = ""
    """CMCD `sid`: the view's own id."""
    content_id: str = ""
    """CMCD `cid`."""
    cmcd_version: int = 0
    """0 = the request carried no CMCD."""
    object_type: str = ""
    bitrate_kbps: float | None = None
    top_bitrate_kbps: float | None = None
    object_ms: float | None = None
    buffer_ms: float | None = None
    throughput_kbps: float | None = None
    starved: bool | None = None
    startup: bool | None = None
    stream_format: str = ""
    stream_type: str = ""
    playback_rate: float | None = None
    cmcd: dict[str, object] | None = None
    """Every CMCD key of the request as decoded."""


COLUMNS: Final[tuple[str, ...]] = CdnRequest.__struct_fields__
BARE_COLUMNS: Final[tuple[str, ...]] = COLUMNS[: COLUMNS.index("view_id")]
"""The columns of requests without CMCD."""
