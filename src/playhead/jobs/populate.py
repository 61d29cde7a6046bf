"""Populating: the rows a data source already holds go through a materialized node again.

At one moment, with the worker held off, the source is cloned (and the target emptied, if that was
asked); from then on new rows reach the target through the live view, the old ones through this job.
They go into a table that keeps nothing, behind which the view's query stands, block by block, as
an insert would have brought them.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from playhead.build.definition import quoted
from playhead.build.lock import barrier
from playhead.build.target import Target, target_of
from playhead.build.views import SETTINGS, View, view_of
from playhead.errors import Conflict, ProjectInvalid
from playhead.jobs.clone import CLONE, columns_of
from playhead.jobs.copies import poured
from playhead.jobs.job import Job
from playhead.jobs.projects import Projects, node_of
from playhead.jobs.work import JobCancelled, Work
from playhead.project.manifest import STAGING_FILE
from playhead.project.resources import Datasource
from playhead.project.table import CREATE_SETTINGS
from playhead.query.pipes.live import Live, bounds_of
from playhead.query.pipes.resolve import Resolver
from playhead.store.async_client import AsyncStoreClient
from playhead.store.binding import filters_literal
from playhead.store.pour import Flow, freeze, parts_of

KIND: Final = "populate"
KEPT: Final = frozenset({"Null", "Join"})
"""Engines of which no clone can be made."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of a populate job."""

    pipe: str
    node: str = ""
    condition: str = ""
    """Only rows of the source for which it holds: SQL that `check_filters` has seen."""
    truncate: bool = False
    """Empty the target first."""


class Populate:
    """The kind "populate"."""

    name: Final = KIND

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    async def run(self, work: Work) -> None:
        """Populate; called again after a stop it goes on where it was."""
        asked = msgspec.convert(work.job.detail, Asked)
        live = await self._projects.newest(work.job.workspace)
        passage = _Passage(work, live, asked)
        await passage.find()
        try:
            await passage.begin()
        except JobCancelled:
            # Nothing was changed: retried, it begins anew.
            await passage.close()
            await work.forget("parts", "columns")
            raise
        if "poured" not in work.kept:
            await passage.open()
            rows = await poured(work, passage.flow())
            await work.keep(poured=True, rows=rows)
        await passage.close()
        await work.progress(work.kept["rows"], work.kept["rows"])


def populate_job(asked: Asked, *, target: str, workspace: str) -> Job:
    """Return the job of populating a node's target, which is no alias."""
    detail: dict[str, Any] = msgspec.to_builtins(asked)
    return Job(kind=KIND, workspace=workspace, name=asked.pipe, writes=target, detail=detail)


