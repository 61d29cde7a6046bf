"""Rows of projects into their tables: made rows of the log, block by block, exactly once.

Every block is named by the range of the log it comes from, so a range that is repeated adds nothing.
What the engine refuses of a row goes to the quarantine of its data source; rows that have no table
go to Playhead's own, from where they can be taken up again.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from playhead.errors import BodyTooLarge, NotFound, QueryFailed
from playhead.observe import counter, logger
from playhead.process.made_rows import Group, Made, Outcome, Unfit
from playhead.process.patience import Patience
from playhead.process.rows import Line
from playhead.process.staged_refusal import say_refused
from playhead.process.unpack import unplaced_row
from playhead.process.verdicts import ROW_FAULTS, failed_views, of_rows
from playhead.project.homes import folder_of
from playhead.project.routes import (
    ROUTES_FILE,
    UNREADABLE,
    Route,
    Routes,
    Shape,
    read_routes,
    stamp_of,
)
from playhead.project.rows import COMPACT, LOGGED_SETTINGS, insert_sql
from playhead.project.table import QUARANTINE_COLUMNS
from playhead.project.values import ENCODER, text_of
from playhead.store.client import StoreClient

BLOCK_ROWS_MAX = 100_000
BLOCK_BYTES_MAX = 64 << 20
"""Rows of one insert, unless one record alone is more."""
HOPELESS_ROWS = 1_000
"""When so many rows of a block are refused one by one and none is taken, all of them are refused."""
REASON_CHARS_MAX = 300
VIEW_FAILED = "view_failed"
"""Counts rows that are in their table and that a materialized view did not take."""
WORKSPACE_GONE = "workspace_gone"
_LOG = logger("loader")
_ROWS = counter("project_rows", "Rows of data sources, by what became of them", ("outcome",))


class ProjectRows:
    """Stores rows of projects; builds must be held off meanwhile (see `holding.py`)."""

    def __init__(self, data_dir: Path, store: StoreClient, patience: Patience) -> None:
        self._data_dir = data_dir
        self._store = store
        self._patience = patience
        self._routes: dict[str, tuple[object, Routes]] = {}
        self._refusing: dict[tuple[str, str], object] = {}

    def store(
        self, group: Group, made: Sequence[Made], span: str, *, at_s: int, place: str = ""
    ) -> Outcome:
        """Store the rows of a group, or set them aside with a reason.

        Args:
            group: Which way they go.
            made: They, in the order of the log.
            span: Names the range of the log and, where that holds rows of several data sources,
                which: the same rows must come under the same name, and no others. Two data
                sources may have one table under one shape (a live and a staged one).
            at_s: Log time, for rows that the engine refuses (UTC seconds).
            place: The database whose table of the data source's name takes the rows instead of
                where they belong otherwise.

        Raises:
            Stopped: The worker is stopping.
        """
        rows = sum(one.rows for one in made)
        found = self._find(group.workspace)
        if found is None:
            _ROWS.labels(WORKSPACE_GONE).inc(rows)
            return Outcome(dropped=rows)
        shape = found.shape(group.datasource, group.shape)
        routes = () if shape is None else _routes_of(shape, group)
        if routes and place:
            routes = (Route(database=place, table=group.datasource),)
        if shape is None or not routes:
            return self._without_table(group, made, shape)
        columns = shape.refused if group.quarantine else shape.columns
        form = COMPACT if group.quarantine else shape.format
        outcome = Outcome()
        unfit = self._insert(routes[0], (columns, form), made, (span, group.shape), outcome)
        outcome.stored = rows - len(unfit)
        for route in routes[1:]:
            self._insert_beside(group, route, (columns, form), made, (span, group.shape))
        if unfit:
            self._quarantine(group, shape, unfit, (span, at_s), outcome)
        if group.quarantine:
            outcome.quarantined, outcome.stored = outcome.quarantined + outcome.stored, 0
        _ROWS.labels("stored").inc(outcome.stored)
        _ROWS.labels("quarantined").inc(outcome.quarantined)
        return outcome

    def routes(self, workspace: str) -> Routes | None:
        """Return where the rows of a workspace go, as the last build says; None = it is gone."""
        return self._find(workspace)

    def _find(self, workspace: str) -> Routes | None:
        try:
            folder = folder_of(self._data_dir, workspace)
        except NotFound:
            return None
        read = partial(self._read, folder, workspace)
        return self._patience.until_filed(read, "routes.json cannot be read")

    def _read(self, folder: Path, workspace: str) -> Routes | None:
        """Return the routes in a folder; raises OSError where that cannot be said now."""
        try:
            folder.stat()
        except FileNotFoundError:
            if workspace:
                return None
        path = folder / ROUTES_FILE
        stamp = stamp_of(path)
        known = self._routes.get(workspace)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            routes = read_routes(path)
        except FileNotFoundError:
            routes = Routes()
        except OSError:
            raise  # nothing is known of the routes: kept as read, it would set every row aside
        except UNREADABLE as error:
            _LOG.error("routes_not_read", reason=str(error), workspace=workspace)
            routes = Routes()
        self._routes[workspace] = (stamp, routes)
        return routes

    def _insert(
        self,
        route: Route,
        form: tuple[tuple[str, ...], str],
        made: Sequence[Made],
        name: tuple[str, str],
        outcome: Outcome,
    ) -> list[Unfit]:
        """Insert rows into a table; return those the engine refuses for ever."""
        sql = insert_sql(route.database, route.table, *form)
        span, shape = name
        unfit: list[Unfit] = []
        for number, block in enumerate(_cut(made)):
            token = f"{route.database}.{route.table}:{span}:{shape}" + (
                f":{number}" if number else ""
            )
            body = b"".join([one.body for one in block])
            rows = sum(one.rows for one in block)
            why = self._refusal(route, sql, body, token, (rows, outcome))
            if why is not None:
                lines = [line for one in block for line in one.lines()]
                found: list[Unfit] = []
                self._halves(_Parting(route, sql, outcome, found), lines, token, why)
                unfit += found
        return unfit

    def _halves(self, parting: "_Parting", lines: list[Line], token: str, why: "_Why") -> None:
        """Insert the rows of a block that was refused by halves, cut and named the same every time."""
        if len(lines) == 1 or why.whole or parting.is_hopeless():
            _LOG.warning("rows_refused", table=parting.route.table, token=token, reason=why.reason)
            parting.unfit += [Unfit(line, why.reason) for line in lines]
            return
        half = len(lines) // 2
        for side, part in (("a", lines[:half]), ("b", lines[half:])):
            own = f"{token}:{side}"
            body = b"\n".join([line.text for line in part]) + b"\n"
            told = (len(part), parting.outcome)
            refused: _Why | None = why
            if not parting.is_hopeless():
                refused = self._refusal(parting.route, parting.sql, body, own, told)
            if refused is None:
                parting.taken = True
            else:
                self._halves(parting, part, own, refused)

    def _refusal(
        self, route: Route, sql: str, body: bytes, token: str, told: tuple[int, Outcome]
    ) -> "_Why | None":
        """Insert a block; return None when it is stored, else why it never will be."""
        insert = partial(self._store.insert_rows, sql, body, token=token, settings=LOGGED_SETTINGS)
        table = f"{route.database}.{route.table}"
        verdict = self._patience.verdicts.of(table, passage=route.passage)
        try:
            self._patience.until_done(insert, lasting=verdict.is_lasting)
        except BodyTooLarge as error:
            return _Why(error.message)
        except QueryFailed as error:
            view = failed_view(error, route)
            if view:
                self._say_view_failed(view, route, error, told)
                return None
            whole = error.engine_code not in ROW_FAULTS and not of_rows(error)
            return _Why(_short(error.message), whole=whole)
        self._patience.verdicts.taken(table)
        return None

    def _say_view_failed(
        self, view: str, route: Route, error: QueryFailed, told: tuple[int, Outcome]
    ) -> None:
        # The table and its other views have the block by now; a token of other rows would add
        # them again, so nothing can be tried in parts.
        rows, outcome = told
        outcome.missed += rows
        message = (
            f"the materialized view {view} did not take {rows} rows of {route.database}.{route.table};"
            f" they are in the table, and not in what the view fills: {_short(error.message)}"
        )
        _LOG.error(VIEW_FAILED, view=view, table=route.table, rows=rows, reason=error.message)
        self._patience.said = f"{VIEW_FAILED}: {message}"

    def _insert_beside(
        self,
        group: Group,
        route: Route,
        form: tuple[tuple[str, ...], str],
        made: Sequence[Made],
        name: tuple[str, str],
    ) -> None:
        """Insert rows into a staged table; one that refuses is left out until the routes change."""
        key = (group.workspace, f"{route.database}.{route.table}")
        stamp = self._routes[group.workspace][0]
        if self._refusing.get(key) == stamp:
            return
        outcome = Outcome()
        unfit = self._insert(route, form, made, name, outcome)
        if unfit or outcome.missed:
            reason = unfit[0].reason if unfit else self._patience.said
            folder = folder_of(self._data_dir, group.workspace)
            say = partial(say_refused, folder, group.datasource, reason)
            # First on disk: a promotion asks there, and must not miss what is left out from now on.
            self._patience.until_filed(say, "refused.json of the deployment cannot be written")
            self._refusing[key] = stamp

    def _without_table(self, group: Group, made: Sequence[Made], shape: Shape | None) -> Outcome:
        """Set rows aside that nobody knows a table for."""
        said = (
            "Nobody knows these columns of the data source any more: a build has changed it more"
            " often than is remembered, or routes.json was taken away."
            if shape is None
            else "The data source is gone from the project, or cannot take rows of these columns."
        )
        into = msgspec.json.encode(group.into())
        lines = [line for one in made for line in one.lines()]
        aside = [
            unplaced_row(line, into, "unknown_shape", said, group.datasource) for line in lines
        ]
        _LOG.error("unknown_shape", datasource=group.datasource, shape=group.shape, rows=len(aside))
        _ROWS.labels("unknown_shape").inc(len(aside))
        return Outcome(quarantined=sum(one.rows for one in made), aside=aside)

    def _quarantine(
        self,
        group: Group,
        shape: Shape,
        unfit: list[Unfit],
        name: tuple[str, int],
        outcome: Outcome,
    ) -> None:
        """Put rows that the engine refused into the quarantine of their data source."""
        span, at_s = name
        outcome.quarantined += len(unfit)
        left = unfit
        if shape.refused_into is not None and not group.quarantine:
            lines = [
                msgspec.structs.replace(one.line, text=_refused_text(shape, one, span, at_s))
                for one in unfit
            ]
            route = shape.refused_into
            sql = insert_sql(route.database, route.table, shape.refused, COMPACT)
            token = f"{route.database}.{route.table}:{span}:{group.shape}:refused"
            body = b"\n".join([line.text for line in lines]) + b"\n"
            if self._refusal(route, sql, body, token, (len(lines), outcome)) is None:
                left = []
        into = msgspec.json.encode(group.into())
        outcome.aside += [
            unplaced_row(one.line, into, "store_refused", one.reason, group.datasource)
            for one in left
        ]


def failed_view(error: QueryFailed, route: Route) -> str:
    """Return which materialized view behind a table failed; "" = it was none.

    That of a passage is part of the way into the table: there the row is at fault.
    """
    return next((view for view in failed_views(error) if view != route.passage), "")


def _routes_of(shape: Shape, group: Group) -> tuple[Route, ...]:
    if not group.quarantine:
        return shape.routes
    return () if shape.refused_into is None else (shape.refused_into,)


class _Why(msgspec.Struct, frozen=True):
    """Why a block is refused; `whole`: no row of it would be taken."""

    reason: str
    whole: bool = False


class _Parting(msgspec.Struct):
    """A block that is inserted in parts."""

    route: Route
    sql: str
    outcome: Outcome
    unfit: list[Unfit]
    taken: bool = False

    def is_hopeless(self) -> bool:
        return not self.taken and len(self.unfit) >= HOPELESS_ROWS


def _cut(made: Sequence[Made]) -> Iterator[list[Made]]:
    """Yield the rows of a range as blocks, always cut the same way."""
    block: list[Made] = []
    rows = size = 0
    for one in made:
        if block and (rows + one.rows > BLOCK_ROWS_MAX or size + len(one.body) > BLOCK_BYTES_MAX):
            yield block
            block, rows, size = [], 0, 0
        block.append(one)
        rows += one.rows
        size += len(one.body)
    if block:
        yield block


def _refused_text(shape: Shape, unfit: Unfit, span: str, at_s: int) -> bytes:
    """Return a row that the engine refused as the quarantine takes it: its values as text."""
    values = msgspec.json.decode(unfit.line.text)
    found = dict(zip(shape.columns, values, strict=False)) if isinstance(values, list) else values
    own = len(shape.refused) - len(QUARANTINE_COLUMNS)
    texts = [_as_text(found, name) for name in shape.refused[:own]]
    return ENCODER.encode([*texts, [], [unfit.reason], span, at_s])


def _as_text(values: dict[str, Any], column: str) -> str | None:
    value = values.get(column)
    if value is None:  # a Nested column stands there by its parts
        parts = {k: v for k, v in values.items() if k.startswith(f"{column}.")}
        return text_of(parts) if parts else None
    return text_of(value)


def _short(message: str) -> str:
    return message[:REASON_CHARS_MAX]
