"""The switch: routes, files and places of a deployment become what is live, and what then is left."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.build.definition import Definition, definitions, quoted
from playhead.build.deployment.staging import without_staged
from playhead.build.digest import built_of, digest_of_project
from playhead.build.lock import barrier
from playhead.build.manifest import write_live
from playhead.build.published import joined
from playhead.build.routing import old_routes, routes_of, write_routes
from playhead.build.target import Target
from playhead.build.views import PREFIX, View
from playhead.clock import Clock
from playhead.project.manifest import STAGING_FILE, Manifest
from playhead.project.resources import Project
from playhead.project.routes import Route, Routes, Shape

Name = tuple[str, str]
"""A table or view: its database and its name."""


def _nothing() -> None:
    return


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be live.

    `target` has its places, `project` its files and `views` its views there; `tables` are its data
    sources as the engine says them.
    """

    target: Target
    project: Project
    views: dict[str, View]
    tables: dict[str, Definition]
    deployment: str


async def switch(
    to: Switch,
    live: Manifest,
    *,
    folder: Path,
    clock: Clock,
    check: Callable[[], None] = _nothing,
) -> None:
    """Make a project live: its routes and its manifest, while no row is on its way.

    Done again after a kill it writes the same. Rows that were logged in the columns of before go
    where the routes of the staged project led them.

    Args:
        to: What is to be live.
        live: What is live; what was published over HTTP stays so.
        folder: Of the workspace.
        clock: For the time it is marked with.
        check: Called when no row is on its way any more; what it raises ends it, nothing is changed.

    Raises:
        RowsUnsettled: Rows stay on their way; nothing was changed.
    """
    found = joined(to.project, live.published)
    before = old_routes(folder)
    routes = await routes_of(to.target, to.project, to.tables, without_staged(before))
    routes = _led(routes, before, to)
    manifest = Manifest(
        database=to.target.database,
        files=found.project.files,
        secrets=found.project.secrets,
        built_at_ms=clock.now_ms(),
        places=to.target.places,
        deployment=to.deployment,
        published=found.published,
    )
    built = built_of(
        found.project, to.views, to.target, digest=digest_of_project(to.project), kept={}
    )

    def write() -> None:
        check()
        # Routes first: rows of a new shape have to be known when the first comes. Until the new side
        # is live, rows of all others keep their way into what is: a kill may come in between, and the
        # new side may be discarded then.
        write_routes(folder, _both(before, routes))
        write_live(folder, manifest, built)
        write_routes(folder, routes)
        (folder / STAGING_FILE).unlink(missing_ok=True)

    async with barrier(folder, clock):
        await asyncio.to_thread(write)


def _both(before: Routes, after: Routes) -> Routes:
    """Return the routes of before, with shapes and sources that only `after` has; none of these is newest."""
    sources = dict(before.sources)
    for name, shapes in after.sources.items():
        old = sources.get(name, {})
        sources[name] = {key: one for key, one in shapes.items() if key not in old} | old
    return msgspec.structs.replace(before, sources=sources, types={**after.types, **before.types})


def _led(made: Routes, before: Routes, to: Switch) -> Routes:
    """Return routes in which rows logged before go where they went on the staged side."""
    sources: dict[str, dict[str, Shape]] = {}
    for name, shapes in made.sources.items():
        old = before.sources.get(name, {})
        newest = next(reversed(shapes), "")
        sources[name] = {
            key: shape if key == newest else _led_shape(shape, old.get(key), to, name)
            for key, shape in shapes.items()
        }
    # What was sent to the staged side alone and is still on its way: its tables are the live ones.
    staged = {name: one for name, one in before.sources.items() if ":" in name}
    types = {name: one for name, one in before.types.items() if ":" in name}
    return msgspec.structs.replace(
        made, sources={**sources, **staged}, types={**made.types, **types}
    )


def _led_shape(shape: Shape, old: Shape | None, to: Switch, name: str) -> Shape:
    """Return a shape of before with the route that it had into the new table beside the live one."""
    own = to.target.places.get(name)
    if old is None or own is None:
        return shape
    ways: tuple[Route, ...] = tuple(one for one in old.routes if one.database in {own, f"{own}_in"})
    return msgspec.structs.replace(shape, routes=ways) if ways else shape


def left_by(
    before: Mapping[str, str],
    after: Mapping[str, str],
    views_before: Iterable[Name],
    views_after: Iterable[Name],
    *,
    database: str,
) -> tuple[Name, ...]:
    """Return what nothing needs after a switch: views, tables, tables of refused rows.

    Args:
        before: Data sources that were live, each with its database.
        after: Those that are.
        views_before: Views that were live.
        views_after: Those that are.
        database: Where refused rows are.
    """
    views = sorted(set(views_before) - set(views_after))
    tables = sorted({(d, n) for n, d in before.items()} - {(d, n) for n, d in after.items()})
    gone = sorted((database, name + QUARANTINE) for name in set(before) - set(after))
    return (*views, *tables, *gone)


async def views_in(target: Target, databases: Iterable[str]) -> set[Name]:
    """Return the materialized views of projects in databases."""
    found = await target.store.rows(
        "SELECT database, name FROM system.tables WHERE has({databases:Array(String)}, database)"
        " AND engine = 'MaterializedView' AND startsWith(name, {prefix:String})",
        {"databases": sorted(databases), "prefix": PREFIX},
    )
    return {(str(database), str(name)) for database, name in found.rows}


async def sweep(target: Target, left: Iterable[Name]) -> None:
    """Remove tables and views, and the databases of deployments that are empty then."""
    every = list(left)
    for database, name in every:
        await target.store.command(f"DROP TABLE IF EXISTS {quoted(database)}.{quoted(name)} SYNC")
    for database in sorted({one for one, _ in every} - {target.database}):
        if not await definitions(target.store, database) and not await views_in(target, [database]):
            for one in (f"{database}_in", database):
                await target.store.command(f"DROP DATABASE IF EXISTS {quoted(one)} SYNC")
