"""Whether backups are made when they are due, by the jobs that make them."""

import msgspec

from playhead.errors import InvalidRequest
from playhead.jobs.backups import KIND
from playhead.jobs.cron import cron
from playhead.jobs.job import Job
from playhead.serve.services import Services


class BackupState(msgspec.Struct, frozen=True, kw_only=True):
    """How the backups of `[backup] to` fare. Times are UTC ms; 0 = never, not, or not known."""

    error: str = ""
    """Why the last one failed; empty if it did not."""
    error_at_ms: int = 0
    newest_ms: int = 0
    due_ms: int = 0
    """When the one after the newest was due, or is."""


async def backup_state(services: Services) -> BackupState | None:
    """Return how backups fare; None where none are made by themselves.

    Raises:
        PlayheadError: The table of jobs cannot be read.
    """
    settings = services.config.backup
    if not settings.to or not settings.every or services.runner is None:
        return None
    ended = [job for job in await services.runner.newest(kind=KIND) if job.ended]
    return state_of(ended, settings.every, since_ms=services.started_at_ms)


def state_of(ended: list[Job], every: str, *, since_ms: int) -> BackupState:
    """Return how backups fare.

    Args:
        ended: Their jobs that have ended, newest first.
        every: When they are due (cron).
        since_ms: When the server was started: where there is none yet, the first is due after it.
    """
    last = ended[0] if ended else None
    failed = last if last is not None and last.state == "error" else None
    newest_ms = next((job.created_at for job in ended if job.state == "done"), 0)
    try:
        due_ms = cron(every).next_ms(newest_ms or since_ms) or 0
    except InvalidRequest as error:
        return BackupState(error=f"[backup] every: {error.message}", newest_ms=newest_ms)
    return BackupState(
        error=failed.error if failed else "",
        error_at_ms=failed.updated_at if failed else 0,
        newest_ms=newest_ms,
        due_ms=due_ms,
    )
