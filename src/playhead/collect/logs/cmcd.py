"""CMCD in a log: from parameters, headers or fields of their own into the row."""

import re
from typing import Final

from playhead.collect.logs.logged import Logged
from playhead.model.cdn_request import CdnRequest
from playhead.model.cmcd import Cmcd, decode_headers, decode_query, written

SHORT_MAX: Final = 64
CONTENT_MAX: Final = 128
_IN_QUERY = re.compile(r"(?:^|[&?])CMCD=([^&#]*)", re.IGNORECASE)
_AKAMAI = re.compile(r"^//[\d.]+@V/")
_QUOTED: Final = frozenset({"cid", "sid", "nor", "nrr"})
_VIDEO_FIRST: Final = ("v", "av", "")


def cmcd_of(line: Logged, query: str) -> Cmcd | None:
    """Return the CMCD of a line: its headers win, then a field of its own, then the parameters."""
    if line.headers:
        found = decode_headers(line.headers)
        if found is not None:
            return found
    if line.cmcd:
        return decode_query(_AKAMAI.sub("", line.cmcd))
    if line.keys:
        return decode_query(",".join(_item(key, value) for key, value in line.keys.items()))
    among = _IN_QUERY.search(query)
    return decode_query(among[1]) if among else None


def _item(key: str, value: str) -> str:
    """Return one key as CMCD writes it."""
    if value.lower() in {"true", "false"}:
        return key if value.lower() == "true" else f"{key}=?0"
    if key in _QUOTED and not value.startswith('"'):
        return f"{key}={written(value)}"
    return f"{key}={value}"


def put_cmcd(request: CdnRequest, cmcd: Cmcd | None) -> None:
    """Put what the player said into the row's columns, and the whole of it into `cmcd`."""
    if cmcd is None or not cmcd.is_understood:
        return
    values: dict[str, object] = {**cmcd.values, **cmcd.custom}
    if not values:
        return
    request.cmcd, request.cmcd_version = values, max(1, cmcd.version)
    request.view_id = _word(values.get("sid"), SHORT_MAX)
    request.content_id = _word(values.get("cid"), CONTENT_MAX)
    request.object_type = _word(values.get("ot"), SHORT_MAX)
    request.stream_format = _word(values.get("sf"), SHORT_MAX)
    request.stream_type = _word(values.get("st"), SHORT_MAX)
    request.bitrate_kbps = _number(values.get("br"))
    request.top_bitrate_kbps = _number(values.get("tb"))
    request.object_ms = _number(values.get("d"))
    request.buffer_ms = _number(values.get("bl"))
    request.throughput_kbps = _number(values.get("mtp"))
    request.playback_rate = _number(values.get("pr"))
    request.starved = _flag(values.get("bs"))
    request.startup = _flag(values.get("su"))


def _word(value: object, max_length: int) -> str:
    return value[:max_length] if isinstance(value, str) else ""


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | None:
    """Return a number; of a list the video's, else the first."""
    if isinstance(value, list):
        pairs = [pair for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2]
        by_type = {pair[1]: pair[0] for pair in reversed(pairs)}
        named = next((by_type[kind] for kind in _VIDEO_FIRST if kind in by_type), None)
        value = named if named is not None else (pairs[0][0] if pairs else None)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None
