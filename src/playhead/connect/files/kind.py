"""What a file holds, by its name and its first line, and the door it goes to."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from playhead.connect.files.lines import PACKED, Source
from playhead.connect.files.mapping import TELEMETRY, Mapping
from playhead.errors import InvalidRequest


class Kind(StrEnum):
    """What the lines of a file are."""

    TELEMETRY = "telemetry"
    CSV = "csv"
    CDN = "cdn"
    CMCD = "cmcd"
    EVENTS = "events"


class Target(msgspec.Struct, frozen=True):
    """A door: its address, and how a body for it is made."""

    path: str
    content_type: str
    array: bool = False
    """The body is a JSON array of events with ids; else lines, whose batches have a key."""


_CMCD: Final = re.compile(rb"(?:^|,)\s*(?:sid|cid|ts|e|v|br|sta)=")
_COMBINED: Final = re.compile(rb"^\S+ \S+ \S+ \[[^]]+\] \"")
_CDN_FIELDS: Final = frozenset({
    "cache_status", "status_code", "bytes_out", "cacheStatus", "statusCode", "cliIP", "reqPath",
    "reqHost", "sc-status", "x-edge-result-type", "client_ip", "cs-uri-stem", "pop",
})  # fmt: skip
"""Fields by which a JSON line is known as a CDN's."""


def kind_of(source: Source, head: bytes, *, mapped: bool) -> Kind:
    """Return what a file holds.

    Args:
        source: The file.
        head: Its first line.
        mapped: Whether a mapping was given: then it is a table.

    Raises:
        InvalidRequest: It cannot be told.
    """
    if mapped:
        return Kind.CSV
    name = Path(source.name).name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    if name.endswith((".csv", ".tsv")):
        return Kind.CSV
    if head[:1] in {b"{", b"["}:
        return _json_kind(source, head)
    if head.startswith((b"#Version:", b"#Fields:", b"#Software:")) or _COMBINED.match(head):
        return Kind.CDN
    if name.endswith(".cmcd") or len(_CMCD.findall(head)) >= 2:
        return Kind.CMCD
    raise InvalidRequest(
        f"It cannot be told what {source.path} holds.",
        hint=f"Say it with --kind {'|'.join(Kind)}.",
    )


def _json_kind(source: Source, head: bytes) -> Kind:
    try:
        found = msgspec.json.decode(head)
    except msgspec.DecodeError:
        raise InvalidRequest(
            f"The first line of {source.path} is no whole JSON.",
            hint="One event a line is needed; 'playhead send --file' takes one JSON document. "
            f"If the lines are right but the first, say --kind {'|'.join(Kind)}.",
        ) from None
    while isinstance(found, list) and found:
        found = found[0]
    fields = found if isinstance(found, dict) else {}
    if "eventType" in fields:
        return Kind.TELEMETRY
    if len(_CDN_FIELDS & fields.keys()) >= 2:
        return Kind.CDN
    raise InvalidRequest(
        f"It cannot be told what the JSON of {source.path} is: it has no eventType.",
        hint="Say --kind telemetry, --kind cdn --format NAME, or --kind events --name TABLE.",
    )


def target_of(kind: Kind, mapping: Mapping | None, *, format_name: str, name: str) -> Target:
    """Return the door for a kind.

    Raises:
        InvalidRequest: A CSV file without a mapping, or rows of no named data source.
    """
    if kind is Kind.CSV:
        if mapping is None:
            raise InvalidRequest(
                "A CSV file needs a mapping that says what its columns are.",
                hint="Give one with --map FILE; docs/how-to/replay.md shows how to write it.",
            )
        if mapping.table.into == TELEMETRY:
            kind = Kind.TELEMETRY
        else:
            kind, name = Kind.EVENTS, mapping.table.into
    if kind is Kind.TELEMETRY:
        return Target("/telemetry", "application/json", array=True)
    if kind is Kind.CMCD:
        return Target("/cmcd", "application/cmcd")
    if kind is Kind.CDN:
        query = f"?{urlencode({'format': format_name})}" if format_name else ""
        return Target(f"/logs/cdn{query}", "application/x-ndjson")
    if not name:
        raise InvalidRequest(
            "Rows need the name of their data source.", hint="Give it with --name, for example "
            "--name stream_frames."
        )  # fmt: skip
    return Target(f"/v0/events?{urlencode({'name': name})}", "application/x-ndjson")
