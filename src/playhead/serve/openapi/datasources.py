"""Data sources as operations."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Operation, loose, row
from playhead.serve.openapi.parameters import choice, path

_LISTED: Final = (400, 403, 429, 500, 503)
_ONE: Final = (403, 404, 429, 500, 503)
_NAME: Final = path("name", "The data source.", examples=["playhead.views"])
_SOURCE: Final = row(
    id="string", name="string", description="string", kind="string",
    columns={"type": "array", "items": loose(
        name="string", type="string", nullable="boolean", jsonpath="string?", default_value="string?",
    )},
    engine=loose(engine="string", engine_sorting_key="string", engine_partition_key="string"),
    statistics=row(row_count="integer?", bytes="integer?"), quarantine_rows="integer?",
)  # fmt: skip


def operations() -> tuple[Operation, ...]:
    """Return what can be asked of data sources."""
    return (
        Operation(
            path="/v0/datasources", tag="Data sources", forms=JSON, bare=True, faults=_LISTED,
            said="The data sources the token may read.",
            data=row(datasources={"type": "array", "items": _SOURCE}),
            parameters=(
                choice("playhead", "`true`: Playhead's own tables as well.", "true", "false"),
            ),
        ),
        Operation(
            path="/v0/datasources/{name}", tag="Data sources", forms=JSON, bare=True, faults=_ONE,
            said="One data source: columns, engine, rows, bytes, rows in quarantine.", data=_SOURCE,
            parameters=(_NAME,),
        ),
        Operation(
            path="/v0/datasources/{name}.datasource", tag="Data sources", forms=("text/plain",),
            bare=True, faults=_ONE, said="The file of a data source.", data={"type": "string"},
            parameters=(_NAME,),
        ),
    )  # fmt: skip
