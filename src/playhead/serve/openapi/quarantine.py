"""Quarantine as operations."""

from playhead.config import Config
from playhead.serve.openapi.operations import JSON, Body, Operation, loose, row, rows_of
from playhead.serve.openapi.parameters import CURSOR, FORMAT, SPAN, choice, text, whole


def operations(config: Config) -> tuple[Operation, ...]:
    """Return what can be asked and done about refused rows."""
    which = (
        *SPAN,
        text("door", "Only of this door.", examples=["telemetry"]),
        text("code", "Only for this reason.", examples=["invalid_event"]),
        text("source", "Only of this log format or data source."),
        text("property", "Only of this property."),
        choice("retried", "`yes`: taken up again; `no`: not yet.", "yes", "no"),
        FORMAT,
    )
    return (
        Operation(
            path="/v1/quarantine", tag="Quarantine", said="What the doors refused, newest first.",
            data=rows_of(loose(id="string", received_at="time", door="string", code="string")),
            parameters=(*which, whole("limit", "Rows of a page.", most=config.query.max_page_rows), CURSOR),
        ),
        Operation(
            path="/v1/quarantine/reasons", tag="Quarantine",
            said="What the doors refused, by door, source and reason.",
            data=rows_of(loose(door="string", code="string", count="integer")),
            parameters=(*which, whole("limit", "Most rows.", most=1_000)),
        ),
        Operation(
            path="/v1/quarantine/retry", method="post", kind="admin", tag="Quarantine", forms=JSON,
            said="Take refused rows up again, oldest first.",
            data=row(taken="integer", accepted="integer", skipped_truncated="integer",
                     still_refused=rows_of(row(id="string", code="string", message="string"))),
            body=Body(
                said="Which rows; all of it optional.", required=False,
                content={"application/json": {
                    "type": "object", "additionalProperties": False,
                    "properties": {
                        "door": {"type": "string"}, "code": {"type": "string"},
                        "source": {"type": "string"}, "property": {"type": "string"},
                        "limit": {"type": "integer", "minimum": 1, "maximum": 1_000},
                    },
                }},
            ),
        ),
    )  # fmt: skip
