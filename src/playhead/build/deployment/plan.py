"""What a deployment does with each data source: which tables stay, which are made anew, and how."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from playhead.build.definition import Definition, change_of
from playhead.build.deployment.mapping import Forward, by_name, lost_columns
from playhead.build.order import Circle, in_order
from playhead.build.sentence import counted
from playhead.build.views import View
from playhead.project.problem import Problem
from playhead.project.resources import Datasource, Project
from playhead.project.ttl import elements

Kind = Literal["shared", "new", "clone", "move", "refill", "empty", "copy"]
POURED: Final[frozenset[Kind]] = frozenset({"move", "refill"})
"""Kinds of tables that get the rows of before block by block."""
COPIED_ROWS_MAX: Final = 1_000_000
"""Most rows of an engine without parts: they are copied while rows wait."""
_OWN_ROWS: Final[frozenset[Kind]] = frozenset({"clone", "move", "empty", "copy"})
_UNITS_S: Final = {
    "second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_592_000,
    "quarter": 7_776_000, "year": 31_536_000,
}  # fmt: skip
_INTERVAL: Final = re.compile(
    r"(?:INTERVAL\s+(\d+)\s+(\w+?)s?\b|toInterval(\w+)\((\d+)\))", re.IGNORECASE
)
_FOREVER: Final = float("inf")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A project and its tables: as it is, or as it is to be."""

    project: Project
    definitions: dict[str, Definition] = {}
    views: dict[str, View] = {}
    """By name, over names that both sides write alike."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a data source's table.

    `shared`: it stays. `new`: an empty one. `clone`: hard links of its parts, then `alters`.
    `move`: its rows are poured through `select`. `refill`: materialized views make its rows anew.
    `empty`: its rows stay behind. `copy`: an engine without parts (Join), copied within the cut.
    """

    kind: Kind
    columns: tuple[str, ...] = ()
    select: str = ""
    plain: bool = True
    """Rows in the columns of before are rows of the new table as they are."""
    alters: tuple[str, ...] = ()
    has_ttl: bool = False
    """Whether rows of the table of before expire."""
    added: tuple[str, ...] = ()
    """Of a table that keeps its rows: views that are new to it."""
    fills: dict[str, str] = {}
    """Views into it that have to make rows of what their source already holds, and that source."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment, thought through. With problems it cannot be made."""

    fates: dict[str, Fate] = {}
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    destructive: tuple[Problem, ...] = ()
    """What loses rows; it needs to be allowed."""

    def moved(self) -> dict[str, Fate]:
        """Return the data sources that get a table of their own in this deployment."""
        return {name: fate for name, fate in self.fates.items() if fate.kind != "shared"}


def needs_query(live: Side, wanted: Side) -> list[str]:
    """Return the data sources whose FORWARD_QUERY may be needed: it has to be examined first."""
    return [
        name
        for name, source in wanted.project.datasources.items()
        if source.forward_query and name in live.definitions and name in live.project.datasources
    ]


def plan_of(live: Side, wanted: Side, queries: Mapping[str, Forward | Problem]) -> Plan:
    """Return what a deployment would do.

    Args:
        live: What is live.
        wanted: What is to be.
        queries: FORWARD_QUERY of each data source of `needs_query`, or what is wrong with it.
    """
    planning = _Planning(live, wanted, queries)
    for name in _order(wanted):
        planning.decide(name)
    return planning.plan()


def _order(wanted: Side) -> Iterable[str]:
    """Return the data sources so that each comes behind what its views read."""
    reads: dict[str, set[str]] = {name: set() for name in wanted.project.datasources}
    for view in wanted.views.values():
        reads.setdefault(view.target, set()).update({view.source, *view.reads} - {view.target})
    try:
        return [name for name in in_order(reads) if name in wanted.project.datasources]
    except Circle:
        follows = {name: set[str]() for name in reads}
        for view in wanted.views.values():
            follows[view.target].add(view.source)
        return [name for name in in_order(follows) if name in wanted.project.datasources]


