"""A job as clients read it."""

from collections.abc import Mapping
from typing import Any

from playhead.jobs.job import Job
from playhead.jobs.replacing import kept_counts
from playhead.query.span import iso

_SHOWN_NOT = frozenset({"url", "start", "end"})
"""Of what was asked: a URL may hold a secret."""


def job_document(job: Job, counts: Mapping[str, int], base_url: str) -> dict[str, Any]:
    """Return a job as JSON.

    Args:
        job: As it is now.
        counts: What the ledger has counted for it.
        base_url: Of the server, with a slash at its end.
    """
    found = kept_counts(job.kept, dict(counts))
    rows = found.get("rows", 0) or int(job.kept.get("rows", 0))
    quarantined = found.get("quarantined", 0)
    asked = {k: v for k, v in job.detail.items() if k not in _SHOWN_NOT and v not in ("", False)}
    said: dict[str, Any] = {
        "id": job.id,
        "job_id": job.id,
        "job_url": f"{base_url}v0/jobs/{job.id}",
        "kind": job.kind,
        "status": job.state,
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "started_at": iso(job.started_at) if job.started_at else None,
        "is_cancellable": not job.ended and not job.cancelling,
        "progress_percentage": job.percentage,
        "progress": {"done": job.done, "total": job.total},
        "datasource": {"id": job.writes or job.name, "name": job.writes or job.name},
        "token_name": job.token_name,
        "runs": job.runs,
        "detail": asked,
        "rows": rows,
        "statistics": {"rows_written": rows, "rows_quarantined": quarantined},
    }
    if job.kind == "import":
        said |= _import(job, rows, quarantined)
    if job.error:
        said |= {"error": job.error, "errors": [job.error]}
    if "rows_to_be_deleted" in job.detail:
        said["rows_to_be_deleted"] = job.detail["rows_to_be_deleted"]
    return said


def _import(job: Job, rows: int, quarantined: int) -> dict[str, Any]:
    lines = {"lines": rows + quarantined, "quarantine": quarantined, "parser": "playhead"}
    return {
        "import_id": job.id,
        "mode": job.detail.get("mode", "append"),
        "quarantine_rows": quarantined,
        "invalid_lines": 0,
        "blocks": [{"block_id": job.id, "process_return": [lines]}] if job.started_at else [],
    }
