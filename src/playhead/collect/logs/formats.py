"""Every log format by name, and the guess which one a body is in."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from playhead.collect.logs.cloudfront import CloudFront, CloudFrontRealTime
from playhead.collect.logs.datastream import DataStream
from playhead.collect.logs.edgecast import Edgecast
from playhead.collect.logs.fastly import Fastly
from playhead.collect.logs.fields import NAME_MAX, plain
from playhead.collect.logs.generic import Generic
from playhead.collect.logs.logged import BrokenLine, Options, Reader
from playhead.collect.logs.nginx import Nginx
from playhead.collect.logs.objects import object_of

AUTO: Final = "auto"
FORMATS: Final[dict[str, Callable[[Options], Reader]]] = {
    "edgecast": Edgecast,
    "cloudfront": CloudFront,
    "cloudfront-realtime": CloudFrontRealTime,
    "fastly": Fastly,
    "akamai": DataStream,
    "nginx": Nginx,
    "json": Generic,
}
_DATE_AND_TIME = re.compile(rb"\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t")
_EPOCH = re.compile(rb"\d{10}(?:\.\d+)?\t")
_SIGNS: Final[tuple[tuple[str, frozenset[str], int], ...]] = (
    ("akamai", frozenset({"req_time_sec", "req_path", "cli_ip", "turn_around_time_msec"}), 2),
    ("edgecast", frozenset({"client_asn", "write_time", "rewritten_path", "cache_status"}), 2),
    (
        "fastly",
        frozenset({
            "time_elapsed", "fastly_info_state", "fastly_server", "fastly_is_edge", "service_id",
            "fastly_pop", "response_state", "is_h2", "server_datacenter",
        }),
        1,
    ),
)  # fmt: skip
"""Format, fields that are its own, and how many of them tell."""


def guess(lines: Sequence[bytes], *, has_columns: bool = False) -> str:
    """Return the name of the format some lines look like.

    Args:
        lines: The first lines, or the first members of an array. The first that is surely of a
            format decides; of those that may be anything, the first.
        has_columns: The request names columns (`&fields=`).
    """
    found = [_guess(line, has_columns=has_columns) for line in lines] or ["json"]
    return next((name for name in found if name not in {"json", "nginx"}), found[0])


def _guess(line: bytes, *, has_columns: bool) -> str:
    if line[:1] == b"{":
        return _guess_object(line)
    if line[:1] == b"#" or _DATE_AND_TIME.match(line):
        return "cloudfront"
    if has_columns or _EPOCH.match(line):
        return "cloudfront-realtime"
    return "nginx"


def _guess_object(line: bytes) -> str:
    try:
        written = object_of(line)
    except BrokenLine:
        return "json"
    names = {plain(name[:NAME_MAX]) for name in written}
    for name, signs, needed in _SIGNS:
        if len(signs & names) >= needed:
            return name
    if "cs-uri-stem" in written:
        return "cloudfront-realtime" if "timestamp" in written else "cloudfront"
    return "json"
