"""Fastly: real-time log streaming as JSON. Its fields are the user's to name; these are the usual.

Variables as in Fastly's guide "Useful variables to log": `time.elapsed.usec` in µs,
`time.to_first_byte` in seconds. What is not named here is taken as in any JSON log.
"""

from typing import ClassVar, Final

from playhead.collect.logs import generic
from playhead.collect.logs.fields import Field, logged, plain, request_line
from playhead.collect.logs.logged import Logged, Options, Reader
from playhead.collect.logs.objects import object_of
from playhead.collect.logs.values import (
    country,
    instant,
    microseconds,
    ms,
    network,
    number,
    seconds,
    text,
    unquoted,
)

_NAMES: Final = {
    Field("at", instant): ("time_start", "timestamp", "start_time", "time_start_sec"),
    Field("pop", text): ("pop", "server_datacenter", "fastly_pop", "datacenter", "fastly_datacenter"),
    Field("pop", text, 1): ("fastly_server", "server_identity"),
    Field("method", request_line): ("request",),
    Field("host", text): ("host", "req_host", "orig_host"),
    Field("host", text, 1): ("origin_host",),
    Field("cache", text): (
        "fastly_info_state", "response_state", "fastly_state", "cache_status", "cache_state",
        "state", "cache",
    ),
    Field("bytes_out", number): ("resp_bytes_written", "bytes_written", "resp_bytes"),
    Field("bytes_out", number, 1): (
        "resp_body_bytes_written", "resp_body_size", "response_body_size", "resp_body_bytes",
        "body_bytes_written",
    ),
    Field("bytes_in", number): ("req_bytes_read", "bytes_read", "req_bytes"),
    Field("bytes_in", number, 1): ("req_body_bytes_read", "req_header_size", "request_header_size"),
    Field("ttfb_ms", seconds): ("time_to_first_byte", "ttfb"),
    Field("total_ms", microseconds): ("time_elapsed", "time_elapsed_usec", "elapsed_usec"),
    Field("total_ms", ms, 1): ("time_elapsed_msec", "time_elapsed_ms"),
    Field("protocol", text): ("request_protocol", "req_proto", "protocol"),
    Field("client", text): ("client_ip", "fastly_client_ip"),
    Field("user_agent", unquoted): ("request_user_agent", "req_user_agent", "req_http_user_agent"),
    Field("referer", unquoted): ("request_referer", "req_referer", "req_http_referer"),
    Field("country", country): ("geo_country_code", "client_geo_country_code"),
    Field("city", text): ("client_geo_city",),
    Field("region", text): ("client_geo_region", "geo_region"),
    Field("asn", network): ("client_as_number", "geo_as_number", "as_number"),
    Field("as_org", text): ("client_as_name", "geo_as_name"),
    **{
        Field(f"cmcd-{name}", unquoted): (f"req_http_cmcd_{name}",)
        for name in ("request", "object", "status", "session")
    },
}  # fmt: skip
FIELDS: Final = generic.FIELDS | {name: field for field, names in _NAMES.items() for name in names}


class Fastly(Reader):
    """Reads Fastly's JSON lines."""

    cdn: ClassVar[str] = "fastly"

    def __init__(self, options: Options) -> None:
        """Take no option: the names say all."""

    def read(self, line: bytes) -> Logged:
        """Return one line."""
        return logged(object_of(line), FIELDS, name_of=plain)
