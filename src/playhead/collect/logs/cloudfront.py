"""CloudFront: standard logs (W3C, with `#Fields`) and real-time logs, columns apart by tabs.

Column names and their order as in the CloudFront Developer Guide, "Standard logging reference" and
"Real-time access logs". Both also come as JSON objects with the same names.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from playhead.collect.logs.fields import Field, header_block, is_known, logged
from playhead.collect.logs.logged import BrokenLine, Logged, Options, Reader
from playhead.collect.logs.objects import object_of
from playhead.collect.logs.values import (
    country,
    instant,
    long_text,
    network,
    number,
    seconds,
    status,
    text,
    unquoted,
)

STANDARD: Final = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem",
    "sc-status", "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)",
    "x-edge-result-type", "x-edge-request-id", "x-host-header", "cs-protocol", "cs-bytes",
    "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-response-result-type",
    "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port", "time-to-first-byte",
    "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
)  # fmt: skip
"""Columns of a standard log without a `#Fields` line; older ones have fewer at the end."""
REAL_TIME: Final = (
    "timestamp", "c-ip", "s-ip", "time-to-first-byte", "sc-status", "sc-bytes", "cs-method",
    "cs-protocol", "cs-host", "cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id",
    "x-host-header", "time-taken", "cs-protocol-version", "c-ip-version", "cs-user-agent",
    "cs-referer", "cs-cookie", "cs-uri-query", "x-edge-response-result-type", "x-forwarded-for",
    "ssl-protocol", "ssl-cipher", "x-edge-result-type", "fle-encrypted-fields", "fle-status",
    "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end", "c-port",
    "x-edge-detailed-result-type", "c-country", "cs-accept-encoding", "cs-accept",
    "cache-behavior-path-pattern", "cs-headers", "cs-header-names", "cs-headers-count",
    "primary-distribution-id", "primary-distribution-dns-name", "origin-fbl", "origin-lbl", "asn",
    "cmcd-encoded-bitrate", "cmcd-buffer-length", "cmcd-buffer-starvation", "cmcd-content-id",
    "cmcd-object-duration", "cmcd-deadline", "cmcd-measured-throughput",
    "cmcd-next-object-request", "cmcd-next-range-request", "cmcd-object-type",
    "cmcd-playback-rate", "cmcd-requested-maximum-throughput", "cmcd-streaming-format",
    "cmcd-session-id", "cmcd-stream-type", "cmcd-startup", "cmcd-top-bitrate", "cmcd-version",
    "r-host", "sr-reason", "x-edge-mqcs", "distribution-tenant-id",
)  # fmt: skip
"""Columns of a real-time log for which all fields were chosen; `&fields=` says other choices."""
_KEYS: Final = {
    "encoded-bitrate": "br", "buffer-length": "bl", "buffer-starvation": "bs",
    "content-id": "cid", "object-duration": "d", "deadline": "dl", "measured-throughput": "mtp",
    "next-object-request": "nor", "next-range-request": "nrr", "object-type": "ot",
    "playback-rate": "pr", "requested-maximum-throughput": "rtp", "streaming-format": "sf",
    "session-id": "sid", "stream-type": "st", "startup": "su", "top-bitrate": "tb", "version": "v",
}  # fmt: skip
FIELDS: Final = {
    "timestamp": Field("at", instant),
    "timestamp(ms)": Field("at", instant),
    "date-time": Field("at", instant, 1),
    "cs-uri-stem": Field("path", long_text),
    "cs-uri-query": Field("query", long_text),
    "x-edge-location": Field("pop", text),
    "cs-method": Field("method", text),
    "x-host-header": Field("host", text),
    "cs(Host)": Field("host", text, 1),
    "cs-host": Field("host", text, 1),
    "sc-status": Field("status", status),
    "x-edge-result-type": Field("cache", text),
    "x-edge-response-result-type": Field("cache", text, 1),
    "sc-bytes": Field("bytes_out", number),
    "cs-bytes": Field("bytes_in", number),
    "time-to-first-byte": Field("ttfb_ms", seconds),
    "time-taken": Field("total_ms", seconds),
    "cs-protocol-version": Field("protocol", text),
    "cs-protocol": Field("protocol", text, 1),
    "c-ip": Field("client", text),
    "cs(User-Agent)": Field("user_agent", unquoted),
    "cs-user-agent": Field("user_agent", unquoted),
    "cs(Referer)": Field("referer", unquoted),
    "cs-referer": Field("referer", unquoted),
    "c-country": Field("country", country),
    "asn": Field("asn", network),
    "x-edge-request-id": Field("request_id", text),
    "cs-headers": Field("headers", header_block),
    **{
        f"cs({name})": Field(name.lower(), unquoted)
        for name in ("CMCD-Request", "CMCD-Object", "CMCD-Status", "CMCD-Session")
    },
    **{f"cmcd-{name}": Field(f"cmcd.{key}", unquoted) for name, key in _KEYS.items()},
}
SILENT: Final = frozenset({
    "date", "time", "s-ip", "cs(Cookie)", "cs-cookie", "c-port", "c-ip-version", "x-forwarded-for",
    "cs-header-names", "cs-headers-count",
})  # fmt: skip
_COLUMNS_MIN: Final = 10
_MARK: Final = b"#Fields:"


class CloudFront(Reader):
    """Reads standard logs: by their `#Fields` line, else in the order of the guide."""

    cdn: ClassVar[str] = "cloudfront"
    is_text: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = STANDARD

    def __init__(self, options: Options) -> None:
        self.told = options.fields

    def is_row(self, line: bytes) -> bool:
        """Say whether a line is no comment; take the columns from `#Fields`."""
        if line[:1] != b"#":
            return True
        if line.startswith(_MARK):
            named = tuple(line[len(_MARK) :].decode("latin-1").split())
            if is_known(named, FIELDS, beside={"date", "time"}):
                self.told = named
        return False

    def read(self, line: bytes) -> Logged:
        """Return one row."""
        record = object_of(line) if line[:1] == b"{" else self._record(line)
        return logged(_with_time(record), FIELDS, silent=SILENT)

    def _record(self, line: bytes) -> dict[str, object]:
        parts = line.decode("utf-8", "replace").split("\t")
        columns = self.told or self.columns
        count, known = len(parts), len(columns)
        if count != known and (self.told or not _COLUMNS_MIN <= count <= known):
            raise BrokenLine(f"The line has {count} columns; {known} are expected.")
        return dict(zip(columns, parts, strict=False))


class CloudFrontRealTime(CloudFront):
    """Reads real-time logs: in the order of `&fields=`, else of all fields."""

    columns: ClassVar[tuple[str, ...]] = REAL_TIME


def _with_time(record: dict[str, object]) -> Mapping[str, object]:
    """Return a record in which date and time are one field."""
    date, time = record.get("date"), record.get("time")
    if isinstance(date, str) and isinstance(time, str):
        record["date-time"] = f"{date}T{time}"
    return record
