"""Replacing the rows of a data source: they are made beside, and switched at one place of the log.

Readers see the rows as they were or as they are then, never a part. Data sources that materialized
views fill from it are made beside in the same way, by the same views, and switched with it.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from playhead.build.definition import quoted
from playhead.build.target import Target, target_of
from playhead.build.views import SETTINGS, View, arranged, materialized, view_of
from playhead.errors import Conflict, NotFound, PlayheadError, Unavailable
from playhead.jobs.clone import CLONE, columns_of
from playhead.jobs.commanding import commanded
from playhead.jobs.deleting import require_unstaged
from playhead.jobs.projects import Projects
from playhead.jobs.work import JobCancelled, Work
from playhead.model.command import Command, Op, Place, Swap
from playhead.project.table import CREATE_SETTINGS
from playhead.query.pipes.live import Live, bounds_of
from playhead.query.pipes.resolve import Resolver
from playhead.store.async_client import AsyncStoreClient
from playhead.store.binding import filters_literal
from playhead.store.pour import Flow, Part, freeze, parts_of, pour

_TABLE_SQL: Final = (
    "SELECT engine, partition_key, toString(uuid) FROM system.tables"
    " WHERE database = {database:String} AND name = {table:String}"
)


class Replacing:
    """One replacement; every step may be repeated.

    Args:
        work: The job.
        datasource: Whose rows are replaced.
    """

    def __init__(self, work: Work, datasource: str) -> None:
        self._work = work
        self._store: AsyncStoreClient = work.desk.store
        self._name = datasource
        self._live: Live | None = None
        self._views: tuple[View, ...] = ()
        self.skipped: list[str] = []
        """Targets that keep their rows: their partition key does not fit."""

    @property
    def place(self) -> str:
        """Return the database in which everything is made; kept from `begin` on."""
        return str(self._work.kept["place"])

    async def begin(self, condition: str, *, skip_incompatible: bool = False) -> None:
        """Make the table that takes the new rows; without condition the views behind it, too.

        Raises:
            Conflict: It cannot be replaced; the sentence says why.
            NotFound: It is gone.
        """
        live = await self._find()
        if not self._work.kept.get("place"):
            own = self._work.job.id.replace("-", "")[-12:]
            number = int(self._work.kept.get("tries", 0))
            await self._work.keep(place=f"{live.workspace.database}_new_{own}_{number}")
        await self._store.command(f"CREATE DATABASE IF NOT EXISTS {quoted(self.place)}")
        await self._check_live()
        await self._make(self._name)
        await self._look_behind(condition, skip_incompatible=skip_incompatible)
        if not condition:
            await self._make_behind()

    async def pour_in(self, source: tuple[str, str], columns: Sequence[str], rows: str) -> None:
        """Put the rows of a frozen table into the new one, and through the views behind it.

        Args:
            source: Database and table.
            columns: Of the source, as the data source has them; the others get their defaults.
            rows: Which rows; "" = all.
        """
        work = self._work
        if "replaced_parts" not in work.kept:
            parts = await parts_of(self._store, *source)
            await work.keep(replaced_parts=msgspec.to_builtins(parts))
        kept = msgspec.convert(work.kept["replaced_parts"], tuple[Part, ...])
        settings = {**SETTINGS}
        if rows:
            table = ".".join(source)
            settings["additional_table_filters"] = filters_literal({table: rows})
        names = tuple(columns)
        flow = Flow(
            source=f"{quoted(source[0])}.{quoted(source[1])}",
            target=f"{quoted(self.place)}.{quoted(self._name)}",
            columns=names,
            select=", ".join(quoted(name) for name in names),
            mark=f"replace:{work.job.id}",
            settings=settings,
        )

        async def told(done: int) -> None:
            work.check()
            await work.keep(replaced_blocks=done)

        done = int(work.kept.get("replaced_blocks", 0))
        await pour(self._store, flow, kept, done=done, progress=told)

    async def switch(self, condition: str, *, skip_incompatible: bool) -> None:
        """Let the new rows take the place of the old, and remove those.

        Raises:
            Conflict: They cannot; everything is as it was.
        """
        work = self._work
        if not work.kept.get("switched"):
            if not work.kept.get("switching"):
                if condition:
                    await self._filter(condition, skip_incompatible=skip_incompatible)
                command = await self._command(condition)
                work.check()
                # From here on it goes to its end, and a later run needs nothing but this.
                await work.keep(switching=msgspec.to_builtins(command))
            await commanded(work, msgspec.convert(work.kept["switching"], Command))
            await work.keep(switched=True)
        await self.drop()

    async def drop(self) -> None:
        """Remove what lies beside; a later run begins anew."""
        place = self._work.kept.get("place")
        if not place:
            return
        for database in (place, f"{place}_raw"):
            await self._store.command(f"DROP DATABASE IF EXISTS {quoted(database)} SYNC")
        if not self._work.kept.get("switched"):
            counts = self._work.desk.ledger.job_counts(self._work.job.id)
            tries = int(self._work.kept.get("tries", 0)) + 1
            await self._work.forget("replaced_parts", "replaced_blocks", "place", "switching")
            await self._work.keep(tries=tries, base=counts)

    async def _filter(self, condition: str, *, skip_incompatible: bool) -> None:
        """Keep only the new rows that the condition is about, and send them through the views."""
        live = await self._find()
        raw, place = f"{self.place}_raw", self.place
        await self._look_behind(condition, skip_incompatible=skip_incompatible)
        if "replaced_parts" not in self._work.kept:
            await self._store.command(f"CREATE DATABASE IF NOT EXISTS {quoted(raw)}")
            source = live.workspace.project.datasources[self._name]
            await freeze(
                self._store,
                f"{quoted(place)}.{quoted(self._name)}",
                f"{quoted(raw)}.{quoted(CLONE)}",
                has_ttl=bool(source.engine.ttl),
                settings=CREATE_SETTINGS,
            )
            await self._work.keep(
                replaced_parts=msgspec.to_builtins(await parts_of(self._store, raw, CLONE))
            )
        if not self._work.kept.get("replaced_blocks"):
            # The rows as they came are in the clone; the table begins anew.
            table = f"{quoted(place)}.{quoted(self._name)}"
            await self._store.command(f"DROP TABLE IF EXISTS {table} SYNC")
            await self._make(self._name)
            await self._make_behind()
        columns = await columns_of(self._store, raw, CLONE)
        await self.pour_in((raw, CLONE), columns, condition)

    async def _command(self, condition: str) -> Command:
        """Return what the worker is to do."""
        names = [self._name, *(view.target for view in self._views)]
        swaps = []
        for name in dict.fromkeys(names):
            found = (await self._table(self.place, name)) or ("", "", "")
            live = Place(await self._database_of(name), name)
            about = condition if name == self._name else ""
            swaps.append(Swap(live, Place(self.place, name), found[2], about))
        op: Op = "replace_partitions" if condition else "replace"
        return Command(
            op=op,
            job=self._work.job.id,
            workspace=self._work.job.workspace,
            datasource=self._name,
            swaps=tuple(swaps),
        )

    async def _find(self) -> Live:
        if self._live is None:
            self._live = await Projects(self._work.desk).newest(self._work.job.workspace)
        if self._name not in self._live.workspace.project.datasources:
            raise NotFound(f"There is no data source '{self._name}' any more.")
        return self._live

    async def _database_of(self, name: str) -> str:
        return (await self._find()).workspace.database_of(name)

    async def _check_live(self) -> None:
        require_unstaged(self._work.desk.folder(self._work.job.workspace))
        found = await self._table(await self._database_of(self._name), self._name)
        if found is None or "MergeTree" not in found[0]:
            engine = found[0] if found else "none"
            raise Conflict(
                f"The rows of '{self._name}' (engine {engine}) cannot be replaced; nothing was.",
                hint="Only data sources of the MergeTree family keep rows that can be.",
            )

    async def _look_behind(self, condition: str, *, skip_incompatible: bool) -> None:
        """Find the views behind the data source, in the order rows go through them.

        Raises:
            Conflict: One of them cannot follow.
        """
        views = await self._all_views(await self._find())
        behind: list[View] = []
        reached = {self._name}
        for view in arranged(views):
            if view.source not in reached or view.target == self._name:
                continue
            if condition and not await self._fits(view, skip_incompatible=skip_incompatible):
                continue
            reached.add(view.target)
            behind.append(view)
        for view in views.values():
            if view.target in reached - {self._name} and view.source not in reached:
                raise Conflict(
                    f"'{view.target}' is filled from '{view.source}', too: its rows cannot be made"
                    f" anew from '{self._name}' alone. Nothing was replaced.",
                    hint="Truncate and append instead, or give it a data source of its own.",
                )
        self._views = tuple(behind)

    async def _all_views(self, live: Live) -> dict[str, View]:
        """Return every view of the project, over the tables beside."""
        desk = self._work.desk
        target: Target = await target_of(self._store, desk.config.pipes)
        found: dict[str, View] = {}
        workspace = live.workspace
        for pipe, node in materialized(workspace.project):
            try:
                seen = await view_of(target, live.resolver, pipe, node, database=workspace.database)
            except PlayheadError:
                continue  # it is not built, so nothing follows
            places = {**workspace.places, seen.source: self.place}
            moved = Resolver(
                msgspec.structs.replace(workspace, places=places),
                target.trees,
                target.functions,
                bounds_of(desk.config.pipes),
            )
            found[seen.name] = await view_of(target, moved, pipe, node, database=self.place)
        return found

    async def _fits(self, view: View, *, skip_incompatible: bool) -> bool:
        """Return whether a target is replaced by the same partitions; raises Conflict."""
        own = await self._table(await self._database_of(self._name), self._name)
        other = await self._table(await self._database_of(view.target), view.target)
        if own and other and own[1] == other[1] and own[1]:
            return True
        if skip_incompatible:
            self.skipped.append(view.target)
            return False
        raise Conflict(
            f"'{view.target}', which the pipe '{view.pipe.name}' fills from '{self._name}', has another"
            " partition key, so its rows cannot be replaced with a condition. Nothing was replaced.",
            hint="Say skip_incompatible_partition_key=true to leave it as it is.",
        )

    async def _make(self, name: str) -> None:
        """Make a table beside, empty, like the live one."""
        live = f"{quoted(await self._database_of(name))}.{quoted(name)}"
        await self._store.command(
            f"CREATE TABLE IF NOT EXISTS {quoted(self.place)}.{quoted(name)} AS {live}",
            settings=CREATE_SETTINGS,
        )

    async def _make_behind(self) -> None:
        for view in self._views:
            await self._make(view.target)
        for view in self._views:
            await self._store.command(
                f"CREATE MATERIALIZED VIEW IF NOT EXISTS {quoted(self.place)}.{quoted(view.name)}"
                f" TO {quoted(self.place)}.{quoted(view.target)} AS {view.sql}",
                settings=SETTINGS,
            )

    async def _table(self, database: str, name: str) -> tuple[str, str, str] | None:
        found = await self._store.rows(_TABLE_SQL, {"database": database, "table": name})
        return (
            (str(found.rows[0][0]), str(found.rows[0][1]), str(found.rows[0][2]))
            if found.rows
            else None
        )


async def replace_from(
    work: Work, datasource: str, table: tuple[str, str], columns: Sequence[str]
) -> None:
    """Let the rows of a table take the place of those of a data source; may be repeated.

    Args:
        work: The job.
        datasource: Whose rows are replaced.
        table: Database and table of the new rows; nothing writes or merges it any more.
        columns: Its columns, which the data source has; its others get their defaults.

    Raises:
        Conflict: They cannot be replaced; everything is as it was.
        JobCancelled: Somebody cancelled it; everything is as it was.
    """
    replacing = Replacing(work, datasource)
    try:
        if not is_switching(work.kept):
            work.check()
            await replacing.begin("")
            await replacing.pour_in(table, columns, "")
        await replacing.switch("", skip_incompatible=False)
    except Unavailable:
        raise  # it goes on in a moment
    except (JobCancelled, PlayheadError):
        await replacing.drop()
        raise


def is_switching(kept: dict[str, Any]) -> bool:
    """Return whether the new rows are all beside, and the command to switch them may be in the log."""
    return bool(kept.get("switching") or kept.get("switched"))


def kept_counts(kept: dict[str, Any], counts: dict[str, int]) -> dict[str, int]:
    """Return what was counted for a job without the tries whose rows were dropped."""
    base = kept.get("base") or {}
    return {name: count - int(base.get(name, 0)) for name, count in counts.items()}
