"""Where the rows of a project go: the routes of what is built, and of rows logged before it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from playhead.access.files import write_private
from playhead.build.definition import Definition, StoredColumn, quoted
from playhead.build.tables import drop_database, make_database
from playhead.build.target import Target
from playhead.errors import PlayheadError, ProjectInvalid
from playhead.observe import logger
from playhead.project.problem import Problem
from playhead.project.resources import Project
from playhead.project.routes import (
    ROUTES_FILE,
    UNREADABLE,
    Route,
    Routes,
    Shape,
    read_routes,
    routes_json,
)
from playhead.project.rows import RowReader
from playhead.project.table import CREATE_SETTINGS
from playhead.store.async_client import AsyncStoreClient

PASSAGES: Final = "passages"
"""The database of a project's passages is `<database>_passages`."""
NOT_OURS: Final = ":"
"""In the name of a source that a deployment keeps: `staging:plays`."""
_LOG = logger("build")


def old_routes(data_dir: Path) -> Routes:
    """Return the routes that are there; none where they cannot be read."""
    try:
        return read_routes(data_dir / ROUTES_FILE)
    except FileNotFoundError:
        return Routes()
    except UNREADABLE as error:
        _LOG.error(
            "routes_not_read", reason=str(error), kept="rows of older shapes go to quarantine"
        )
        return Routes()


def write_routes(data_dir: Path, routes: Routes) -> None:
    """Write where rows go; the worker takes it from the next range on."""
    (data_dir / ROUTES_FILE).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(data_dir / ROUTES_FILE, routes_json(routes))


def has_routes(data_dir: Path) -> bool:
    """Return whether there are routes that can be read."""
    try:
        read_routes(data_dir / ROUTES_FILE)
    except UNREADABLE:
        return False
    return True


async def routes_of(
    target: Target,
    project: Project,
    definitions: Mapping[str, Definition],
    before: Routes,
) -> Routes:
    """Return the routes of a project, and those of the shapes its data sources had.

    Args:
        target: Where its tables are.
        project: What is built.
        definitions: Its tables as the engine says them.
        before: The routes so far.

    Returns:
        They; without those of data sources that can take no rows (see `unroutable`).

    Raises:
        PlayheadError: The store is away.
    """
    kept = await _kept(target, project, before)
    routes = Routes(sources=kept)
    for name, source in project.datasources.items():
        if name not in definitions:
            continue
        columns = definitions[name].columns
        types = {c.name: c.type for c in columns if _untyped(project, name, c.name)}
        try:
            reader = RowReader(source, types)
        except ProjectInvalid:
            continue
        shape = reader.shape(target.database_of(name), target.database)
        for old_id, old in before.sources.get(name, {}).items():
            if old_id != reader.shape_id:
                moved = await _moved(target, old_id, old, shape, columns)
                routes = routes.with_shape(name, old_id, moved)
        routes = routes.with_shape(name, reader.shape_id, shape)
        routes.types[name] = types
    return routes


async def make_passage(
    target: Target,
    at: Route,
    shape: Shape,
    columns: Mapping[str, str],
    into: Route,
    defaults: Mapping[str, StoredColumn] | None = None,
) -> Route:
    """Make a passage: a table that keeps nothing, and a view that makes of its rows those of `into`.

    Args:
        target: The store.
        at: Where the table goes: a database that is there, and a new name.
        shape: In which columns the rows come.
        columns: Column of `into` to the expression that makes it, guarded by whoever made it.
        into: The table that takes the rows.
        defaults: Columns of `into` whose DEFAULT a row without value takes.
    """
    lines = []
    for column, kind in zip(shape.columns, shape.types, strict=True):
        default = (defaults or {}).get(column)
        more = (
            f" DEFAULT {default.default}" if default and default.default_kind == "DEFAULT" else ""
        )
        lines.append(f"{quoted(column)} {kind}{more}")
    name = at.table
    table = f"{quoted(at.database)}.{quoted(name)}"
    view = f"{quoted(at.database)}.{quoted(name + '_view')}"
    made = ", ".join(f"{expression} AS {quoted(column)}" for column, expression in columns.items())
    store = target.store
    await store.command(
        f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(lines)}) ENGINE = Null",
        settings=CREATE_SETTINGS,
    )
    await store.command(f"DROP VIEW IF EXISTS {view} SYNC")
    await store.command(
        f"CREATE MATERIALIZED VIEW {view} TO {quoted(into.database)}.{quoted(into.table)}"  # noqa: S608 (quoted, guarded)
        f" AS SELECT {made} FROM {table}",
        settings=CREATE_SETTINGS,
    )
    return Route(database=at.database, table=name, passage=f"{at.database}.{name}_view")