class _Passage:
    """The way of the old rows: a clone of the source, and a table of nothing with the view behind."""

    def __init__(self, work: Work, live: Live, asked: Asked) -> None:
        self._work = work
        self._live = live
        self._asked = asked
        self._store: AsyncStoreClient = work.desk.store
        self._database = f"{live.workspace.database}_job_{work.job.id.replace('-', '')}"
        self._view: View | None = None

    @property
    def view(self) -> View:
        """Return the view; `find` has been called."""
        if self._view is None:
            raise ValueError("find comes first")
        return self._view

    async def find(self) -> None:
        """Find the node and what it follows.

        Raises:
            NotFound, ProjectInvalid, QueryRefused: It cannot be populated; the sentence says why.
        """
        live, asked = self._live, self._asked
        pipe, node = node_of(live, asked.pipe, "materialized", asked.node)
        target = await target_of(self._store, self._work.desk.config.pipes)
        name = live.workspace.database
        seen = await view_of(target, live.resolver, pipe, node, database=name)
        places = {**live.workspace.places, seen.source: self._database}
        workspace = msgspec.structs.replace(live.workspace, places=places)
        moved = Resolver(
            workspace, target.trees, target.functions, bounds_of(self._work.desk.config.pipes)
        )
        self._view = await view_of(target, moved, pipe, node, database=self._database)
        await self._check(target, self.view)

    async def begin(self) -> None:
        """Cut, unless that was done; once this returns it goes to its end.

        Raises:
            JobCancelled: Somebody cancelled it; nothing was changed.
        """
        work = self._work
        if not work.kept.get("begun"):
            work.check()
        if "parts" not in work.kept:
            await self.cut()
        if not work.kept.get("begun"):
            work.check()
            await work.keep(begun=True)

    async def cut(self) -> None:
        """Clone the source, and empty the target if that was asked, at one moment."""
        work, source = self._work, self._source()
        folder = work.desk.folder(work.job.workspace)
        await self._store.command(f"CREATE DATABASE IF NOT EXISTS {quoted(self._database)}")
        async with barrier(folder, work.desk.clock):
            if (folder / STAGING_FILE).exists():
                raise Conflict(
                    "A deployment is staged, whose tables this would not reach. Nothing was changed.",
                    hint="Promote or discard it first: 'playhead deployment ls'.",
                )
            await freeze(
                self._store,
                self._full(source.name),
                self._clone(),
                has_ttl=bool(source.engine.ttl),
                settings=CREATE_SETTINGS,
            )
            parts = await parts_of(self._store, self._database, CLONE)
            columns = await columns_of(self._store, self._database, CLONE)
            if self._asked.truncate:
                await work.keep(begun=True)
                await self._store.command(f"TRUNCATE TABLE {self._full(self.view.target)} SYNC")
            await work.keep(parts=msgspec.to_builtins(parts), columns=columns)

    async def open(self) -> None:
        """Make the table of nothing and the view behind it."""
        source = f"{quoted(self._database)}.{quoted(self.view.source)}"
        into = f"{quoted(self._database)}.{quoted(self.view.name)}"
        await self._store.command(f"DROP VIEW IF EXISTS {into} SYNC")
        await self._store.command(f"DROP TABLE IF EXISTS {source} SYNC")
        await self._store.command(
            f"CREATE TABLE {source} AS {self._clone()} ENGINE = Null", settings=CREATE_SETTINGS
        )
        await self._store.command(
            f"CREATE MATERIALIZED VIEW {into} TO {self._full(self.view.target)} AS {self.view.sql}",
            settings=SETTINGS,
        )

    def flow(self) -> Flow:
        """Return from where to where the rows are poured."""
        columns = tuple(self._work.kept["columns"])
        settings = {}
        if self._asked.condition:
            table = f"{self._database}.{CLONE}"
            settings = {"additional_table_filters": filters_literal({table: self._asked.condition})}
        return Flow(
            source=self._clone(),
            target=f"{quoted(self._database)}.{quoted(self.view.source)}",
            columns=columns,
            select=", ".join(quoted(name) for name in columns),
            mark=f"populate:{self._work.job.id}",
            settings=settings,
        )

    async def close(self) -> None:
        """Remove everything that was made for the job."""
        await self._store.command(f"DROP DATABASE IF EXISTS {quoted(self._database)} SYNC")

    async def _check(self, target: Target, view: View) -> None:
        source = self._source()
        if source.engine.kind in KEPT:
            raise ProjectInvalid(
                f"'{source.name}' has the engine {source.engine.kind}: it keeps no rows to populate"
                " from.",
                hint="Import the rows again; they go through the view then.",
            )
        tree = await target.trees.parse(view.sql)
        if sum(1 for one in _tables(tree) if one == (self._database, source.name)) > 1:
            raise ProjectInvalid(
                f"The node reads '{source.name}' more than once: an insert would see all of it at"
                " the second place, but the rows populated now only themselves.",
                hint="Fill the target by a copy pipe.",
            )

    def _source(self) -> Datasource:
        project = self._live.workspace.project
        name = self.view.source
        return project.datasources[project.aliases.get(name, name)]

    def _full(self, name: str) -> str:
        return f"{quoted(self._live.workspace.database_of(name))}.{quoted(name)}"

    def _clone(self) -> str:
        return f"{quoted(self._database)}.{quoted(CLONE)}"


def _tables(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield every table that a tree names with its database."""
    todo = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            parts = (one.get("database_and_table_name") or {}).get("name_parts") or []
            if len(parts) == 2:
                yield parts[0], parts[1]
            todo += one.values()
