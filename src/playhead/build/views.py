"""Materialized views: what they follow, what they fill, and the order in which they are made."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from playhead.build.definition import quoted
from playhead.build.lineage import is_union, source_of
from playhead.build.order import Circle, in_order
from playhead.build.sentence import close_to, in_node
from playhead.build.target import Target
from playhead.errors import PlayheadError, QueryFailed, QueryRefused
from playhead.project.problem import Problem
from playhead.project.resources import Node, Pipe, Project
from playhead.query.pipes.resolve import Prepared, Resolver
from playhead.query.pipes.workspace import Workspace
from playhead.store.async_client import AsyncStoreClient
from playhead.template.rendering import Inputs

PREFIX: Final = ".view."
"""Views bear names no data source can have."""
SETTINGS: Final = {
    "allow_suspicious_types_in_group_by": "1",
    "allow_suspicious_types_in_order_by": "1",
    "joined_subquery_requires_alias": "0",
    "max_partitions_per_insert_block": "0",
}
NO_COLUMN: Final = 8
NO_CONVERSION: Final = 70


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A materialized node, resolved."""

    name: str
    pipe: Pipe
    node: Node
    sql: str
    source: str
    """The data source whose inserts it follows."""
    reads: frozenset[str]
    """Every data source it reads."""

    @property
    def target(self) -> str:
        """Return the data source it fills."""
        return self.node.target

    @property
    def digest(self) -> str:
        """Return what changes when the view does."""
        return hashlib.blake2b(f"{self.target}\n{self.sql}".encode(), digest_size=16).hexdigest()


def materialized(project: Project) -> list[tuple[Pipe, Node]]:
    """Return every materialized node and its pipe, by the pipes' names."""
    pipes = sorted(project.pipes.values(), key=lambda pipe: pipe.name)
    return [(p, node) for p in pipes for node in p.nodes if node.kind == "materialized"]


async def view_of(
    target: Target, resolver: Resolver, pipe: Pipe, node: Node, *, database: str
) -> View:
    """Return a node as a view over the tables of `database`, or where the resolver finds them.

    Raises:
        PlayheadError: It cannot be one; the sentence says why.
    """
    prepared = await resolver.node(pipe.name, node.name, Inputs())
    if prepared.bound:
        raise QueryRefused("A materialized node cannot use tb_secret: its view is kept for good.")
    tree = await target.trees.parse(prepared.sql)
    database_of, source = source_of(tree) or ("", "")
    if not source:
        raise QueryRefused("A materialized node reads a data source; this one reads none.")
    if database_of != resolver.workspace.places.get(source, database):
        raise QueryRefused(
            f"A materialized node follows a data source of the project, not {database_of}.{source};"
            " read that in an endpoint."
        )
    if source == node.target:
        raise QueryRefused(f"The node reads '{source}', which it fills: {source} → {source}.")
    sql = prepared.sql
    if is_union(tree):
        # A view follows only the first SELECT of a union; as a sub-query it follows all of it.
        sql = f"SELECT * FROM ({sql})"  # noqa: S608 (checked by the guard)
    return View(
        name=f"{PREFIX}{pipe.name}.{node.name}",
        pipe=pipe,
        node=node,
        sql=sql,
        source=source,
        reads=_own(prepared, resolver.workspace),
    )


async def create_view(target: Target, view: View, *, database: str) -> None:
    """Make the view in the database of its target; rows inserted from now on go through it.

    Raises:
        QueryFailed: The engine refuses it.
    """
    await target.store.command(
        f"CREATE MATERIALIZED VIEW {quoted(database)}.{quoted(view.name)}"
        f" TO {quoted(database)}.{quoted(view.target)} AS {view.sql}",
        settings=SETTINGS,
    )


async def drop_view(target: Target, name: str, *, database: str) -> None:
    """Remove a view; its rows stay in its target."""
    await target.store.command(f"DROP VIEW IF EXISTS {quoted(database)}.{quoted(name)} SYNC")


async def fill_view(target: Target, view: View, columns: Sequence[str]) -> int:
    """Put what the source already holds through the view; return how many rows it has made."""
    names = ", ".join(quoted(column) for column in columns)
    database = target.database_of(view.target)
    table = f"{quoted(database)}.{quoted(view.target)}"
    before = await row_count(target.store, database, view.target)
    await target.store.command(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM ({view.sql})",  # noqa: S608 (as above)
        settings={**SETTINGS, "max_insert_threads": "1"},
    )
    return await row_count(target.store, database, view.target) - before


async def row_count(store: AsyncStoreClient, database: str, table: str) -> int:
    """Return how many rows a table holds; 0 for one that keeps none."""
    found = await store.rows(
        "SELECT ifNull(total_rows, 0) FROM system.tables"
        " WHERE database = {database:String} AND name = {table:String}",
        {"database": database, "table": table},
    )
    return int(found.rows[0][0]) if found.rows else 0


def arranged(views: Mapping[str, View]) -> tuple[View, ...]:
    """Return the views so that each stands behind those that fill what it follows.

    Raises:
        Circle: Rows would go round; the path names data sources.
    """
    flow: dict[str, set[str]] = {}
    for view in views.values():
        flow.setdefault(view.target, set()).add(view.source)
        flow.setdefault(view.source, set())
    in_order(flow)
    follows = {name: _makers(views, {view.source}) for name, view in views.items()}
    reads = {name: _makers(views, view.reads) - {name} for name, view in views.items()}
    try:
        order = in_order(reads)
    except Circle:
        # Only joins go round, which is no harm: rows come by what is followed.
        order = in_order(follows)
    return tuple(views[name] for name in order)


def problem_of(view: View, error: PlayheadError, *, database: str) -> Problem:
    """Return why a view cannot be made, in words about its target."""
    if isinstance(error, QueryFailed) and error.engine_code in {NO_COLUMN, NO_CONVERSION}:
        plain = in_node(view.pipe, view.node, error, database=database)
        hint = f"Its target is the data source '{view.target}': compare their columns."
        return Problem(plain.file, plain.message, plain.line, plain.column, hint)
    return in_node(view.pipe, view.node, error, database=database)


def target_missing(pipe: Pipe, node: Node, names: Sequence[str]) -> Problem:
    """Return the problem of a node whose target is no data source."""
    line, column = node.line, 1
    for number, text in enumerate(pipe.text.splitlines(), 1):
        if node.target in text and "DATASOURCE" in text.upper():
            line, column = number, text.index(node.target) + 1
    message = f"node '{node.name}': there is no data source '{node.target}' to fill."
    return Problem(pipe.path, message, line, column, close_to(node.target, list(names)))


def _makers(views: Mapping[str, View], tables: set[str] | frozenset[str]) -> set[str]:
    return {name for name, view in views.items() if view.target in tables}


def _own(prepared: Prepared, workspace: Workspace) -> frozenset[str]:
    """Return the data sources of the project among what a query reads."""
    every = (table.partition(".") for table in prepared.tables)
    return frozenset(name for database, _, name in every if database in workspace.databases())
