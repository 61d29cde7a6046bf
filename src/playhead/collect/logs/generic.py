"""Any JSON log: our own names, the names of nginx variables, and what others call the same.

Names are compared as words in small letters: `ClientRequestPath`, `client-request-path` and
`client_request_path` are one. Durations count by the unit in their name; a name without one is
taken only where its software fixes the unit (nginx: seconds).
"""

from typing import Final

from playhead.collect.logs.fields import Field, logged, plain, request_line
from playhead.collect.logs.logged import Logged, Options, Reader
from playhead.collect.logs.objects import object_of
from playhead.collect.logs.values import (
    country,
    flag_or_word,
    instant,
    long_text,
    microseconds,
    ms,
    network,
    number,
    seconds,
    status,
    text,
    unquoted,
)

_NAMES: Final = {
    Field("at", instant): (
        "at", "timestamp", "time", "ts", "datetime", "at_ms", "timestamp_ms", "time_ms", "msec",
        "time_iso8601", "edge_start_timestamp", "request_time_ms", "event_time", "start_time",
        "time_start",
    ),
    Field("at", instant, 1): ("time_local", "edge_end_timestamp", "end_time", "time_end", "date"),
    Field("path", long_text): (
        "path", "url", "uri", "request_path", "request_url", "request_uri", "client_request_uri",
        "url_path", "cs_uri_stem",
    ),
    Field("path", long_text, 1): ("client_request_path",),
    Field("query", long_text): ("query", "query_string", "querystring", "args", "cs_uri_query"),
    Field("cdn", text): ("cdn", "cdn_name"),
    Field("pop", text): ("pop", "edge", "edge_location", "datacenter", "colo", "edge_colo_code"),
    Field("pop", text, 1): ("hostname",),
    Field("method", text): ("method", "request_method", "http_method", "client_request_method"),
    Field("method", request_line, 2): ("request",),
    Field("host", text): ("host", "http_host", "request_host", "client_request_host", "hostheader"),
    Field("host", text, 1): ("server_name", "domain"),
    Field("status", status): (
        "status", "status_code", "http_status", "response_status", "response_code",
        "edge_response_status",
    ),
    Field("cache", flag_or_word): (
        "cache", "cache_status", "upstream_cache_status", "cache_cache_status", "cache_result",
        "cache_hit", "x_cache", "cache_state",
    ),
    Field("bytes_out", number): (
        "bytes_out", "bytes_sent", "bytes", "response_bytes", "edge_response_bytes", "sc_bytes",
        "response_size",
    ),
    Field("bytes_out", number, 1): ("body_bytes_sent", "edge_response_body_bytes"),
    Field("bytes_in", number): (
        "bytes_in", "request_length", "request_bytes", "client_request_bytes", "cs_bytes",
    ),
    Field("ttfb_ms", ms): ("ttfb_ms", "time_to_first_byte_ms", "edge_time_to_first_byte_ms"),
    Field("ttfb_ms", microseconds, 1): ("ttfb_us",),
    Field("ttfb_ms", seconds, 2): ("ttfb_s", "upstream_header_time"),
    Field("ttfb_ms", seconds, 3): ("upstream_response_time",),
    Field("total_ms", ms): ("total_ms", "duration_ms", "total_time_ms", "elapsed_ms", "latency_ms"),
    Field("total_ms", microseconds, 1): ("total_us", "duration_us", "elapsed_us"),
    Field("total_ms", seconds, 2): ("total_s", "duration_s", "request_time", "time_taken"),
    Field("protocol", text): (
        "protocol", "server_protocol", "http_version", "client_request_protocol",
    ),
    Field("protocol", text, 1): ("proto", "scheme"),
    Field("client", text): (
        "client", "client_ip", "client_address", "remote_addr", "remote_ip", "ip", "c_ip",
        "address",
    ),
    Field("client", text, 1): ("http_x_forwarded_for", "x_forwarded_for", "realip_remote_addr"),
    Field("user_agent", unquoted): (
        "user_agent", "http_user_agent", "client_request_user_agent", "ua", "agent",
    ),
    Field("referer", unquoted): (
        "referer", "referrer", "http_referer", "http_referrer", "client_request_referer",
    ),
    Field("country", country): (
        "country", "country_code", "client_country", "client_country_code", "geo_country",
        "geoip_country_code", "geoip2_country_code", "geoip2_data_country_code",
    ),
    Field("region", text): ("region", "client_region", "geo_region", "geoip_region", "state"),
    Field("city", text): ("city", "client_city", "geo_city", "geoip_city", "geoip2_city"),
    Field("asn", network): ("asn", "client_asn", "geo_asn", "geoip_asn", "as_number"),
    Field("as_org", text): ("as_org", "client_as_org", "geoip_org", "as_name", "isp"),
    Field("request_id", text): ("request_id", "req_id", "ray_id", "trace_id", "uuid"),
    Field("session_id", text): ("session_id", "session"),
    Field("cmcd", unquoted): ("cmcd", "arg_cmcd", "cmcd_query"),
    **{
        Field(f"cmcd-{name}", unquoted): (f"cmcd_{name}", f"http_cmcd_{name}")
        for name in ("request", "object", "status", "session")
    },
}  # fmt: skip
FIELDS: Final = {name: field for field, names in _NAMES.items() for name in names}


class Generic(Reader):
    """Reads JSON lines by the names of their fields."""

    def __init__(self, options: Options) -> None:
        """Take no option: the names say all."""

    def read(self, line: bytes) -> Logged:
        """Return one line."""
        return logged(object_of(line), FIELDS, name_of=plain)
