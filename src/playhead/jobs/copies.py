"""Copies: the rows of a copy pipe into its data source, each run exactly once.

The query runs once, into a table of the job's own. From there the rows go on in blocks that have
names, so a stop at any moment loses none and doubles none.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from playhead.build.definition import quoted
from playhead.errors import InvalidRequest, ProjectInvalid
from playhead.jobs.draft import Draft, described
from playhead.jobs.job import Job
from playhead.jobs.projects import Projects, node_of
from playhead.jobs.replacing import replace_from
from playhead.jobs.runner import ANY
from playhead.jobs.schedules import Scheduled
from playhead.jobs.work import JobCancelled, Work
from playhead.project.resources import Node
from playhead.project.routes import ROUTES_FILE, UNREADABLE, read_routes
from playhead.query.pipes.live import Live
from playhead.store.async_client import AsyncStoreClient
from playhead.store.pour import Flow, Part, blocks_of, parts_of, pour
from playhead.template.rendering import Given, Inputs

KIND: Final = "copy"
MODES: Final = ("append", "replace")
Mode = str
_FILLED: Final = "filled"
_PASSED: Final = "passed_on"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy was asked for: the detail of its job."""

    pipe: str
    node: str = ""
    params: dict[str, Given] = {}
    mode: Mode = ""
    """"" = as the file says."""
    due_ms: int = 0
    """When a schedule wanted it; 0 = it was asked for."""


class Copies:
    """The kind "copy"."""

    name: Final = KIND

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    async def run(self, work: Work) -> None:
        """Copy; called again after a stop it goes on where it was."""
        asked = msgspec.convert(work.job.detail, Asked)
        live = await self._projects.newest(work.job.workspace)
        _, node = node_of(live, asked.pipe, KIND, asked.node)
        table = Draft(live.workspace.database, work.job.id)
        try:
            if "step" not in work.kept:
                work.check()
                parts = await self._filled(work, live, asked, node, table)
                rows = sum(part.rows for part in parts)
                await work.keep(step=_FILLED, rows=rows, parts=msgspec.to_builtins(parts))
            if work.kept["step"] == _FILLED:
                await self._pass_on(work, live, asked, node, table)
                await work.keep(step=_PASSED)
        except JobCancelled:
            # Nothing was passed on: retried, it begins anew.
            await table.drop(work.desk.store)
            await work.forget("step", "rows", "parts", "columns")
            raise
        await table.drop(work.desk.store)
        await work.progress(work.kept["rows"], work.kept["rows"])

    async def _filled(
        self, work: Work, live: Live, asked: Asked, node: Node, table: Draft
    ) -> tuple[Part, ...]:
        """Run the query into a table of the job's own; return the parts it has.

        Its columns have the types of the target's: what cannot be converted fails here, where
        nothing has been copied yet.
        """
        store = work.desk.store
        inputs = Inputs(params=asked.params, job_timestamp=timestamp(asked, work.job))
        prepared = await live.resolver.node(asked.pipe, node.name, inputs)
        types = await _types(store, live, node.target)
        columns = await described(store, prepared)
        _check(columns, types, node.target)
        await table.fill(
            store,
            prepared.sql,
            prepared.bound,
            columns=", ".join(f"{quoted(name)} {types[name]}" for name in columns),
        )
        await work.keep(columns=columns)
        return await parts_of(store, table.database, table.name)

    async def _pass_on(
        self, work: Work, live: Live, asked: Asked, node: Node, table: Draft
    ) -> None:
        target = live.workspace.project.aliases.get(node.target, node.target)
        columns = tuple(work.kept["columns"])
        mode = asked.mode or mode_of(node)
        if mode == "replace":
            await replace_from(work, target, (table.database, table.name), columns)
            return
        if "tables" not in work.kept:
            work.check()  # the last time: half of it would be worse than all
            # Kept: a deployment may go live meanwhile, and a copy goes on with what it began.
            folder = work.desk.folder(work.job.workspace)
            await work.keep(tables=await asyncio.to_thread(inlets_of, folder, live, target))
        for number, (database, name) in enumerate(work.kept["tables"]):
            flow = Flow(
                source=table.full,
                target=f"{quoted(database)}.{quoted(name)}",
                columns=columns,
                select=", ".join(quoted(name) for name in columns),
                mark=f"copy:{work.job.id}:{number}",
            )
            await poured(work, flow, f"done{number}")


