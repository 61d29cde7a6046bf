"""The event row: an event as a row of the `events` table, and back.

A row is a plain tuple in the order of `COLUMNS`, encoded as one JSON array a line. What goes in
comes out (a property test), so a view can be folded again from stored events. Empty string and
absent string are the same thing; absent numbers are NULL.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from playhead.model.event import (
    Ad,
    Buffering,
    Context,
    Device,
    Engagement,
    Event,
    Network,
    PlayerError,
    PlayerStats,
    Quality,
    Request,
)


class Stored(msgspec.Struct, frozen=True):
    """An event with what the log and the door know of it: the fold's whole input.

    `identity` is what makes it unique within its view: see `process/identity.py`.
    """

    event: Event
    context: Context
    received_at: int
    offset: int
    index: int
    identity: int
    door: str = "telemetry"


ROW_COLUMNS: tuple[str, ...] = ("received_at", "log_offset", "log_index", "door", "property")
"""What the loader puts before each row of a table that is no fold: whence it came."""
OWN_COLUMNS: tuple[str, ...] = (
    "view_key",
    "at",
    "identity",
    "kind",
    "received_at",
    "log_offset",
    "log_index",
    "door",
)
CONTEXT_COLUMNS: tuple[str, ...] = Context.__struct_fields__
_RENAMED = {"playback_position_sec": "position_s", "duration_sec": "duration_s"}
_SCALARS = tuple(f for f in Event.__struct_fields__ if f not in {
    "quality", "buffering", "network", "device", "player", "engagement", "error",
    "ad", "request", "custom", "retry_count", "extra",
})  # fmt: skip
SCALAR_COLUMNS: tuple[str, ...] = tuple(_RENAMED.get(f, f) for f in _SCALARS)
_PARTS: tuple[tuple[str, str, Any], ...] = (
    ("quality", "video_", Quality),
    ("buffering", "buffering_", Buffering),
    ("network", "network_", Network),
    ("device", "client_", Device),
    ("player", "player_", PlayerStats),
    ("engagement", "engagement_", Engagement),
    ("error", "error_", PlayerError),
)
_PART_RENAMED = {
    "player_width": "player_width",
    "player_buffer_length_sec": "player_buffer_s",
    "buffering_duration_ms": "buffering_ms",
    "engagement_total_watch_time": "engagement_watch_ms",
    "engagement_total_pause_time": "engagement_pause_ms",
    "engagement_interaction_count": "engagement_interactions",
    "network_effective_type": "connection_type",
}
PART_COLUMNS: tuple[str, ...] = tuple(
    _PART_RENAMED.get(prefix + field, prefix + field)
    for _, prefix, part in _PARTS
    for field in part.__struct_fields__
)
JSON_COLUMNS: tuple[str, ...] = ("ad", "request", "custom", "extra")
COLUMNS: tuple[str, ...] = (
    *OWN_COLUMNS, *CONTEXT_COLUMNS, *SCALAR_COLUMNS, *PART_COLUMNS, *JSON_COLUMNS,
)  # fmt: skip

_SCALAR_COUNT = len(_SCALARS)
assert Event.__struct_fields__[:_SCALAR_COUNT] == _SCALARS, "scalars come first"  # noqa: S101
_NONE = {name: (None,) * len(part.__struct_fields__) for name, _, part in _PARTS}
_Q, _B, _N, _D, _P, _E, _X = (_NONE[name] for name, _, _ in _PARTS)


def row_of(own: tuple[Any, ...], context: tuple[Any, ...], event: Event) -> tuple[Any, ...]:
    """Return the row of an event.

    Args:
        own: Values of `OWN_COLUMNS`.
        context: Values of `CONTEXT_COLUMNS` (`astuple(context)`, made once a batch).
        event: The event.
    """
    values = astuple(event)
    (
        quality,
        buffering,
        network,
        device,
        player,
        engagement,
        error,
        ad,
        request,
        custom,
        _,
        extra,
    ) = values[_SCALAR_COUNT:]
    return (
        *own,
        *context,
        *values[:_SCALAR_COUNT],
        *(_Q if quality is None else astuple(quality)),
        *(_B if buffering is None else astuple(buffering)),
        *(_N if network is None else astuple(network)),
        *(_D if device is None else astuple(device)),
        *(_P if player is None else astuple(player)),
        *(_E if engagement is None else astuple(engagement)),
        *(_X if error is None else astuple(error)),
        ad,
        request,
        custom,
        extra,
    )


def stored_of(row: Sequence[Any]) -> tuple[str, Stored]:
    """Return the view key and the event of a row read with the columns in order.

    Times come as integers (ms), numbers as numbers or None, JSON columns as text.
    """
    own = dict(zip(OWN_COLUMNS, row, strict=False))
    at = len(OWN_COLUMNS)
    context = Context(
        **dict(zip(CONTEXT_COLUMNS, row[at : at + len(CONTEXT_COLUMNS)], strict=True))
    )
    at += len(CONTEXT_COLUMNS)
    fields: dict[str, Any] = {
        name: None if value == "" else value
        for name, value in zip(_SCALARS, row[at : at + _SCALAR_COUNT], strict=True)
    }
    fields["event_type"] = fields["event_type"] or ""  # the one text that is never absent
    at += _SCALAR_COUNT
    for name, _, part in _PARTS:
        names = part.__struct_fields__
        values = [None if v == "" else v for v in row[at : at + len(names)]]
        at += len(names)
        if any(value is not None for value in values):
            fields[name] = part(
                **{n: v for n, v in zip(names, values, strict=True) if v is not None}
            )
    ad, request, custom, extra = row[at : at + len(JSON_COLUMNS)]
    fields["ad"] = msgspec.json.decode(ad, type=Ad) if ad else None
    fields["request"] = msgspec.json.decode(request, type=Request) if request else None
    fields["custom"] = msgspec.json.decode(custom) if custom else None
    fields["extra"] = msgspec.json.decode(extra) if extra else None
    stored = Stored(
        event=Event(**fields),
        context=context,
        received_at=own["received_at"],
        offset=own["log_offset"],
        index=own["log_index"],
        identity=own["identity"],
        door=own["door"],
    )
    return own["view_key"], stored
