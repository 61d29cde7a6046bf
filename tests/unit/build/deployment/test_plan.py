"""What becomes of each table, from both sides alone."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from playhead.build.definition import Definition, StoredColumn
from playhead.build.deployment.mapping import Forward
from playhead.build.deployment.plan import Plan, Side, passes_over, plan_of
from playhead.build.views import View
from playhead.project.folder import read_texts
from playhead.project.resources import Project

MERGE = "MergeTree ORDER BY at"
PLAYS = {"at": "DateTime", "n": "UInt32"}
DAILY = {"day": "Date", "n": "UInt64"}
VIEW = "NODE v\nSQL >\n    SELECT {what} FROM {source}\nTYPE materialized\nDATASOURCE {target}\n"


def table(
    name: str, columns: Mapping[str, str], *, engine: str = MERGE, ttl: str = ""
) -> Definition:
    found = tuple(StoredColumn(column, kind) for column, kind in columns.items())
    return Definition(name=name, engine=engine, ttl=ttl, columns=found, row_count=10)


Views = Mapping[str, tuple[str, str, str]]


def project(
    views: Views = MappingProxyType({}), *, forward: str = "", backfill: str = ""
) -> Project:
    more = f"\nFORWARD_QUERY >\n    {forward}\n" if forward else ""
    more += f"\nBACKFILL {backfill}\n" if backfill else ""
    files = {f"{name}.datasource": "SCHEMA >\n    at DateTime\n" for name in ("plays", "monthly")}
    files["daily.datasource"] = "SCHEMA >\n    at DateTime\n" + more
    for name, (what, source, target) in views.items():
        files[f"{name}.pipe"] = VIEW.format(what=what, source=source, target=target)
    return read_texts(files)


def side(project: Project, **tables: Definition) -> Side:
    there = {
        "plays": table("plays", PLAYS),
        "daily": table("daily", DAILY),
        "monthly": table("monthly", DAILY),
    }
    views = {}
    for pipe in project.pipes.values():
        node = pipe.nodes[0]
        source = node.sql.rsplit(" ", 1)[-1]
        name = f".view.{pipe.name}.{node.name}"
        views[name] = View(
            name=name, pipe=pipe, node=node, sql=node.sql, source=source, reads=frozenset({source})
        )
    return Side(project=project, definitions={**there, **tables}, views=views)


CHAIN = {"a": ("1 AS x", "plays", "daily"), "b": ("2 AS x", "daily", "monthly")}


def kinds(plan: Plan) -> dict[str, str]:
    assert not plan.problems
    return {name: fate.kind for name, fate in plan.fates.items()}


def test_what_is_the_same_is_shared() -> None:
    plan = plan_of(side(project(CHAIN)), side(project(CHAIN)), {})
    assert kinds(plan) == dict.fromkeys(("plays", "daily", "monthly"), "shared")
    assert plan.moved() == {}


def test_an_added_column_clones_everything_behind() -> None:
    wanted = side(project(CHAIN), plays=table("plays", {**PLAYS, "more": "String"}))
    plan = plan_of(side(project(CHAIN)), wanted, {})
    assert kinds(plan) == dict.fromkeys(("plays", "daily", "monthly"), "clone")
    assert plan.fates["plays"].alters == ("ADD COLUMN `more` String AFTER `n`",)


def test_another_key_pours_and_the_views_make_the_rest_again() -> None:
    wanted = side(project(CHAIN), plays=table("plays", PLAYS, engine="MergeTree ORDER BY n"))
    plan = plan_of(side(project(CHAIN)), wanted, {})
    assert kinds(plan) == {"plays": "move", "daily": "refill", "monthly": "refill"}
    assert all(not fate.fills for fate in plan.fates.values())


def test_a_changed_view_is_filled_from_the_table_that_stays() -> None:
    other = {**CHAIN, "a": ("3 AS x", "plays", "daily")}
    plan = plan_of(side(project(CHAIN)), side(project(other)), {})
    assert kinds(plan) == {"plays": "shared", "daily": "refill", "monthly": "refill"}
    assert plan.fates["daily"].fills == {".view.a.v": "plays"}


def test_a_target_with_a_query_keeps_its_rows_and_its_view_passes_over() -> None:
    wanted = side(
        project(CHAIN, forward="SELECT day, n"),
        plays=table("plays", PLAYS, engine="MergeTree ORDER BY n"),
    )
    forward = Forward(("day", "n"), "day, n")
    plan = plan_of(side(project(CHAIN)), wanted, {"daily": forward})
    assert kinds(plan) == {"plays": "move", "daily": "move", "monthly": "refill"}
    passing = [passes_over(plan, wanted.views[f".view.{name}.v"]) for name in ("a", "b")]
    assert passing == [True, False]


def test_one_more_view_is_filled_into_a_clone() -> None:
    more = {**CHAIN, "c": ("3 AS x", "plays", "monthly")}
    plan = plan_of(side(project(CHAIN)), side(project(more)), {})
    assert kinds(plan) == {"plays": "shared", "daily": "shared", "monthly": "clone"}
    assert plan.fates["monthly"].fills == {".view.c.v": "plays"}


def test_behind_a_source_that_keeps_nothing_rows_stay() -> None:
    nothing = {"plays": table("plays", PLAYS, engine="`Null`")}
    other = {"a": ("3 AS x", "plays", "daily")}
    before = side(project({"a": CHAIN["a"]}), **nothing)
    plan = plan_of(before, side(project(other), **nothing), {})
    assert (kinds(plan)["daily"], plan.fates["daily"].fills) == ("clone", {})
    assert "keeps none" in plan.warnings[0].message


def test_shorter_lives_and_gone_rows_are_destructive() -> None:
    before = side(project(CHAIN), plays=table("plays", PLAYS, ttl="at + toIntervalDay(3)"))
    other = side(
        project({**CHAIN, "a": ("3 AS x", "plays", "daily")}), plays=before.definitions["plays"]
    )
    plan = plan_of(before, other, {})
    assert [one.file for one in plan.destructive] == ["daily.datasource"]
    gone = msgspec.structs.replace(before, project=project({"a": CHAIN["a"]}))
    without = {n: s for n, s in gone.project.datasources.items() if n != "monthly"}
    wanted = side(msgspec.structs.replace(gone.project, datasources=without))
    assert "monthly" in plan_of(before, wanted, {}).removed


def test_other_types_need_a_query() -> None:
    wanted = side(project(), plays=table("plays", {"at": "DateTime", "n": "Int16"}))
    plan = plan_of(side(project()), wanted, {})
    assert (len(plan.problems), "FORWARD_QUERY" in plan.problems[0].hint) == (1, True)


def test_backfill_skip_begins_empty() -> None:
    wanted = side(
        project(backfill="skip"), daily=table("daily", DAILY, engine="MergeTree ORDER BY n")
    )
    plan = plan_of(side(project()), wanted, {})
    assert kinds(plan)["daily"] == "empty"
    assert "10 rows" in plan.warnings[0].message