class _Planning:
    """One planning under way."""

    def __init__(self, live: Side, wanted: Side, queries: Mapping[str, Forward | Problem]) -> None:
        self._live = live
        self._wanted = wanted
        self._queries = queries
        self._fates: dict[str, Fate] = {}
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._destructive: list[Problem] = []

    def plan(self) -> Plan:
        gone = sorted(set(self._live.project.datasources) - set(self._wanted.project.datasources))
        for name in gone:
            table = self._live.definitions.get(name)
            if table is not None and table.row_count:
                message = f"'{name}' is gone from the project, and its {counted(table.row_count, 'row')} with it."
                path = self._live.project.datasources[name].path
                self._destructive.append(Problem(path, message))
        return Plan(
            fates=self._fates,
            removed=tuple(gone),
            problems=tuple(self._problems),
            warnings=tuple(self._warnings),
            destructive=tuple(self._destructive),
        )

    def decide(self, name: str) -> None:
        source = self._wanted.project.datasources[name]
        stored = self._live.definitions.get(name)
        if stored is None or name not in self._live.project.datasources:
            self._fates[name] = self._of_new(source)
            return
        views = self._into(self._wanted, name)
        before = {view.digest for view in self._into(self._live, name).values()}
        now = {view.digest for view in views.values()}
        kept = {n: view for n, view in views.items() if view.digest in before}
        added = tuple(sorted(set(views) - set(kept)))
        makers = self._kinds(kept.values())
        twin = now != before or bool(self._kinds(views.values()) - {"shared"})
        wanted = self._wanted.definitions[name]
        if _is(stored, "Null") or _is(wanted, "Null"):
            self._fates[name] = self._of_null(source, stored, wanted, twin=twin)
        elif _is(stored, "Join") or _is(wanted, "Join"):
            self._fates[name] = self._of_join(source, stored, wanted, twin=twin)
        elif not views or not (before - now or makers & POURED):
            self._fates[name] = self._of_table(source, stored, wanted, twin=twin, added=added)
        elif self._may_refill(source, views):
            self._fates[name] = self._of_target(source, stored, wanted, views)
        else:
            self._fates[name] = self._of_table(source, stored, wanted, twin=True, added=())

    def _of_new(self, source: Datasource) -> Fate:
        views = self._into(self._wanted, source.name)
        followed = {self._fates[view.source].kind for view in views.values()}
        skip = source.backfill == "skip" or followed <= {"new", "empty"}
        return Fate(kind="new") if skip else Fate(kind="refill", fills=self._fills(views))

    def _of_null(
        self, source: Datasource, stored: Definition, wanted: Definition, *, twin: bool
    ) -> Fate:
        if stored.engine == wanted.engine and stored.columns == wanted.columns and not twin:
            return Fate(kind="shared")
        return self._behind(source, stored, wanted)

    def _of_join(
        self, source: Datasource, stored: Definition, wanted: Definition, *, twin: bool
    ) -> Fate:
        change = change_of(stored, wanted)
        if not (change.commands or change.obstacle or twin):
            return Fate(kind="shared")
        found = self._forward(source, stored, wanted)
        if stored.row_count > COPIED_ROWS_MAX:
            message = (
                f"'{source.name}' holds {stored.row_count} rows; of the engine Join at most"
                f" {COPIED_ROWS_MAX} can be carried over."
            )
            self._problems.append(
                Problem(source.path, message, 1, 1, "Take another engine, or name.")
            )
        if found is None:
            return Fate(kind="empty")
        return Fate(kind="copy", columns=found.columns, select=found.select, plain=found.plain)

    def _of_table(
        self,
        source: Datasource,
        stored: Definition,
        wanted: Definition,
        *,
        twin: bool,
        added: tuple[str, ...],
    ) -> Fate:
        """Return the fate of a table whose rows are its own."""
        change = change_of(stored, wanted)
        fills = self._fills({name: self._wanted.views[name] for name in added})
        if not (change.commands or change.obstacle or twin):
            return Fate(kind="shared")
        columns = stored.columns != wanted.columns
        if not change.obstacle and not (columns and source.forward_query):
            alters, has_ttl = change.commands, bool(stored.ttl)
            return Fate(kind="clone", alters=alters, has_ttl=has_ttl, added=added, fills=fills)
        if source.backfill == "skip":
            return self._behind(source, stored, wanted)
        moved = self._moved(source, stored, wanted)
        return msgspec.structs.replace(moved, added=added, fills=fills)

    def _of_target(
        self,
        source: Datasource,
        stored: Definition,
        wanted: Definition,
        views: Mapping[str, View],
    ) -> Fate:
        """Return the fate of a table whose views make other rows now, or of other rows."""
        if source.backfill == "skip":
            return self._behind(source, stored, wanted)
        if source.forward_query:
            return self._moved(source, stored, wanted)
        self._look_at_history(source, stored, views)
        entry = self._entry(source, stored, wanted)
        return msgspec.structs.replace(entry, kind="refill", fills=self._fills(views))

    def _moved(self, source: Datasource, stored: Definition, wanted: Definition) -> Fate:
        found = self._forward(source, stored, wanted)
        if found is None:
            return Fate(kind="empty")
        lost = lost_columns(stored, wanted)
        if lost and stored.row_count:
            message = f"'{source.name}' loses the values of {', '.join(lost)}."
            here = self._warnings if source.forward_query else self._destructive
            here.append(Problem(source.path, message, warning=True))
        return Fate(
            kind="move",
            columns=found.columns,
            select=found.select,
            plain=found.plain,
            has_ttl=bool(stored.ttl),
        )

    def _forward(
        self, source: Datasource, stored: Definition, wanted: Definition
    ) -> Forward | None:
        found = self._queries.get(source.name) or by_name(source, stored, wanted)
        if isinstance(found, Problem):
            self._problems.append(found)
            return None
        return found

    def _behind(self, source: Datasource, stored: Definition, wanted: Definition) -> Fate:
        """Return the fate of a table whose rows are not taken along."""
        if stored.row_count:
            count = counted(stored.row_count, "row")
            message = f"the {count} of '{source.name}' are not carried over."
            self._warnings.append(Problem(source.path, message, warning=True))
        return self._entry(source, stored, wanted)

    def _entry(self, source: Datasource, stored: Definition, wanted: Definition) -> Fate:
        """Return how rows that come in the columns of before get in; no `select` = not at all."""
        found = self._queries.get(source.name) or by_name(source, stored, wanted)
        if isinstance(found, Problem):
            return Fate(kind="empty", plain=False)
        return Fate(kind="empty", columns=found.columns, select=found.select, plain=found.plain)

    def _into(self, side: Side, name: str) -> dict[str, View]:
        return {view.name: view for view in side.views.values() if view.target == name}

    def _kinds(self, views: Iterable[View]) -> set[Kind]:
        """Return what becomes of the tables that views read."""
        names = {name for view in views for name in (view.source, *view.reads)}
        return {self._fates[name].kind for name in names if name in self._fates}

    def _fills(self, views: Mapping[str, View]) -> dict[str, str]:
        """Return the views that nothing brings rows by itself: their source stays, or is a clone."""
        return {
            name: view.source
            for name, view in sorted(views.items())
            if self._fates[view.source].kind in {"shared", "clone"}
            and not _is(self._wanted.definitions[view.source], "Null", "Join")
        }

    def _may_refill(self, source: Datasource, views: Mapping[str, View]) -> bool:
        """Return whether the rows of a target can be made again from what its views follow."""
        if source.forward_query:
            return True
        if all(
            v.node.options.get("DEPLOYMENT_METHOD", "").lower() == "alter" for v in views.values()
        ):
            return False
        for view in views.values():
            if _is(self._wanted.definitions[view.source], "Null"):
                message = (
                    f"the rows of '{source.name}' stay as they were made: '{view.source}' keeps none"
                    " to make them of; new ones are made the new way."
                )
                self._warnings.append(
                    Problem(view.pipe.path, message, view.node.line, 1, warning=True)
                )
                return False
        return True

    def _look_at_history(
        self, source: Datasource, stored: Definition, views: Mapping[str, View]
    ) -> None:
        """Say what a target holds that its sources hold no longer."""
        if not stored.row_count:
            return
        for view in views.values():
            origin = self._live.definitions.get(view.source)
            if origin is None:
                continue
            shorter = _lasts_s(origin.ttl) < _lasts_s(stored.ttl)
            if not shorter and origin.row_count:
                continue
            why = (
                f"rows of '{view.source}' expire before those of '{source.name}', which is made"
                " again of them"
                if shorter
                else f"'{source.name}' is made again of '{view.source}', which holds no rows"
            )
            hint = f"A FORWARD_QUERY in {source.path} carries its own rows over."
            message = f"{why}: what only it still knows is lost."
            self._destructive.append(Problem(source.path, message, 1, 1, hint))


def passes_over(plan: Plan, view: View) -> bool:
    """Return whether a view leaves out poured rows: its target has its own rows of before."""
    fate = plan.fates[view.target]
    return fate.kind in _OWN_ROWS and view.name not in fate.added


def _is(table: Definition, *engines: str) -> bool:
    """Return whether a table is of one of these engines; the engine writes `Null` in backquotes."""
    return table.engine.lstrip("`").startswith(engines)


def _lasts_s(ttl: str) -> float:
    """Return for how long a TTL keeps rows, as far as its text says; without one, for ever."""
    if not ttl.strip():
        return _FOREVER
    try:
        texts = [element.expression for element in elements(ttl)]
    except ValueError:
        texts = [ttl]
    found = [_interval_s(text) for text in texts]
    return min(found, default=_FOREVER)


def _interval_s(text: str) -> float:
    match = _INTERVAL.search(text)
    if match is None:
        return _FOREVER
    count, unit = (match[1], match[2]) if match[1] else (match[4], match[3])
    return int(count) * float(_UNITS_S.get(unit.lower(), 0))
