"""Fixtures go into the data sources that hold no rows."""

from pathlib import Path
from typing import Final

import msgspec

from playhead.build.definition import Definition, placed_definitions
from playhead.build.manifest import live_manifest
from playhead.build.sentence import counted
from playhead.build.target import Change, Target
from playhead.build.views import materialized, row_count, view_of
from playhead.errors import PlayheadError, ProjectInvalid, Unavailable
from playhead.project.fixtures import Block, fixture_rows
from playhead.project.folder import is_inside
from playhead.project.problem import Problem
from playhead.project.resources import Fixture, Project
from playhead.project.rows import INSERT_SETTINGS, VIEW_SETTINGS
from playhead.query.pipes.run import SETTINGS
from playhead.store.result import Limits
from playhead.template.rendering import Inputs

GENERATOR_BYTES_MAX: Final = 64 * 1024 * 1024
"""Most bytes a generator query of fixtures may make."""
GENERATOR_MS_MAX: Final = 60_000
REASONS_SHOWN: Final = 1
# One thread and one block at a time: views see the rows in the order of the file.
_INSERT_SETTINGS: Final = {**INSERT_SETTINGS, **VIEW_SETTINGS, "max_threads": "1"}


class Loaded(msgspec.Struct, frozen=True):
    """What the fixtures brought."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[Problem, ...] = ()


class _Count(msgspec.Struct):
    rows: int = 0
    refused: int = 0
    reason: str = ""


async def load_fixtures(project: Project, target: Target, *, at_s: int = 0) -> Loaded:
    """Load every fixture whose data source holds no rows; what fits no row goes to quarantine.

    One whose rows have gone through a view before is left out even so.

    Args:
        project: What was built.
        target: Where.
        at_s: `insertion_date` of refused rows, UTC seconds.

    Raises:
        StoreUnavailable: The store went away; data sources that have rows are not loaded again.
    """
    changes: list[Change] = []
    warnings: list[Problem] = []
    if target.data_dir is not None:  # a deployment may have moved tables
        live = live_manifest(target.data_dir)
        target = msgspec.structs.replace(target, places=live.places)
    tables = await placed_definitions(target.store, target.database, target.places)
    passed_on = await _passed_on(project, target)
    for fixture in _in_order(project):
        name = project.aliases.get(fixture.datasource, fixture.datasource)
        if name not in project.datasources or name not in tables:
            continue
        if name in passed_on or await row_count(target.store, target.database_of(name), name):
            continue
        try:
            count = await _load(project, target, fixture, tables[name], at_s)
        except Unavailable:
            raise
        except (PlayheadError, OSError) as error:
            sentence = error.message if isinstance(error, PlayheadError) else str(error)
            warnings.append(Problem(fixture.path, f"not loaded: {sentence}", warning=True))
            continue
        detail = counted(count.rows, "row")
        if count.refused:
            refused = counted(count.refused, "row")
            message = f"{refused} went to {name}_quarantine; the first: {count.reason}"
            warnings.append(Problem(fixture.path, message, warning=True))
        changes.append(Change("loaded", "fixture", name, detail))
    return Loaded(tuple(changes), tuple(warnings))


async def _passed_on(project: Project, target: Target) -> set[str]:
    """Return the data sources that are empty although their views have filled what comes after.

    Such a one keeps no rows (Null), or they have expired; loaded again, the views would count
    every row twice.
    """
    found = await target.store.rows(
        "SELECT name FROM system.tables WHERE has({databases:Array(String)}, database)"
        " AND total_rows > 0",
        {"databases": target.databases()},
    )
    held = {str(name) for (name,) in found.rows}
    if not held:
        return set()
    resolver = target.resolver(project, target.database)
    views = [
        await view_of(target, resolver, pipe, node, database=target.database)
        for pipe, node in materialized(project)
    ]
    reached = set(held)
    for _ in views:  # the longest chain is as long as there are views
        reached |= {v.source for v in views if project.aliases.get(v.target, v.target) in reached}
    return reached - held


def _in_order(project: Project) -> list[Fixture]:
    """Return the fixtures, those of targets last: a view may fill them from the others."""
    targets = {node.target for _, node in materialized(project)}
    found = project.fixtures.values()
    return sorted(found, key=lambda one: (one.datasource in targets, one.path))


async def _load(
    project: Project, target: Target, fixture: Fixture, table: Definition, at_s: int
) -> _Count:
    root = Path(project.root)
    if not is_inside(root, fixture.path):
        raise ProjectInvalid("the file is a link to a place outside the project.")
    content = (root / fixture.path).read_bytes()
    if fixture.format == "sql":
        content = await _generated(project, target, content.decode("utf-8", "replace"))
    count = _Count()
    project = _with_types(project, fixture, table)
    for block in fixture_rows(project, fixture, lambda _path: content):
        await _insert(target, block, at_s)
        count.rows += block.row_count
        count.refused += len(block.refused)
        if block.refused and not count.reason:
            count.reason = "; ".join(block.refused[0].reasons[:REASONS_SHOWN])
    return count


def _with_types(project: Project, fixture: Fixture, table: Definition) -> Project:
    """Give the columns that say only a default the types the engine found for them."""
    types = {column.name: column.type for column in table.columns}
    source = project.datasources[project.aliases.get(fixture.datasource, fixture.datasource)]
    columns = tuple(
        column if column.type else msgspec.structs.replace(column, type=types.get(column.name, ""))
        for column in source.columns
    )
    source = msgspec.structs.replace(source, columns=columns)
    datasources = {**project.datasources, source.name: source}
    return msgspec.structs.replace(project, datasources=datasources)


async def _insert(target: Target, block: Block, at_s: int) -> None:
    reader = block.reader
    if block.row_count:
        await target.store.insert_rows(
            reader.insert(target.database_of(reader.datasource.name)),
            block.body,
            settings=_INSERT_SETTINGS,
        )
    if block.refused:
        await target.store.insert_rows(
            reader.refused_insert(target.database),
            reader.refused_body(block.refused, at_s=at_s, import_id="fixtures"),
            settings=_INSERT_SETTINGS,
        )


async def _generated(project: Project, target: Target, sql: str) -> bytes:
    """Return the rows of a generator query, which passes the guard as any query does."""
    resolver = target.resolver(project, target.database)
    prepared = await resolver.sql(sql.strip().rstrip(";"), Inputs())
    if prepared.format not in {None, "JSONEachRow"}:
        raise ProjectInvalid("A generator of fixtures names no FORMAT, or JSONEachRow.")
    answered = await target.store.answer(
        prepared.sql,
        prepared.bound,
        format="JSONEachRow",
        limits=Limits(timeout_ms=GENERATOR_MS_MAX, max_result_bytes=GENERATOR_BYTES_MAX),
        settings={**SETTINGS, "output_format_json_quote_64bit_integers": "0"},
    )
    return answered.body
