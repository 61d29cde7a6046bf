"""Reading rollups: whole days and hours from the sums of closed days, everything else from the views.

A question about a month reads some thousand rows instead of millions. Which days have a rollup that
is as their views are now is looked up (`rolled_days.py`) while the question is already answered by
what the look before saw; where that was another plan, the question is asked again. Of those days, buckets
that lie in the span as a whole come from the rollup; views of other days, and views outside those
buckets, are read by themselves in the same statement. So every view counts exactly once.

Where whole weeks are asked for at once, one row stands for those of up to 28 days (`rolled_rows.py`).

Sums by a dimension are kept a UTC day, the totals an hour as well. A question that asks for more
(two dimensions, a number of the view, buckets that begin in between) is read from the views alone.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from playhead.model.rollup import KEYS, MOMENTS, Edge
from playhead.query.catalogue import Catalogue, Dimension
from playhead.query.pieces import Taken, edge_of, is_rolled, taken
from playhead.query.question import Question
from playhead.query.reader import Reader
from playhead.query.rolled_days import Days
from playhead.query.rolled_rows import DAY, HOUR, LENGTHS, Cut, Rows, Sums, whole
from playhead.query.scope import Scope, days_of
from playhead.query.span import DAY_MS, HOUR_MS, Span
from playhead.query.statement import LIGHT_SETTINGS, ONE_THREAD, Conditions, Params, Statement

LONG_DAYS: Final = 92
"""Plain sums of fewer days are read faster by themselves than through more conditions."""
DAYS_MAX: Final = 1_200
"""Most days of one answer that come from rollups, the newest: a statement's values are bounded."""
_VALUE: Final = Dimension(
    id="value", description="A value of the dimension that rollup rows are cut by."
)
Keys = Callable[[str, Dimension | None], dict[str, str]]
"""From a row's moment (SQL, ms) and the dimension of the groups to what rows are grouped by."""


class Reading(msgspec.Struct, frozen=True):
    """Parts of a statement: `SELECT {keys}{numbers} {rows} GROUP BY …`, and its settings."""

    keys: str
    numbers: str
    rows: str
    settings: Mapping[str, object] = {}


class Plan(msgspec.Struct, frozen=True):
    """How a question is read: which makings count, and which of their days have views outside.

    While the plan is the same, so is the answer, but for views it does not hold.
    """

    taken: Taken
    edge: Edge
    cut: Cut
    days: tuple[int, ...]
    """Days since 1970, shorter than dates."""
    cut_days: tuple[int, ...]
    """Those of `days` with views outside the whole buckets."""
    rows: tuple[Rows, ...]
    """Of the sums: what is read of them."""


Made = Callable[[Plan | None], Statement]
"""Makes the statement of a question: by a plan, or over the views alone."""


async def answer_rows(reader: Reader, question: Question, made: Made) -> list[dict[str, Any]]:
    """Return the rows of the statement that answers a question; raises as `Reader.rows`.

    The answer is as of a look at the days not older than `query.cache_open_ms`. To look takes as long
    as to read sums, so both are done at once, by the newest look there was: days change rarely.
    """

    def ask(plan: Plan | None) -> "asyncio.Task[list[dict[str, Any]]]":
        keep_ms = reader.keep_ms(question.span)
        return asyncio.ensure_future(reader.rows(made(plan), question.scope, keep_ms=keep_ms))

    plan_by = _planner(reader, question)
    if plan_by is None:
        return await ask(None)
    last = reader.rolled_days.last
    guess = plan_by(last) if last is not None else None
    early = ask(guess) if guess is not None else None
    try:
        plan = plan_by(await look(reader))
        if early is not None and plan == guess:
            return await early
        return await ask(plan)
    finally:
        if early is not None:
            early.cancel()
            early.add_done_callback(_heard)


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take note of how a task that is not needed ended: nobody else will."""
    if not task.cancelled():
        task.exception()


async def plan_of(reader: Reader, question: Question) -> Plan | None:
    """Return how to read a question from rollups; None where it is read from the views alone."""
    plan_by = _planner(reader, question)
    return None if plan_by is None else plan_by(await look(reader))


async def look(reader: Reader) -> Days:
    """Return which makings count, by a look not older than `query.cache_open_ms`; raises as `rows`."""
    return await reader.rolled_days.look(lambda asked: reader.rows(asked, Scope(), keep_ms=0))


def _planner(reader: Reader, question: Question) -> Callable[[Days], Plan | None] | None:
    """Return what plans a question by the days whose sums count; None where sums cannot answer."""
    if not reader.config.query.use_rollups or question.scope.numbers:
        return None
    edge = edge_of(question.metric)
    found = taken(question.metric, question.measurement)
    cut = cut_of(question, reader.catalogue)
    if edge is None or found is None or cut is None:
        return None
    slow = any(piece.column.is_state for piece in found.pieces)
    first, last = days_of(question.span, reader.config)
    gaps = (
        Span(question.span.from_ms, cut.inner.from_ms),
        Span(cut.inner.to_ms, question.span.to_ms),
    )

    def plan_by(days: Days) -> Plan | None:
        known = days.makings
        used = [one for one in known if first <= one.day <= last and one.is_by(cut.dimension)]
        del used[DAYS_MAX:]
        longs = days.longs if slow or len(used) > LONG_DAYS else ()
        outside = (one.day for one in used if any(one.touched(edge, gap) for gap in gaps))
        return (
            Plan(
                taken=found,
                edge=edge,
                cut=cut,
                days=tuple(one.day for one in used),
                cut_days=tuple(outside),
                rows=Sums(edge, used, longs).rows(cut),
            )
            if used
            else None
        )

    return plan_by


async def relative_error(reader: Reader, question: Question) -> float:
    """Return how far a percentile of the answer may be off because it is read from sketches, or 0."""
    found = taken(question.metric, question.measurement)
    if found is None or not found.relative_error:
        return 0.0
    plan = await plan_of(reader, question)
    return 0.0 if plan is None else found.relative_error


def cut_of(question: Question, catalogue: Catalogue) -> Cut | None:
    """Return which buckets of a rollup lie in the question's span as a whole; None if none does."""
    asked = {one.dimension.id for one in question.scope.filters}
    if question.group_by is not None:
        asked.add(question.group_by.id)
    cut_by = asked - set(KEYS)
    known = catalogue.dimensions
    if len(cut_by) > 1 or not all(one in known and is_rolled(one) for one in cut_by):
        return None
    if any(one.hidden and one.id not in KEYS for one in known.values()):
        return None  # its rows are left out of answers, but not of sums
    starts = question.buckets.starts if question.buckets else ()
    by_hour = not cut_by
    by_day = not any(start % DAY_MS for start in starts)
    if any(start % HOUR_MS for start in starts) or not (by_hour or by_day):
        return None
    inner = whole(question.span, HOUR if by_hour else DAY)
    if inner is None:
        return None
    longest = HOUR if not by_day else DAY if starts else LENGTHS[0]
    shortest = HOUR if by_hour else DAY
    lengths = tuple(hours for hours in LENGTHS if shortest <= hours <= longest)
    return Cut(next(iter(cut_by), ""), inner, lengths)


