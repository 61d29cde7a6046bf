"""The endpoints of backups: which there are, and making one now."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access import Grant
from playhead.backup.manifest import Summary, read_summaries
from playhead.backup.place import place_of
from playhead.errors import Conflict, Forbidden, InvalidRequest, PlayheadError, Unavailable
from playhead.jobs.backups import KIND, backup_job, summary_of
from playhead.jobs.cron import cron
from playhead.jobs.job import Job
from playhead.query.question import check_names
from playhead.query.span import iso
from playhead.serve.admission import Admission, is_whole
from playhead.serve.answer import answer, values_of
from playhead.serve.services import Services

PATH: Final = "/v1/backups"
LISTED_MAX: Final = 200
_NOWHERE: Final = "It is not said where backups go."
_HINT: Final = "Set [backup] to and start the server again, or run 'playhead backup --to …'."


class BackupAnswers:
    """Answers about backups, to admins of the whole server alone."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self._services = services
        self._admission = admission
        self._settings = services.config.backup

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [Route(PATH, self.backups, methods=["GET", "POST"])]

    async def backups(self, request: Request) -> Response:
        """`GET` and `POST /v1/backups`."""
        grant = self._admission.reader(request)
        if not is_whole(grant) or grant.workspace:
            raise Forbidden("Only an admin token may see and make backups.")
        check_names(values_of(request), frozenset(), frozenset())
        return await (self._make(grant) if request.method == "POST" else self._listed())

    async def _listed(self) -> Response:
        found: list[Summary] = []
        error = ""
        if self._settings.to:
            try:
                place = place_of(self._settings.to, self._settings)
                found = await read_summaries(place, most=LISTED_MAX)
            except PlayheadError as refused:
                error = refused.message  # what a job did last is known all the same
        jobs = await self._newest()
        meta = {
            "place": self._settings.to,
            "every": self._settings.every,
            "keep": self._settings.keep,
            "next_at": self._next_at(),
            "error": error,
            "newest_at": iso(found[0].taken_at) if found else None,
            "job": _job(jobs[0]) if jobs else None,
        }
        return answer([summary_document(one) for one in found], meta)

    async def _make(self, grant: Grant) -> Response:
        runner = self._services.runner
        if runner is None:
            raise Unavailable("This process runs no jobs; no backup was begun.")
        if not self._settings.to:
            raise InvalidRequest(_NOWHERE, hint=_HINT)
        jobs = await self._newest()
        if jobs and not jobs[0].ended:
            raise Conflict(
                f"A backup is being made (job {jobs[0].id}); no other was begun.",
                hint="Wait until it has ended.",
            )
        response = answer(_job(await runner.submit(backup_job(), grant)), {})
        response.status_code = 202
        return response

    async def _newest(self) -> list[Job]:
        runner = self._services.runner
        return await runner.newest(kind=KIND) if runner is not None else []

    def _next_at(self) -> str | None:
        try:
            due_ms = cron(self._settings.every).next_ms(self._services.clock.now_ms())
        except InvalidRequest:
            return None
        return iso(due_ms) if due_ms else None


def summary_document(summary: Summary) -> dict[str, Any]:
    """Return a backup as JSON."""
    said: dict[str, Any] = msgspec.to_builtins(summary)
    for name in ("format", "manifest_sha256", "source"):
        del said[name]
    return said | {"taken_at": iso(summary.taken_at), "ended_at": iso(summary.ended_at)}


def _job(job: Job) -> dict[str, Any]:
    made = summary_of(job)
    return {
        "id": job.id,
        "status": job.state,
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "progress_percentage": job.percentage,
        "error": job.error,
        "backup": made["id"] if made else None,
    }