def inlets_of(folder: Path, live: Live, datasource: str) -> list[tuple[str, str]]:
    """Return the tables that new rows of a data source go into: the live one, then a staged one."""
    own = (live.workspace.database_of(datasource), datasource)
    try:
        shapes = read_routes(folder / ROUTES_FILE).sources.get(datasource, {})
    except UNREADABLE:
        return [own]
    newest = list(shapes.values())[-1:]
    return [(r.database, r.table) for shape in newest for r in shape.routes] or [own]


async def poured(work: Work, flow: Flow, counter: str = "done") -> int:
    """Pour the parts a job keeps, and keep how far it is; return how many rows they hold.

    Once begun it goes to its end, also when the job is cancelled: half of it would be worse.

    Args:
        work: Holds `parts`.
        flow: From where to where.
        counter: Under which name the number of blocks is kept.
    """
    parts = msgspec.convert(work.kept["parts"], tuple[Part, ...])
    rows = sum(part.rows for part in parts)
    blocks = max(1, sum(1 for _ in blocks_of(parts)))

    async def told(done: int) -> None:
        await work.keep(**{counter: done})
        await work.progress(rows * done // blocks, rows)

    done = work.kept.get(counter, 0)
    return await pour(work.desk.store, flow, parts, done=done, progress=told)


def job_of(workspace: str, one: Scheduled, due_ms: int) -> Job:
    """Return the job of a copy that fell due."""
    asked = Asked(pipe=one.pipe.name, node=one.node.name, due_ms=due_ms)
    return copy_job(asked, target=one.target, workspace=workspace, mode=mode_of(one.node))


def mode_of(node: Node) -> Mode:
    """Return the mode of a copy node as its file says it."""
    return node.options.get("COPY_MODE", "append").lower()


def copy_job(asked: Asked, *, target: str, workspace: str, mode: Mode = "append") -> Job:
    """Return the job of a copy.

    Args:
        asked: What is copied.
        target: The data source; no alias.
        workspace: Of the pipe.
        mode: What holds where none was asked for.

    Raises:
        InvalidRequest: The mode is none.
    """
    if asked.mode not in {"", *MODES}:
        raise InvalidRequest(f"A copy has the mode append or replace, not '{asked.mode[:40]}'.")
    detail: dict[str, Any] = msgspec.to_builtins(asked)
    # A replacement switches what views fill from the target, too.
    writes = ANY if (asked.mode or mode) == "replace" else target
    return Job(kind=KIND, workspace=workspace, name=asked.pipe, writes=writes, detail=detail)


def timestamp(asked: Asked, job: Job) -> str:
    """Return `job_timestamp`: when the schedule wanted it, else when it was asked for."""
    at = datetime.fromtimestamp((asked.due_ms or job.created_at) / 1000, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S")


async def _types(store: AsyncStoreClient, live: Live, target: str) -> dict[str, str]:
    """Return the types of the target's columns by name."""
    name = live.workspace.project.aliases.get(target, target)
    found = await store.rows(
        "SELECT name, type FROM system.columns WHERE database = {database:String}"
        " AND table = {table:String}",
        {"database": live.workspace.database_of(name), "table": name},
    )
    if not found.rows:
        raise ProjectInvalid(
            f"There is no data source '{target}' to copy into.", hint="Build the project."
        )
    return {str(name): str(type_) for name, type_ in found.rows}


def _check(columns: Sequence[str], types: Mapping[str, str], target: str) -> None:
    unknown = next((name for name in columns if name not in types), None)
    if unknown is not None:
        raise ProjectInvalid(
            f"The copy makes the column '{unknown}', which '{target}' does not have."
            " Nothing was copied.",
            hint="Name the columns of the copy's query as those of the data source.",
        )
