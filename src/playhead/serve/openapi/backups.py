"""Backups as operations."""

from typing import Final

from playhead.serve.openapi.operations import JSON, Operation, row, rows_of

_FAULTS: Final = (400, 401, 403, 429, 500, 503)
_BACKUP: Final = row(
    id="string", taken_at="time", ended_at="time", release="string", position="integer",
    log_next="integer", tables="integer", packs="integer", content_bytes="integer",
    stored_bytes="integer", sent_packs="integer", sent_bytes="integer", held_ms="integer",
)  # fmt: skip
_JOB: Final = row(
    id="string", status="string", created_at="time", updated_at="time",
    progress_percentage="number", error="string", backup="string?",
)  # fmt: skip


def operations() -> tuple[Operation, ...]:
    """Return what can be asked and done about backups."""
    return (
        Operation(
            path="/v1/backups", tag="Server", kind="admin", forms=JSON, faults=_FAULTS,
            said="The backups there are, newest first, and what became of the last job.",
            data=rows_of(_BACKUP),
        ),
        Operation(
            path="/v1/backups", method="post", tag="Server", kind="admin", forms=JSON, status=202,
            faults=(*_FAULTS, 409), said="Make a backup now, as a job, where `[backup] to` says.",
            data=_JOB,
        ),
    )  # fmt: skip
