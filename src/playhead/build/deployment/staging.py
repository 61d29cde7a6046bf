"""The tables of a deployment: made beside the live ones, joined to them in one short cut, filled.

What takes long happens before the cut (tables) or after it (rows). The cut holds rows off while the
live tables are cloned by hard links, views begin to follow the tables that both sides share, and the
routes get the new tables as second destinations: from then on every new row goes to both sides.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.build.definition import Definition, definitions, quoted
from playhead.build.deployment.plan import POURED, Fate, Plan, passes_over
from playhead.build.deployment.record import Deployment, Pouring
from playhead.build.routing import NOT_OURS
from playhead.build.tables import (
    ALTER_SETTINGS,
    drop_database,
    make_database,
    make_quarantine,
    make_table,
    widen_quarantine,
)
from playhead.build.target import Target
from playhead.build.views import SETTINGS, View, create_view, materialized, view_of
from playhead.errors import ProjectInvalid
from playhead.project.resources import Project
from playhead.project.routes import Route, Routes, Shape
from playhead.project.table import CREATE_SETTINGS
from playhead.store.binding import literal
from playhead.store.pour import Flow, attach, make_frozen, parts_of, pour

STAGING: Final = f"staging{NOT_OURS}"
"""Begins the name under which rows go that are sent to what is staged alone: `staging:plays`."""
CUT_SETTINGS: Final = {
    **ALTER_SETTINGS,
    # No part is rewritten while rows wait: it happens with the next merges.
    "materialize_ttl_after_modify": "0",
    "mutations_sync": "0",
    "alter_sync": "0",
}
_COLUMN_COMMANDS: Final = ("ADD COLUMN", "MODIFY COLUMN")

Poured = Callable[[Pouring], Awaitable[None]]
"""Is told after each block; it must be kept before this returns."""


class Staging:
    """The staged side of one deployment.

    Args:
        live: The store, with the places of what is live.
        deployment: Its record.
        project: The project that is staged.
    """

    def __init__(self, live: Target, deployment: Deployment, project: Project) -> None:
        self._live = live
        self._store = live.store
        self._id = deployment.id
        self._plan: Plan = deployment.plan
        self._project = project
        self._database = deployment.database
        self._frozen = f"{deployment.database}_frozen"
        self._fill = f"{deployment.database}_fill"
        self._entry = f"{deployment.database}_in"
        kept = {n: d for n, d in live.places.items() if n in project.datasources}
        places = kept | dict.fromkeys(self._plan.moved(), deployment.database)
        self.target = msgspec.structs.replace(live, places=places)
        """The store, with the places of what is staged."""

    @property
    def databases(self) -> tuple[str, ...]:
        """Return every database that is its own."""
        return (self._entry, self._fill, self._frozen, self._database)

    async def remove(self) -> None:
        """Remove all tables of its own; nothing may lead rows into them any more."""
        for database in self.databases:
            await drop_database(self._store, database)

    async def views(self) -> dict[str, View]:
        """Return the views of the staged project over its tables."""
        target = self.target
        resolver = target.resolver(self._project, target.database)
        found = [
            await view_of(target, resolver, pipe, node, database=target.database)
            for pipe, node in materialized(self._project)
        ]
        return {view.name: view for view in found}

    async def prepare(
        self, stored: dict[str, Definition], wanted: dict[str, Definition]
    ) -> tuple[tuple[str, str], ...]:
        """Make the tables, still without rows; return those outside its own databases.

        Args:
            stored: The tables that are live, refused rows' too.
            wanted: As they are to be.

        Raises:
            PlayheadError: One cannot be made.
        """
        await self.remove()
        for database in (self._live.database, *self.databases):
            await make_database(self._store, database)
        made: list[tuple[str, str]] = []
        for name, fate in self._plan.moved().items():
            source = self._project.datasources[name]
            if fate.kind == "clone":
                await self._store.command(
                    f"CREATE TABLE {self._staged(name)} AS {self._at(name)}",
                    settings=CREATE_SETTINGS,
                )
            else:
                await make_table(self._live, source, self._database)
            if name + QUARANTINE not in stored:
                await make_quarantine(self._live, source, self._live.database)
                made.append((self._live.database, name + QUARANTINE))
            else:
                await widen_quarantine(self._live, source, stored, wanted)
            await self._make_entry(name, fate)
        for name in self._frozen_sources():
            await make_frozen(
                self._store,
                self._at(name),
                self._clone(name),
                has_ttl=bool(stored[name].ttl),
                settings=CREATE_SETTINGS,
            )
        await self._make_views(await self.views(), early=True)
        return tuple(made)

    async def cut(self, views: dict[str, View]) -> None:
        """Take what is live as it is at this moment; whoever calls it holds rows off."""
        for name, fate in self._plan.moved().items():
            if fate.kind == "clone":
                await attach(self._store, self._at(name), self._staged(name))
                await self._alter(self._staged(name), fate)
            elif fate.kind == "copy":
                await self._copy(name, fate)
        for name, fate in self._frozen_sources().items():
            await attach(self._store, self._at(name), self._clone(name))
            if fate.kind == "clone":
                await self._alter(self._clone(name), fate)
        await self._make_views(views, early=False)

    async def pourings(self) -> tuple[Pouring, ...]:
        """Return what the cut has frozen, in the order it is to be poured."""
        found = []
        sources = self._frozen_sources()
        for name in self._plan.fates:
            if name in sources:
                parts = await parts_of(self._store, self._frozen, name)
                rows = sum(part.rows for part in parts)
                fills = self._plan.fates[name].kind not in POURED
                found.append(Pouring(datasource=name, fills=fills, parts=parts, rows=rows))
        return tuple(found)

    async def pour(self, pouring: Pouring, poured: Poured) -> None:
        """Bring frozen rows to where they belong; called again after a kill it adds nothing twice.

        Raises:
            StoreUnavailable: Call it again, with what `poured` was last told.
            QueryFailed: A row cannot become one of the new table.
        """
        name = pouring.datasource
        fate = self._plan.fates[name]
        if pouring.fills:
            target, columns = await self._open(name)
            select = ", ".join(quoted(column) for column in columns)
        else:
            target, columns, select = self._staged(name), fate.columns, fate.select

        async def told(done: int) -> None:
            await poured(msgspec.structs.replace(pouring, done=done))

        flow = Flow(
            source=self._clone(name),
            target=target,
            columns=columns,
            select=select,
            mark=f"{self._mark}{name}",
            settings=SETTINGS,
        )
        await pour(self._store, flow, pouring.parts, done=pouring.done, progress=told)

    async def verify(
        self, pourings: Iterable[Pouring], filled: Iterable[str] = (), *, both: bool = False
    ) -> None:
        """Count what has come; only of engines that never make one row of many.

        Args:
            pourings: What was poured.
            filled: Data sources that materialized views of what is live fill.
            both: All that the live tables hold has to be there as well, whoever calls it holds rows
                off; not where views fill one side, as the other's may make other rows.

        Raises:
            ProjectInvalid: Rows are missing.
        """
        tables = await definitions(self._store, self._database)
        views = {*filled, *(node.target for _, node in materialized(self._project))}
        for pouring in pourings:
            name = pouring.datasource
            table = tables.get(name)
            if (
                pouring.fills
                or table is None
                or table.ttl
                or not table.engine.startswith("MergeTree")
            ):
                continue
            there, rows = await self._count(self._staged(name)), pouring.rows
            if both and name not in views:
                rows = max(rows, await self._count(self._at(name)))
            if there < rows:
                raise ProjectInvalid(
                    f"Of {rows} rows of '{name}' only {there} are in its new table.",
                    hint="The live project is as it was; discard this deployment and deploy again.",
                )

    async def _count(self, table: str) -> int:
        found = await self._store.rows(f"SELECT count() FROM {table}")  # noqa: S608 (a name of ours)
        return int(found.rows[0][0])

    async def tidy(self) -> None:
        """Remove what only the pouring needed."""
        await drop_database(self._store, self._fill)
        await drop_database(self._store, self._frozen)
        if not self._plan.moved():
            await self.remove()

    def routes(self, before: Routes, staged: Routes, stored: Mapping[str, Definition]) -> Routes:
        """Return the routes while it is staged: both sides get every row.

        Args:
            before: The routes of what is live.
            staged: Those of the staged project alone.
            stored: The tables that are live.
        """
        sources: dict[str, dict[str, Shape]] = {}
        for name, shapes in without_staged(before).sources.items():
            fate = self._plan.fates.get(name)
            sources[name] = {
                one: self._both(name, fate, shape, stored) if fate else shape
                for one, shape in shapes.items()
            }
        sources |= {STAGING + name: shapes for name, shapes in staged.sources.items()}
        types = {**before.types, **{STAGING + name: one for name, one in staged.types.items()}}
        return msgspec.structs.replace(before, sources=sources, types=types)

    def entry(self, name: str) -> Route | None:
        """Return where rows in the columns of before get into the new table; None = not at all."""
        fate = self._plan.fates[name]
        if fate.plain:
            return Route(database=self._database, table=name)
        if not fate.select:
            return None
        return Route(database=self._entry, table=name, passage=f"{self._entry}.{name}_view")

    def _both(self, name: str, fate: Fate, shape: Shape, stored: Mapping[str, Definition]) -> Shape:
        if fate.kind in {"shared", "new"}:
            return shape
        route = self.entry(name)
        if route is None or not shape.routes or not _is_now(shape, stored[name]):
            return shape
        return msgspec.structs.replace(shape, routes=(shape.routes[0], route))

    async def _make_entry(self, name: str, fate: Fate) -> None:
        """Make the passage of rows that come in the columns of before, where they change on the way."""
        if fate.plain or not fate.select:
            return
        table = f"{quoted(self._entry)}.{quoted(name)}"
        await self._store.command(
            f"CREATE TABLE {table} AS {self._at(name)} ENGINE = Null", settings=CREATE_SETTINGS
        )
        await self._store.command(
            f"CREATE MATERIALIZED VIEW {quoted(self._entry)}.{quoted(name + '_view')}"  # noqa: S608 (checked by the guard)
            f" TO {self._staged(name)} AS SELECT {fate.select} FROM {table}",
            settings=SETTINGS,
        )

    async def _make_views(self, views: dict[str, View], *, early: bool) -> None:
        """Make the views into new tables: early those that follow tables which have no rows yet."""
        for view in views.values():
            if self._plan.fates[view.target].kind == "shared":
                continue
            read = (self._plan.fates[name].kind for name in {view.source, *view.reads})
            late = any(kind in {"shared", "clone"} for kind in read)
            if late != early:
                await create_view(self.target, self._passing(view), database=self._database)

    def _passing(self, view: View) -> View:
        """Return a view that leaves poured rows out where its target has what they have made."""
        if not passes_over(self._plan, view):
            return view
        token = "getSetting('insert_deduplication_token')"  # noqa: S105 (a setting's name)
        condition = f"NOT startsWith({token}, {literal(self._mark)})"
        return msgspec.structs.replace(
            view,
            sql=f"SELECT * FROM ({view.sql}) WHERE {condition}",  # noqa: S608 (checked by the guard)
        )

    async def _open(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Make a table that keeps nothing, with the views that have nothing of a source yet behind."""
        table = f"{quoted(self._fill)}.{quoted(name)}"
        await self._store.command(
            f"CREATE TABLE IF NOT EXISTS {table} AS {self._clone(name)} ENGINE = Null",
            settings=CREATE_SETTINGS,
        )
        over = msgspec.structs.replace(self.target, places={**self.target.places, name: self._fill})
        resolver = over.resolver(self._project, over.database)
        for pipe, node in materialized(self._project):
            view = await view_of(over, resolver, pipe, node, database=over.database)
            if view.source == name and view.name in self._plan.fates[view.target].fills:
                await self._store.command(
                    f"CREATE MATERIALIZED VIEW IF NOT EXISTS {quoted(self._fill)}.{quoted(view.name)}"
                    f" TO {self._staged(view.target)} AS {view.sql}",
                    settings=SETTINGS,
                )
        found = (await definitions(self._store, self._fill))[name]
        kept = (c.name for c in found.columns if c.default_kind in {"", "DEFAULT"})
        return table, tuple(kept)

    async def _alter(self, table: str, fate: Fate) -> None:
        is_frozen = table.startswith(f"{quoted(self._frozen)}.")
        for command in fate.alters:
            if is_frozen and not command.startswith(_COLUMN_COMMANDS):
                continue  # neither a TTL nor merges
            await self._store.command(f"ALTER TABLE {table} {command}", settings=CUT_SETTINGS)

    async def _copy(self, name: str, fate: Fate) -> None:
        names = ", ".join(quoted(column) for column in fate.columns)
        await self._store.command(
            f"INSERT INTO {self._staged(name)} ({names}) SELECT {fate.select} FROM {self._at(name)}"  # noqa: S608 (checked by the guard)
        )

    def _frozen_sources(self) -> dict[str, Fate]:
        """Return the data sources whose rows of before are poured, and what becomes of each."""
        every = self._plan.fates
        names = {name for name, fate in every.items() if fate.kind == "move"}
        names |= {source for fate in every.values() for source in fate.fills.values()}
        return {name: fate for name, fate in every.items() if name in names}

    @property
    def _mark(self) -> str:
        return f"deployment:{self._id}:"

    def _at(self, name: str) -> str:
        return f"{quoted(self._live.database_of(name))}.{quoted(name)}"

    def _staged(self, name: str) -> str:
        return f"{quoted(self._database)}.{quoted(name)}"

    def _clone(self, name: str) -> str:
        return f"{quoted(self._frozen)}.{quoted(name)}"


def _is_now(shape: Shape, table: Definition) -> bool:
    """Return whether a shape has columns as the live table has; rows of older ones have been read."""
    types = {column.name: column.type for column in table.columns}
    pairs = zip(shape.columns, shape.types, strict=True)
    return all(types.get(column) == kind for column, kind in pairs)


def without_staged(routes: Routes) -> Routes:
    """Return routes without what is staged alone."""
    sources = {n: shapes for n, shapes in routes.sources.items() if not n.startswith(STAGING)}
    types = {n: one for n, one in routes.types.items() if not n.startswith(STAGING)}
    return msgspec.structs.replace(routes, sources=sources, types=types)


def without_databases(routes: Routes, databases: Iterable[str]) -> Routes:
    """Return routes that lead into none of these databases."""
    gone = set(databases)
    sources = {
        name: {
            one: msgspec.structs.replace(
                shape, routes=tuple(to for to in shape.routes if to.database not in gone)
            )
            for one, shape in shapes.items()
        }
        for name, shapes in without_staged(routes).sources.items()
    }
    return msgspec.structs.replace(without_staged(routes), sources=sources)
