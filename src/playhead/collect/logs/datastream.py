"""Akamai DataStream 2: JSON lines, field names as in its guide ("Data set parameters").

Numbers may come as text; texts are percent-encoded. `cacheStatus` is 1 for a hit at the edge, else 0.
"""

from typing import ClassVar, Final

from playhead.collect.logs.fields import Field, logged
from playhead.collect.logs.logged import Logged, Options, Reader
from playhead.collect.logs.objects import object_of
from playhead.collect.logs.values import (
    country,
    instant,
    long_text,
    ms,
    network,
    number,
    status,
    text,
    unquoted,
)

FIELDS: Final = {
    "reqTimeSec": Field("at", instant),
    "reqPath": Field("path", long_text),
    "queryStr": Field("query", long_text),
    "serverCountry": Field("pop", text),
    "reqMethod": Field("method", text),
    "reqHost": Field("host", text),
    "statusCode": Field("status", status),
    "cacheStatus": Field("cache", text),
    "totalBytes": Field("bytes_out", number),
    "bytes": Field("bytes_out", number, 1),
    "rspContentLen": Field("bytes_out", number, 2),
    "timeToFirstByte": Field("ttfb_ms", ms),
    "turnAroundTimeMSec": Field("ttfb_ms", ms, 1),
    "proto": Field("protocol", text),
    "cliIP": Field("client", text),
    "UA": Field("user_agent", unquoted),
    "referer": Field("referer", unquoted),
    "country": Field("country", country),
    "state": Field("region", unquoted),
    "city": Field("city", unquoted),
    "asn": Field("asn", network),
    "reqId": Field("request_id", text),
    "cmcd": Field("cmcd", long_text),
    "CMCD": Field("cmcd", long_text),
}
SILENT: Final = frozenset({
    "cookie", "xForwardedFor", "edgeIP", "breadcrumbs", "reqPort", "version", "transferTimeMSec",
})  # fmt: skip


class DataStream(Reader):
    """Reads DataStream 2 lines."""

    cdn: ClassVar[str] = "akamai"

    def __init__(self, options: Options) -> None:
        """Take no option: the lines say all."""

    def read(self, line: bytes) -> Logged:
        """Return one line; its last byte is `transferTimeMSec` after its first."""
        record = object_of(line)
        found = logged(record, FIELDS, silent=SILENT)
        then_ms = ms(record.get("transferTimeMSec"))
        if then_ms is not None:
            found.total_ms = (found.ttfb_ms or 0.0) + then_ms
        return found
