"""The jobs of a workspace that is being deleted: cancelled, and waited for."""

import asyncio
from typing import Final

from playhead.errors import Conflict, NotFound
from playhead.jobs.runner import Runner
from playhead.jobs.work import LOOK_EVERY_S

WAIT_S: Final = 30.0
"""How long a deletion waits for jobs that are at a step which cannot be left."""


class WorkspaceJobs:
    """Ends the jobs of a workspace.

    Args:
        runner: Who runs them.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def end(self, workspace: str) -> None:
        """Cancel the jobs of a workspace that nobody finds any more, and wait until none runs.

        Raises:
            Conflict: One goes on for too long.
            DiskLow, LogUnavailable: One could not be cancelled.
        """
        until_s = self._runner.desk.clock.monotonic_s() + WAIT_S
        told: set[str] = set()
        while left := await self._unfinished(workspace):
            for id_ in left - told:
                await self._cancel(id_)
            told |= left
            if self._runner.desk.clock.monotonic_s() >= until_s:
                raise Conflict(
                    "Jobs of the workspace are at a step that cannot be left. It was not deleted.",
                    hint="Try again: they were cancelled and end soon.",
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def _cancel(self, id_: str) -> None:
        try:
            await self._runner.cancel(id_)
        except (Conflict, NotFound):
            return  # it has ended meanwhile

    async def _unfinished(self, workspace: str) -> set[str]:
        found = await asyncio.to_thread(self._runner.jobs.unfinished)
        return {job.id for job in found if job.workspace == workspace}
