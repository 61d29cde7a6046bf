"""Removing rows: of a data source as a whole, or those that a condition is about.

Both are commands in the log: what was sent before goes, what is sent after stays.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import Conflict, NotFound
from playhead.jobs.commanding import commanded
from playhead.jobs.job import Job
from playhead.jobs.work import Work
from playhead.model.command import Command, Op, Place
from playhead.project.manifest import (
    LIVE_FILE,
    STAGING_FILE,
    UNREADABLE,
    Manifest,
    read_manifest,
)

DELETE: Final = "delete_data"
TRUNCATE: Final = "truncate"
LOOK_EVERY_S: Final = 0.1
_PENDING_SQL: Final = (
    "SELECT count(), anyIf(latest_fail_reason, latest_fail_reason != '') FROM system.mutations"
    " WHERE database = {database:String} AND table = {table:String} AND NOT is_done"
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is removed: the detail of the job."""

    delete_condition: str = ""
    """Which rows, of a delete: SQL that `check_filters` has seen."""
    rows_to_be_deleted: int | None = None
    """As counted when it was asked."""


class Removal:
    """The kinds "delete_data" and "truncate"."""

    def __init__(self, op: Op) -> None:
        self.name = DELETE if op == "delete" else TRUNCATE
        self._op: Op = op

    async def run(self, work: Work) -> None:
        """Remove the rows; see `Kind.run`.

        Raises:
            NotFound: The data source is gone.
            Conflict: They cannot be removed; nothing was changed.
        """
        place = await asyncio.to_thread(_place, work)
        asked = msgspec.convert(work.job.detail, Asked)
        if not work.kept.get("sent"):
            if not work.kept.get("sending"):
                work.check()
                await work.keep(sending=True)  # it may be in the log from here on
            await commanded(
                work,
                Command(
                    op=self._op,
                    job=work.job.id,
                    workspace=work.job.workspace,
                    datasource=work.job.name,
                    tables=(place,),
                    condition=f"({asked.delete_condition})" if asked.delete_condition else "",
                ),
            )
            await work.keep(sent=True)
        if self._op == "delete":
            await _settled(work, place)


def removal_job(op: Op, name: str, asked: Asked, *, workspace: str) -> Job:
    """Return the job of removing rows of a data source."""
    kind = DELETE if op == "delete" else TRUNCATE
    detail = msgspec.to_builtins(asked)
    return Job(kind=kind, name=name, writes=name, workspace=workspace, detail=detail)


def _place(work: Work) -> Place:
    """Return the table of the job's data source."""
    folder = work.desk.folder(work.job.workspace)
    require_unstaged(folder)
    try:
        manifest = read_manifest(folder / LIVE_FILE)
    except UNREADABLE:
        manifest = Manifest()
    if not manifest.files:
        raise NotFound(f"There is no data source '{work.job.name}' any more.")
    return Place(manifest.database_of(work.job.name), work.job.name)


def require_unstaged(folder: Path) -> None:
    """Refuse what changes the rows of live tables alone while others are staged beside them.

    Raises:
        Conflict: A deployment is staged.
    """
    if (folder / STAGING_FILE).exists():
        raise Conflict(
            "A deployment is staged; its tables would keep the rows. Nothing was changed.",
            hint="Promote or discard it first.",
        )


async def _settled(work: Work, place: Place) -> None:
    """Wait until the engine has taken the rows out of every part; new parts are not concerned."""
    bound = {"database": place.database, "table": place.table}
    while True:
        found = (await work.desk.store.rows(_PENDING_SQL, bound)).rows
        count, reason = int(found[0][0]), str(found[0][1] or "")
        if not count:
            return
        if reason:
            await work.desk.store.command(
                "KILL MUTATION WHERE database = {database:String} AND table = {table:String}"
                " AND NOT is_done SYNC",
                bound,
            )
            raise Conflict(f"The store cannot delete these rows: {reason[:300]}")
        await asyncio.sleep(LOOK_EVERY_S)
