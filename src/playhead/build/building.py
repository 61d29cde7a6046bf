"""A build: the project laid out beside, then made in place, then switched live."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.build.definition import Definition, placed_definitions
from playhead.build.digest import built_of, digest_of, digest_of_project
from playhead.build.draft import Draft, Drafting
from playhead.build.idle import idle
from playhead.build.lock import barrier, locked
from playhead.build.manifest import (
    Built,
    has_folder,
    is_live,
    live_manifest,
    read_built,
    write_built,
    write_live,
)
from playhead.build.published import Joined, explained, joined
from playhead.build.routing import (
    drop_unused_passages,
    has_routes,
    old_routes,
    routes_of,
    unroutable,
    write_routes,
)
from playhead.build.sentence import counted
from playhead.build.tables import (
    apply_table,
    drop_database,
    drop_table,
    make_database,
    obstacles,
)
from playhead.build.target import BuildResult, Change, Deed, Target
from playhead.build.views import (
    PREFIX,
    View,
    arranged,
    create_view,
    drop_view,
    fill_view,
    materialized,
    row_count,
    view_of,
)
from playhead.clock import Clock
from playhead.errors import Conflict
from playhead.project.manifest import STAGING_FILE, UNREADABLE, Manifest
from playhead.project.problem import Problem
from playhead.project.resources import Project
from playhead.record.tables import make_service_tables

STORE_FOLDER: Final = "store"
"""Where the embedded store keeps its tables, inside the data folder."""


async def build(
    project: Project,
    target: Target,
    clock: Clock,
    *,
    wait_s: float = 0.0,
    first_only: bool = False,
) -> BuildResult:
    """Build a project and switch it live.

    Whoever writes rows into the project's tables must hold `project/build.lock` shared; the build
    holds it alone while it changes them, so a new materialized view gets every row of its source
    exactly once.

    Args:
        project: Its files, read.
        target: Where.
        clock: For the time the build is marked with.
        wait_s: How long to wait for another build of the folder to end.
        first_only: Leave a folder alone that has a live project, also if it got it meanwhile.

    Returns:
        What was found and done. With problems nothing was changed, unless `target.partial`.

    Raises:
        DataDirBusy: Another build of this folder runs.
        Conflict: A deployment is staged in it.
        RowsUnsettled: Rows are on their way into the tables for too long.
        StoreUnavailable: The store went away; a new build goes on where this one stopped.
    """
    folder = target.data_dir
    if folder is None:
        return await _Building(target, clock, Built(), Joined(project)).build(
            digest_of_project(project)
        )
    async with locked(folder, clock, wait_s):
        if first_only and has_folder(folder):
            return BuildResult(project=project)
        _refuse_staged(folder)
        live = _live(folder)
        target = msgspec.structs.replace(target, places=live.places)
        found = joined(project, live.published)
        built = read_built(folder)
        # Of the folder's files alone: what is published is live already when it is.
        building = _Building(target, clock, built, found, live.deployment)
        return await building.build(digest_of_project(project))


def _live(data_dir: Path) -> Manifest:
    """Return what is live; an empty manifest when it cannot be read."""
    try:
        return live_manifest(data_dir)
    except UNREADABLE:
        return Manifest()


def _refuse_staged(data_dir: Path) -> None:
    """Raise Conflict while a deployment is staged: it was made for the tables as they are."""
    if (data_dir / STAGING_FILE).exists():
        raise Conflict(
            "A deployment is staged, so nothing can be built in place; nothing was changed.",
            hint="Promote it or discard it first: 'playhead deployment ls'.",
        )


def is_unchanged(project: Project, data_dir: Path) -> bool:
    """Return whether the last build that went through was of the same files, from the files alone.

    Only to be asked while no store runs: then nobody can have changed its tables since.
    """
    built = read_built(data_dir)
    there = is_live(data_dir) and has_routes(data_dir) and (data_dir / STORE_FOLDER).is_dir()
    return there and not built.filling and built.digest == digest_of_project(project)


class _Building:
    """One build under way."""

    def __init__(
        self, target: Target, clock: Clock, built: Built, found: Joined, deployment: str = ""
    ) -> None:
        self._target = target
        self._deployment = deployment
        self._clock = clock
        self._built = built
        self._found = found
        self._changes: list[Change] = []
        self._warnings: list[Problem] = list(found.warnings)

    async def build(self, digest: str) -> BuildResult:
        target, project = self._target, self._found.project
        if digest == self._built.digest and await self._is_whole():
            return BuildResult(project=project)
        await make_service_tables(target.store)
        draft = await self._drafted(project)
        self._warnings += draft.warnings
        if not target.partial:
            self._warnings += idle(draft.project)
        await make_database(target.store, target.database)
        stored = await placed_definitions(target.store, target.database, target.places)
        sources = draft.project.datasources
        problems = [*draft.problems, *obstacles(sources, stored, draft.definitions)]
        problems = [explained(one, self._found.published) for one in problems]
        if problems and not target.partial:
            return BuildResult(problems=tuple(problems), warnings=tuple(self._warnings))
        self._warnings += unroutable(draft.project, draft.definitions)
        if target.data_dir is None:
            await self._apply(draft, stored, digest)
        else:
            async with barrier(target.data_dir, self._clock):
                await self._apply(draft, stored, digest)
        return BuildResult(
            problems=tuple(problems),
            warnings=tuple(self._warnings),
            changes=tuple(self._changes),
            project=draft.project,
            switched=target.data_dir is not None,
        )

    async def _drafted(self, project: Project) -> Draft:
        database = f"{self._target.database}_draft"
        await drop_database(self._target.store, database)
        await make_database(self._target.store, database)
        try:
            return await Drafting(self._target, project, database).draft()
        finally:
            await drop_database(self._target.store, database)

    async def _apply(self, draft: Draft, stored: Mapping[str, Definition], digest: str) -> None:
        """Bring the database to what the draft says, and switch."""
        project, target = draft.project, self._target
        if self._built.filling:
            self._say_cut_off()
        views = await self._views(project)
        there = await self._stored_views()
        keep = {
            name
            for name, view in views.items()
            if name in there and self._built.views.get(name) == view.digest
        }
        remade = await self._apply_tables(draft, stored, views, there - keep)
        keep -= {n for n in keep if views[n].target in remade or views[n].source in remade}
        for name in (n for n in sorted(there - keep) if n in views):
            await drop_view(target, name, database=self._place(name))
        for view in arranged(views):
            if view.name not in keep:
                await self._make_view(view, draft.definitions)
        await self._remove(project, stored)
        self._look_at_pipes(project)
        if target.data_dir is not None:
            # Before the switch: rows of a new shape have to be known when the first comes.
            routes = await routes_of(
                target, project, draft.definitions, old_routes(target.data_dir)
            )
            write_routes(target.data_dir, routes)
            await drop_unused_passages(target, routes)
            live = Manifest(
                database=target.database,
                files=project.files,
                secrets=project.secrets,
                built_at_ms=self._clock.now_ms(),
                places=target.places,
                deployment=self._deployment,
                published=self._found.published,
            )
            write_live(target.data_dir, live, self._state(project, views, digest))

    async def _apply_tables(
        self,
        draft: Draft,
        stored: Mapping[str, Definition],
        views: Mapping[str, View],
        outdated: set[str],
    ) -> set[str]:
        """Make and change the tables; return which were made anew."""
        for name in sorted(outdated):
            if name not in views:
                self._changes.append(Change("removed", "materialized view", _shown(name)))
            await drop_view(self._target, name, database=self._place(name))
        remade = set()
        for _, source in sorted(draft.project.datasources.items()):
            if source.name not in draft.definitions:
                continue
            change = await apply_table(self._target, source, stored, draft.definitions)
            if change is not None:
                self._changes.append(change)
                if change.deed != "changed":
                    remade.add(source.name)
        return remade

    async def _make_view(self, view: View, wanted: Mapping[str, Definition]) -> None:
        """Make a view and, where that is exact, put the rows through it that are there already."""
        target = self._target
        is_new = view.name not in self._built.views
        database = target.database_of(view.target)
        is_empty = await row_count(target.store, database, view.target) == 0
        await create_view(target, view, database=database)
        deed: Deed = "created" if is_new else "changed"
        detail = f"{view.source} → {view.target}"
        self._changes.append(Change(deed, "materialized view", _shown(view.name), detail))
        if not is_new and not is_empty:
            message = (
                f"node '{view.node.name}' is not what filled '{view.target}' so far: its rows stay,"
                " new ones are made the new way."
            )
            self._warnings.append(Problem(view.pipe.path, message, view.node.line, 1, warning=True))
            return
        if not await row_count(target.store, target.database_of(view.source), view.source):
            return
        self._note(filling=view.name)
        columns = await self._columns_of(view, wanted)
        count = await fill_view(target, view, columns)
        self._note(filling="")
        self._changes.append(
            Change(
                "filled", "data source", view.target, f"{counted(count, 'row')} from {view.source}"
            )
        )

    async def _columns_of(self, view: View, wanted: Mapping[str, Definition]) -> list[str]:
        """Return the columns the view makes, which the target has, in its order."""
        found = await self._target.store.rows(f"DESCRIBE ({view.sql})")
        made = {row[0] for row in found.rows}
        return [c.name for c in wanted[view.target].columns if c.name in made]

    async def _remove(self, project: Project, stored: Mapping[str, Definition]) -> None:
        """Let go of what the last build had and the project has no more; rows are kept."""
        for name in sorted(self._built.tables):
            if name in project.datasources or name not in stored:
                continue
            rows = stored[name].row_count
            refused = stored.get(name + QUARANTINE)
            if rows or (refused is not None and refused.row_count):
                message = (
                    f"the data source '{name}' is gone from the project; its {counted(rows, 'row')}"
                    f" {'is' if rows == 1 else 'are'} kept in the store and"
                    f" {'comes' if rows == 1 else 'come'} back with its file."
                )
                self._warnings.append(Problem(f"{name}.datasource", message, warning=True))
                continue
            for table in (name, name + QUARANTINE):
                await drop_table(self._target, table, database=self._target.database_of(table))
            self._changes.append(Change("removed", "data source", name))

    def _look_at_pipes(self, project: Project) -> None:
        for name, pipe in sorted(project.pipes.items()):
            before = self._built.pipes.get(name)
            if before is None:
                self._changes.append(Change("created", "pipe", name))
            elif before != digest_of(pipe.text):
                self._changes.append(Change("changed", "pipe", name))
        for name in sorted(set(self._built.pipes) - set(project.pipes)):
            self._changes.append(Change("removed", "pipe", name))

    async def _views(self, project: Project) -> dict[str, View]:
        target = self._target
        resolver = target.resolver(project, target.database)
        found = [
            await view_of(target, resolver, pipe, node, database=target.database)
            for pipe, node in materialized(project)
        ]
        return {view.name: view for view in found}

    async def _stored_views(self) -> set[str]:
        found = await self._target.store.rows(
            "SELECT name, database FROM system.tables WHERE has({databases:Array(String)}, database)"
            " AND engine = 'MaterializedView' AND startsWith(name, {prefix:String})",
            {"databases": self._target.databases(), "prefix": PREFIX},
        )
        # Those of tables that a deployment has replaced are not meant: they go with their tables.
        return {str(name) for name, database in found.rows if database == self._place(name)}

    def _place(self, view: str) -> str:
        """Return the database in which the last build or deployment has left a view."""
        return self._built.places.get(view, self._target.database)

    async def _is_whole(self) -> bool:
        """Return whether everything the last build made is still there."""
        folder = self._target.data_dir
        if folder is None or self._built.filling or not is_live(folder) or not has_routes(folder):
            return False
        target = self._target
        stored = await placed_definitions(target.store, target.database, target.places)
        views = await self._stored_views()
        return views >= set(self._built.views) and set(stored) >= set(self._built.tables)

    def _state(self, project: Project, views: Mapping[str, View], digest: str) -> Built:
        kept = {n: d for n, d in self._built.tables.items() if n not in project.datasources}
        return built_of(project, views, self._target, digest=digest, kept=kept)

    def _note(self, *, filling: str) -> None:
        """Remember on disk that a view is being filled: a stop in between must not go unsaid."""
        self._built = msgspec.structs.replace(self._built, filling=filling)
        if self._target.data_dir is not None:
            write_built(self._target.data_dir, self._built)

    def _say_cut_off(self) -> None:
        name = _shown(self._built.filling)
        message = (
            f"an earlier build was cut off while it filled through '{name}'; its target may hold a"
            " part of those rows."
        )
        self._warnings.append(Problem(f"{name.partition('.')[0]}.pipe", message, warning=True))
        self._note(filling="")


def _shown(view: str) -> str:
    """Return the name of a view as its author knows it: `pipe.node`."""
    return view.removeprefix(PREFIX)