def rolled(
    reader: Reader, question: Question, plan: Plan, params: Params, *, keys: Keys, rows_sql: str
) -> Reading:
    """Return the parts of a statement that reads rollups and, beside them, views.

    Args:
        reader: For the catalogue.
        question: What is asked.
        plan: How it is read.
        params: Where values are bound.
        keys: What rows are grouped by; asked once for views and once for rollup rows.
        rows_sql: `FROM … WHERE …` of the views, all of the span.
    """
    names = [f"p{number}" for number in range(len(plan.taken.pieces))]
    group_by = question.group_by
    column = MOMENTS[plan.edge]
    views = keys(f"toUnixTimestamp64Milli({column})", group_by)
    sums = keys("toInt64(toUnixTimestamp(since)) * 1000", _of_rollup(group_by))
    parts = [piece.part for piece in plan.taken.pieces]
    kept = [piece.kept for piece in plan.taken.pieces]
    by = f" GROUP BY {', '.join(views)}" if views else ""
    outside = _beside_sql(plan, column, params)
    rows = (
        f"FROM (SELECT {_listed(views, names, parts)} {rows_sql} AND {outside}{by}"
        f" UNION ALL SELECT {_listed(sums, names, kept)} FROM playhead.view_rollup"
        f" WHERE {_kept_sql(reader, question, plan, params)})"
    )
    numbers = f"{plan.taken.value} AS value, {plan.taken.counted} AS views"
    settings = ONE_THREAD if _is_summed(plan, question.span) else LIGHT_SETTINGS
    return Reading("".join(f"{key}, " for key in views), numbers, rows, settings)


def _is_summed(plan: Plan, span: Span) -> bool:
    """Return whether sums hold the span: then hardly a view is read, of days beside it."""
    days = range(span.from_ms // DAY_MS, -(-span.to_ms // DAY_MS))
    return plan.cut.inner == span and set(days) <= set(plan.days)


def _listed(keys: dict[str, str], names: list[str], pieces: list[str]) -> str:
    both = [*keys.items(), *zip(names, pieces, strict=True)]
    return ", ".join(f"{sql} AS {name}" for name, sql in both)


def _beside_sql(plan: Plan, column: str, params: Params) -> str:
    """Return the condition for views that the rollup rows of the plan do not hold."""
    of_others = f"first_seen_day NOT IN {params.add('Array(UInt16)', list(plan.days))}"
    if not plan.cut_days:
        return f"({of_others})"
    within = _moments(plan.cut.inner, f"toUnixTimestamp64Milli({column})", params)
    cut = params.add("Array(UInt16)", list(plan.cut_days))
    return f"({of_others} OR (first_seen_day IN {cut} AND NOT ({within})))"


def _kept_sql(reader: Reader, question: Question, plan: Plan, params: Params) -> str:
    """Return the condition for the rollup rows of the plan."""
    conditions = Conditions()
    conditions.add(f"moment = {params.add('String', plan.edge)}")
    conditions.add(f"dimension = {params.add('String', plan.cut.dimension)}")
    makings = dict.fromkeys(rows.made for rows in plan.rows)
    listed = {made: params.add("Array(UInt64)", list(made)) for made in makings}
    ranges = (
        f"(hours = {rows.hours} AND since >= toDateTime({params.add('Int64', rows.from_ms // 1000)}, 'UTC')"
        f" AND since < toDateTime({params.add('Int64', rows.to_ms // 1000)}, 'UTC')"
        f" AND made IN {listed[rows.made]})"
        for rows in plan.rows
    )
    conditions.add(" OR ".join(ranges) or "false")
    scope = msgspec.structs.replace(
        question.scope,
        filters=tuple(
            msgspec.structs.replace(one, dimension=_of_rollup(one.dimension) or one.dimension)
            for one in question.scope.filters
        ),
    )
    scope.narrow(params, conditions, reader.catalogue)
    return conditions.sql()


def _of_rollup(dimension: Dimension | None) -> Dimension | None:
    """Return the dimension as rollup rows have it: a column of its own, or the value."""
    return dimension if dimension is None or dimension.id in KEYS else _VALUE


def _moments(span: Span, ms: str, params: Params) -> str:
    first, end = (params.add("Int64", at_ms) for at_ms in (span.from_ms, span.to_ms))
    return f"{ms} >= {first} AND {ms} < {end}"