async def drop_unused_passages(target: Target, routes: Routes) -> None:
    """Remove the passages of the target that no route leads through."""
    database = f"{target.database}_{PASSAGES}"
    used = {
        route.table
        for shapes in routes.sources.values()
        for shape in shapes.values()
        for route in shape.routes
        if route.database == database
    }
    if not used:
        await drop_database(target.store, database)
        return
    for name in await _tables(target.store, database):
        if name.removesuffix("_view") not in used:
            await target.store.command(
                f"DROP TABLE IF EXISTS {quoted(database)}.{quoted(name)} SYNC"
            )


async def _kept(target: Target, project: Project, before: Routes) -> dict[str, dict[str, Shape]]:
    """Return the sources that the project has not: what a deployment keeps, and what is gone from it.

    Rows logged for one that is gone still go into its table, where that was kept.
    """
    there = set(await _tables(target.store, target.database))
    return {
        name: shapes
        for name, shapes in before.sources.items()
        if NOT_OURS in name or (name not in project.datasources and name in there)
    }


async def _moved(
    target: Target, old_id: str, old: Shape, new: Shape, columns: tuple[StoredColumn, ...]
) -> Shape:
    """Return an older shape with routes to where its rows belong now."""
    types = dict(zip(new.columns, new.types, strict=True))
    before = dict(zip(old.columns, old.types, strict=True))
    into = new.routes[0]
    if all(types.get(name) == kind for name, kind in before.items()):
        routes: tuple[Route, ...] = (into,)
    else:
        made = {
            name: quoted(name)
            if before[name] == kind
            else f"accurateCast({quoted(name)}, {_text(kind)})"
            for name, kind in types.items()
            if name in before
        }
        defaults = {c.name: c for c in columns if before.get(c.name) == types.get(c.name)}
        routes = await _passage(target, f"{into.table}_{old_id}", old, made, into, defaults)
    return msgspec.structs.replace(old, routes=routes, refused_into=new.refused_into)


async def _passage(
    target: Target,
    name: str,
    shape: Shape,
    columns: Mapping[str, str],
    into: Route,
    defaults: Mapping[str, StoredColumn],
) -> tuple[Route, ...]:
    """Return the route through a passage; none where the rows cannot become what the table takes."""
    database = f"{target.database}_{PASSAGES}"
    if not columns:
        return ()
    await make_database(target.store, database)
    try:
        at = Route(database=database, table=name)
        made = await make_passage(target, at, shape, columns, into, defaults)
    except PlayheadError as error:
        _LOG.warning("passage_not_made", table=into.table, reason=error.message)
        return ()
    return (made,)


async def _tables(store: AsyncStoreClient, database: str) -> list[str]:
    found = await store.rows(
        "SELECT name FROM system.tables WHERE database = {database:String}", {"database": database}
    )
    return [str(name) for (name,) in found.rows]


def _untyped(project: Project, datasource: str, column: str) -> bool:
    columns = project.datasources[datasource].columns
    return any(one.name == column and not one.type for one in columns)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def unroutable(project: Project, definitions: Mapping[str, Definition]) -> list[Problem]:
    """Return why a data source could take no rows, a warning each."""
    found: list[Problem] = []
    for name, source in project.datasources.items():
        if name not in definitions:
            continue
        types = {c.name: c.type for c in definitions[name].columns}
        try:
            RowReader(source, types)
        except ProjectInvalid as error:
            found.append(Problem(source.path, f"it takes no rows: {error.message}", warning=True))
    return found
