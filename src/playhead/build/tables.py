"""Tables of data sources: made, changed, or left alone."""

from collections.abc import Mapping
from typing import Final

from playhead.access.grant import QUARANTINE
from playhead.build.ddl import examine_table
from playhead.build.definition import Definition, change_of, quoted, settings_command
from playhead.build.sentence import counted, in_source, place_of
from playhead.build.target import Change, Target
from playhead.errors import PlayheadError, ProjectInvalid
from playhead.project.problem import Problem
from playhead.project.resources import Datasource
from playhead.project.table import CREATE_SETTINGS, create_table, quarantine_table
from playhead.query.guard.clock import frozen
from playhead.store.async_client import AsyncStoreClient

ALTER_SETTINGS: Final = {**CREATE_SETTINGS, "mutations_sync": "1", "alter_sync": "1"}


async def make_database(store: AsyncStoreClient, database: str) -> None:
    """Make a database if it is not there."""
    await store.command(f"CREATE DATABASE IF NOT EXISTS {quoted(database)} ENGINE = Atomic")


async def drop_database(store: AsyncStoreClient, database: str) -> None:
    """Remove a database with everything in it."""
    await store.command(f"DROP DATABASE IF EXISTS {quoted(database)} SYNC")


async def make_table(target: Target, source: Datasource, database: str) -> None:
    """Make the table of a data source.

    Raises:
        ProjectInvalid: The file asks for what cannot be built; carries lines.
        QueryRefused: An expression is not allowed.
        QueryFailed: The engine refuses the table.
    """
    text = create_table(source, database=database, with_ttl=not target.keeps_expired)
    tree = await target.trees.parse(text)
    examine_table(tree, target.functions)
    if target.clock_ms is not None:
        text = await target.trees.text(frozen(tree, target.clock_ms))
    await target.store.command(text, settings=CREATE_SETTINGS)


async def make_quarantine(target: Target, source: Datasource, database: str) -> None:
    """Make the table of the rows a data source refuses."""
    text = quarantine_table(source, database=database)
    await target.store.command(text, settings=CREATE_SETTINGS)


async def draft_tables(
    target: Target, sources: Mapping[str, Datasource], database: str
) -> list[Problem]:
    """Make every table in a database of its own; return why some cannot be made."""
    problems: list[Problem] = []
    for source in sources.values():
        try:
            await make_table(target, source, database)
            await make_quarantine(target, source, database)
        except ProjectInvalid as error:
            problems += _lines(error, source)
        except PlayheadError as error:
            problems.append(in_source(source, error, database=database))
    return problems


def obstacles(
    sources: Mapping[str, Datasource],
    stored: Mapping[str, Definition],
    wanted: Mapping[str, Definition],
) -> list[Problem]:
    """Return what cannot be changed without losing rows."""
    problems: list[Problem] = []
    for name, source in sources.items():
        if name not in stored or name not in wanted:
            continue
        change = change_of(stored[name], wanted[name])
        if change.obstacle and stored[name].row_count:
            count = counted(stored[name].row_count, "row")
            line, column = place_of(source, change.column)
            problems.append(
                Problem(
                    source.path,
                    f"'{name}' holds {count}, and {change.obstacle}; the rows cannot be kept.",
                    line,
                    column,
                    "'playhead deploy' takes rows along, by a FORWARD_QUERY where names and types do"
                    " not say how. Or leave it as it was and add a data source of another name.",
                )
            )
    return problems


async def apply_table(
    target: Target,
    source: Datasource,
    stored: Mapping[str, Definition],
    wanted: Mapping[str, Definition],
) -> Change | None:
    """Bring a data source's tables to what is wanted; None when they are already."""
    name, database = source.name, target.database_of(source.name)
    await widen_quarantine(target, source, stored, wanted)
    if name not in stored:
        await make_table(target, source, database)
        return Change("created", "data source", name)
    change = change_of(stored[name], wanted[name])
    if change.obstacle:
        await drop_table(target, name, database=database)
        await make_table(target, source, database)
        return Change("recreated", "data source", name, change.obstacle)
    for command in change.commands:
        await target.store.command(
            f"ALTER TABLE {quoted(database)}.{quoted(name)} {command}", settings=ALTER_SETTINGS
        )
    if not change.commands:
        return None
    return Change("changed", "data source", name, "; ".join(change.commands))


async def drop_table(target: Target, name: str, *, database: str) -> None:
    """Remove a table or view."""
    await target.store.command(f"DROP TABLE IF EXISTS {quoted(database)}.{quoted(name)} SYNC")


async def widen_quarantine(
    target: Target,
    source: Datasource,
    stored: Mapping[str, Definition],
    wanted: Mapping[str, Definition],
) -> None:
    """Give the quarantine the columns that are new; it never loses one."""
    name = source.name + QUARANTINE
    if name not in stored:
        await make_quarantine(target, source, target.database)
        return
    settings = settings_command(stored[name], wanted[name])
    if settings:
        await target.store.command(
            f"ALTER TABLE {quoted(target.database)}.{quoted(name)} {settings}",
            settings=ALTER_SETTINGS,
        )
    there = {column.name for column in stored[name].columns}
    for column in wanted[name].columns:
        if column.name not in there:
            await target.store.command(
                f"ALTER TABLE {quoted(target.database)}.{quoted(name)}"
                f" ADD COLUMN {column.declared()}",
                settings=ALTER_SETTINGS,
            )


def _lines(error: ProjectInvalid, source: Datasource) -> list[Problem]:
    """Return an error's lines as problems again: they already say where."""
    problems = []
    for line in error.message.splitlines():
        parts = line.split(":", 3)
        if len(parts) == 4 and parts[1].isdigit() and parts[2].isdigit():
            file, at, column, message = parts
            problems.append(Problem(file, message.strip(), int(at), int(column)))
        else:
            problems.append(Problem(source.path, line))
    return problems
