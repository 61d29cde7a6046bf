"""Edgecast (Edgio, Verizon Media): real-time log delivery as JSON.

`read_time` is the time spent reading from the origin, 0 on a hit, and counts as the time to the
first byte; `write_time` is the time spent writing to the client. Where `total_time` is not logged,
the sum of both is the time to the last byte.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from playhead.collect.logs.fields import Field, kept_text, logged
from playhead.collect.logs.logged import Logged, Options, Reader
from playhead.collect.logs.objects import object_of
from playhead.collect.logs.values import (
    EPOCH_MAX_S,
    EPOCH_MIN_S,
    NUMBER_MAX,
    STATUS_MAX,
    TEXT_MAX,
    URL_MAX,
    country,
    instant,
    long_text,
    network,
    number,
    seconds,
    status,
    text,
)

FIELDS: Final = {
    "timestamp": Field("at", instant),
    "path": Field("path", long_text),
    "rewritten_path": Field("path", long_text, 1),
    "query": Field("query", long_text),
    "pop": Field("pop", text),
    "method": Field("method", text),
    "host": Field("host", text),
    "status_code": Field("status", status),
    "cache_status": Field("cache", text),
    "bytes_out": Field("bytes_out", number),
    "bytes_in": Field("bytes_in", number),
    "read_time": Field("ttfb_ms", seconds),
    "total_time": Field("total_ms", seconds),
    "client_protocol": Field("protocol", text),
    "client_ip": Field("client", text),
    "user_agent": Field("user_agent", long_text),
    "referer": Field("referer", long_text),
    "client_country_code": Field("country", country),
    "client_region": Field("region", text),
    "client_city": Field("city", text),
    "client_asn": Field("asn", network),
    "client_as_org": Field("as_org", text),
    "uuid": Field("request_id", text),
}
SILENT: Final = frozenset({
    "client_port", "client_ip_version", "status", "write_time", "server_ip", "server_port",
    "auth_user", "background_fill_wait_time", "client_continent_code", "client_geo_latitude",
    "client_geo_longitude", "first_byte_served", "last_byte_served", "proxy_ip", "proxy_port",
    "scheme",
})  # fmt: skip
_UNREAD: Final = msgspec.Raw(b"")
Short = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
Long = Annotated[str, msgspec.Meta(max_length=URL_MAX)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=URL_MAX)]
Number = Annotated[float, msgspec.Meta(ge=0, le=NUMBER_MAX)]
Time = Annotated[float, msgspec.Meta(ge=EPOCH_MIN_S, lt=EPOCH_MAX_S)]
Status = Annotated[int, msgspec.Meta(ge=0, le=STATUS_MAX)]
Asn = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_NAMES: Final = {field.target: name for name, field in FIELDS.items() if not field.rank} | {
    name: f" {name}" for name in ("keys", "headers", "cmcd", "extra", "cdn", "session_id")
}


class Line(Logged, gc=False, forbid_unknown_fields=True, rename=_NAMES):
    """A line of the fields the recording has, and no other: read in one go, then put in order.

    Times are as logged until `_finish`. What is not needed stays undecoded.
    """

    at: Time  # type: ignore[assignment]
    path: Path
    query: Long = ""
    pop: Short = ""
    method: Short = ""
    host: Short = ""
    status: Status = 0
    cache: Short = ""
    bytes_out: Number | None = None
    bytes_in: Number | None = None
    ttfb_ms: Number | None = None
    total_ms: Number | None = None
    protocol: Short = ""
    client: Short = ""
    user_agent: Long = ""
    referer: Long = ""
    country: Short = ""
    region: Short = ""
    city: Short = ""
    asn: Asn = 0
    as_org: Short = ""
    request_id: Short = ""
    cdn: Literal[""] = ""
    session_id: Literal[""] = ""
    cmcd: Literal[""] = ""
    headers: None = None
    keys: None = None
    extra: None = None
    write_time: Number | None = None
    file_size: int | None = None
    platform: Short = ""
    custom_field: Short = ""
    client_isp: Short = ""
    rewritten_path: msgspec.Raw = _UNREAD
    client_port: msgspec.Raw = _UNREAD
    client_ip_version: msgspec.Raw = _UNREAD
    reason: msgspec.Raw = msgspec.field(default=_UNREAD, name="status")
    server_ip: msgspec.Raw = _UNREAD
    server_port: msgspec.Raw = _UNREAD
    auth_user: msgspec.Raw = _UNREAD
    background_fill_wait_time: msgspec.Raw = _UNREAD
    client_continent_code: msgspec.Raw = _UNREAD
    client_geo_latitude: msgspec.Raw = _UNREAD
    client_geo_longitude: msgspec.Raw = _UNREAD
    first_byte_served: msgspec.Raw = _UNREAD
    last_byte_served: msgspec.Raw = _UNREAD
    proxy_ip: msgspec.Raw = _UNREAD
    proxy_port: msgspec.Raw = _UNREAD
    scheme: msgspec.Raw = _UNREAD


_lines: Final = msgspec.json.Decoder(Line)
_country = lru_cache(maxsize=1_024)(country)


class Edgecast(Reader):
    """Reads Edgecast's JSON lines, a whole chunk at once while they have the usual fields."""

    cdn: ClassVar[str] = "edgecast"

    def __init__(self, options: Options) -> None:
        """Take no option: the lines say all."""

    def read(self, line: bytes) -> Logged:
        """Return one line, whatever its fields."""
        record = object_of(line)
        found = logged(record, FIELDS, silent=SILENT)
        if found.total_ms is None:
            found.total_ms = _sum(found.ttfb_ms, seconds(record.get("write_time")))
        return found

    def read_all(self, lines: Sequence[bytes]) -> Sequence[Logged] | None:
        """Return all lines if each has the usual fields in the usual types."""
        text = b"\n".join(lines)
        try:
            found = _lines.decode_lines(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if b'"-"' in text and any(map(_says_nothing, found)):
            return None
        for line in found:
            _finish(line)
        return found


def _says_nothing(line: Line) -> bool:
    """Say whether a text is the dash that stands for none."""
    return (
        line.query == "-"
        or line.referer == "-"
        or line.user_agent == "-"
        or line.client == "-"
        or line.cache == "-"
        or line.pop == "-"
        or line.region == "-"
        or line.city == "-"
        or line.as_org == "-"
        or line.custom_field == "-"
    )


def _finish(line: Line) -> None:
    """Bring a line's times from seconds to ms, and what is beside the known fields together."""
    done: Logged = line
    done.at = round(line.at * 1e3)
    if line.ttfb_ms:
        done.ttfb_ms = round(line.ttfb_ms * 1e3, 3)
    if line.total_ms is not None:
        done.total_ms = round(line.total_ms * 1e3, 3)
    elif line.write_time is not None:
        done.total_ms = round(line.write_time * 1e3, 3)
        if line.ttfb_ms:
            done.total_ms = round(done.total_ms + line.ttfb_ms, 3)
    else:
        done.total_ms = line.ttfb_ms
    done.country = _country(line.country) or ""
    extra: dict[str, object] = {}
    if line.file_size is not None:
        extra["file_size"] = line.file_size
    if line.platform:
        extra["platform"] = kept_text(line.platform)
    if line.custom_field:
        extra["custom_field"] = kept_text(line.custom_field)
    if line.client_isp:
        extra["client_isp"] = kept_text(line.client_isp)
    done.extra = extra or None


def _sum(first_ms: float | None, then_ms: float | None) -> float | None:
    """Return the time of both parts, of one if only one is logged."""
    if first_ms is None or then_ms is None:
        return first_ms if then_ms is None else then_ms
    return round(first_ms + then_ms, 3)
