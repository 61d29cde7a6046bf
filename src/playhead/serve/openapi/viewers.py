"""One viewer's data as operations."""

from playhead.serve.openapi.operations import JSON, Operation, row, rows_of
from playhead.serve.openapi.parameters import Parameter, choice, path, text

_WHO = path("viewer_id", "Id of the viewer, as players send it.", minLength=1, maxLength=256)
_PROPERTY = text("property", "Only of this property; without it, of all.")
_COLUMNS = Parameter(
    name="column",
    said="A column of the project that holds ids of viewers, as `data_source.column`, beside those of"
    " `privacy.viewer_columns`; may be repeated.",
    schema={"type": "array", "items": {"type": "string"}, "maxItems": 100},
)
_FAULTS = (400, 401, 403, 408, 409, 413, 429, 500, 503)


def operations() -> tuple[Operation, ...]:
    """Return what can be asked and done about one viewer."""
    return (
        Operation(
            path="/v1/viewers/{viewer_id}", kind="admin", tag="Viewers", bare=True, faults=_FAULTS,
            forms=("application/json", "application/x-ndjson"),
            said="Every row that is kept about a viewer, table after table, streamed.",
            data=row(data=rows_of(row(table="string", row={"type": "object"})), meta={"type": "object"}),
            parameters=(_WHO, _PROPERTY, _COLUMNS, choice("format", "The form.", "json", "ndjson")),
        ),
        Operation(
            path="/v1/viewers/{viewer_id}", method="delete", kind="admin", tag="Viewers",
            forms=JSON, faults=_FAULTS,
            said="Delete everything about a viewer; answers when it is gone from every answer.",
            data=row(
                events="integer", views="integer",
                rows={"type": "object", "additionalProperties": {"type": "integer"}},
                log_records="integer?", partitions="integer?", files=rows_of({"type": "string"}),
            ),
            parameters=(
                _WHO, _PROPERTY, _COLUMNS,
                choice("now", "Take it out of all files now, too.", "true", "false"),
            ),
        ),
    )  # fmt: skip
