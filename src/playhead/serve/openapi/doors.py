"""The doors as operations."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Body, Operation, row, rows_of
from playhead.serve.openapi.parameters import Parameter, Schema, choice, text

EVENT: Final[Schema] = {
    "type": "object",
    "description": "One event; fields that are not known are kept with it.",
    "properties": {
        "eventType": {"type": "string", "examples": ["PLAY", "HEARTBEAT"]},
        "timestamp": {"type": "integer", "description": "ms since 1970 of the client's clock"},
        "viewId": {"type": "string"},
        "sessionId": {"type": "string"},
        "viewerId": {"type": "string"},
        "videoId": {"type": "string"},
        "seq": {"type": "integer"},
        "sentAt": {"type": "integer"},
        "playbackPositionSec": {"type": "number"},
    },
}
_ANY: Final[Schema] = {"anyOf": [{"type": "object"}, {"type": "array"}]}
"""One or a list; what one event lacks costs only itself, so nothing is required of the whole."""
_EXAMPLE: Final = {
    "eventType": "PLAY",
    "timestamp": 1_796_000_000_000,
    "viewId": "view-1",
    "seq": 0,
}
_RECEIPT: Final = row(
    ok="boolean",
    accepted="integer",
    rejected=rows_of(row(index="integer", code="string", message="string")),
)
_LINES: Final[Schema] = {}
"""Text; no line of it costs another, so nothing is required of the whole."""
_KEY: Final = Parameter(
    name="idempotency-key",
    said="Any text up to 256 characters: the same body under the same key counts once.",
    inside="header",
    schema={"type": "string"},
)
_FAULTS: Final = (400, 401, 403, 408, 410, 413, 415, 429, 500, 503)


def _door(path: str, said: str, body: Body, **more: object) -> Operation:
    fields = {"data": _RECEIPT, "forms": JSON, "bare": True, "faults": _FAULTS} | more
    return Operation(
        path=path, said=said, body=body, method="post", kind="send", tag="Doors", **fields  # type: ignore[arg-type]
    )  # fmt: skip


OPERATIONS: Final = (
    _door(
        "/telemetry",
        "Take events of players; answered when they are on disk.",
        Body(
            said="One event (schema `Event`) or a list of them; packed with gzip, deflate, br or zstd, or not.",
            content={"application/json": _ANY | {"examples": [[_EXAMPLE]]}},
        ),
    ),
    _door(
        "/cmcd",
        "Take CMCD event reports (CTA-5004-B), a record a line.",
        Body(required=False, said="Records as structured fields.", content={"application/cmcd": _LINES}),
        data={}, forms=(), status=204,
    ),
    Operation(
        path="/cmcd", tag="Doors", kind="send", forms=(), status=204, data={}, faults=_FAULTS,
        said="Take one CMCD record from the query.",
        parameters=(text("CMCD", "The record, as a player puts it beside a request."),),
    ),
    _door(
        "/epas",
        "Take EPAS events.",
        Body(
            required=False, said="One event or a list of them.",
            content={"application/json": _ANY},
        ),
    ),
    _door(
        "/logs/cdn",
        "Take lines of a CDN's access log.",
        Body(required=False, said="Lines, a JSON array, or NDJSON; packed or not.", content={"text/plain": _LINES}),
        parameters=(
            choice(
                "format", "Who wrote the lines.", "edgecast", "cloudfront", "cloudfront-realtime",
                "fastly", "akamai", "nginx", "json", "auto", default="auto",
            ),
            text("cdn", "Name of the CDN, where neither format nor lines say it.", pattern="^[A-Za-z0-9_.-]{0,64}$"),
            text("fields", "Order of the columns, joined by commas."),
            _KEY,
        ),
    ),
    _door(
        "/v0/events",
        "Take rows of a data source.",
        Body(said="NDJSON, a JSON array or one object.", content={"application/x-ndjson": _LINES}),
        data=row(successful_rows="integer", quarantined_rows="integer"),
        also=(202,),
        parameters=(
            Parameter(
                name="name", required=True, schema={"type": "string", "maxLength": 200},
                said="The data source: one of the project, `telemetry`, `stream_frames` or `cdn_requests`.",
            ),
            choice("format", "How the body is read; without it its first character says so.", "ndjson", "json"),
            choice("__tb__deployment", "The data source of the staged deployment.", "staging"),
            choice("wait", "`true`: answer 200 when the rows can be queried.", "true", "false", default="false"),
            _KEY,
        ),
        faults=(400, 401, 403, 404, 408, 410, 413, 415, 429, 500, 503),
    ),
)  # fmt: skip
