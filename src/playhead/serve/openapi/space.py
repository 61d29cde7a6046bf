"""What uses the space as an operation."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Operation, row, rows_of
from playhead.serve.openapi.parameters import Schema

_ITEM: Final = row(
    id="string", kind="string", name="string", workspace="string", bytes="integer",
    live_bytes="integer?", rows="integer?", parts="integer?", oldest="string?", newest="string?",
    kept="string", limit_bytes="integer?", growth_bytes_per_day="integer?",
)  # fmt: skip
_DISK: Final = row(
    state={"type": "string", "enum": ["ok", "warn", "low"]}, free_bytes="integer",
    total_bytes="integer", floor_bytes="integer", warning_bytes="integer",
    growth_bytes_per_day="integer?", full_in_days="number?", sentence="string", remedy="string",
)  # fmt: skip
_GONE: Final = row(
    rows="integer", bytes="integer", days="integer", last_day="string", at_ms="integer"
)


def operations() -> tuple[Operation, ...]:
    """Return what uses the space."""
    removed: Schema = {"type": "object", "additionalProperties": _GONE}
    return (
        Operation(
            path="/v1/space", tag="Server", kind="admin", forms=JSON,
            faults=(400, 401, 403, 429, 500, 503),
            said="What uses the disk, by what rule it goes, and when the disk is full.",
            data=row(
                disk=_DISK, data_bytes="integer", items=rows_of(_ITEM), removed=removed,
                complete="boolean", reason="string?",
            ),
        ),
    )  # fmt: skip
