"""Which questions sums can answer, which days they are read from, and when that is looked at."""

import asyncio
from typing import Any, cast

import pytest

from playhead.clock import ManualClock
from playhead.config import Config
from playhead.errors import StoreUnavailable
from playhead.query.catalogue import catalogue
from playhead.query.question import Asking, Form, Question, question_of
from playhead.query.reader import Reader
from playhead.query.rolled_days import Long, Making, RolledDays
from playhead.query.rolled_rows import Cut, ranges
from playhead.query.rollup import Plan, answer_rows, cut_of, plan_of, rolled
from playhead.query.scope import Scope
from playhead.query.span import DAY_MS, HOUR_MS, Span
from playhead.query.statement import Params, Statement
from playhead.store.rollup import PARTS, STATES

NOW_MS = 20_000 * DAY_MS
ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=NOW_MS)


def cut(form: Form, start_ms: int, end_ms: int, **given: str) -> Cut | None:
    values = {"from": [str(start_ms)], "to": [str(end_ms)], **{k: [v] for k, v in given.items()}}
    question = question_of(catalogue().metric("views"), form, values, ASKING)
    return cut_of(question, catalogue())


def test_the_total_takes_days_and_the_hours_beside_them() -> None:
    found = cut("overall", NOW_MS - 2 * DAY_MS - HOUR_MS - 5, NOW_MS + 2 * HOUR_MS + 5)
    assert found is not None
    assert tuple(ranges(found.inner, found.lengths)) == (
        (1, Span(NOW_MS - 2 * DAY_MS - HOUR_MS, NOW_MS - 2 * DAY_MS)),
        (24, Span(NOW_MS - 2 * DAY_MS, NOW_MS)),
        (1, Span(NOW_MS, NOW_MS + 2 * HOUR_MS)),
    )


def test_a_dimension_takes_whole_days_only_and_buckets_of_time_none_that_are_longer() -> None:
    found = cut("breakdown", NOW_MS - DAY_MS - 5, NOW_MS + 5, group_by="country")
    assert found is not None
    inner = Span(NOW_MS - DAY_MS, NOW_MS)
    assert found == Cut("country", inner, (672, 168, 24))
    assert cut("timeseries", NOW_MS - DAY_MS, NOW_MS, interval="1d") == Cut("", inner, (24, 1))


@pytest.mark.parametrize(
    ("form", "given"),
    [
        ("breakdown", {"group_by": "country", "filters": "cdn:a"}),
        ("breakdown", {"group_by": "viewer_id"}),
        ("breakdown", {"group_by": "custom.plan"}),
        ("timeseries", {"interval": "15m"}),
        ("timeseries", {"interval": "1h", "group_by": "cdn"}),
        ("timeseries", {"interval": "1d", "timezone": "Asia/Kolkata"}),
        ("timeseries", {"interval": "1d", "timezone": "Europe/Berlin", "filters": "cdn:a"}),
    ],
)
def test_what_the_sums_do_not_know_is_read_from_the_views(
    form: Form, given: dict[str, str]
) -> None:
    assert cut(form, NOW_MS - 9 * DAY_MS, NOW_MS, **given) is None
    assert cut("overall", NOW_MS - 9 * DAY_MS, NOW_MS) is not None


def making(day: int, *, dimensions: frozenset[str] = frozenset({"country"})) -> Making:
    hours = (day * DAY_MS,)
    return Making(day, 100 + day, dimensions, {"start": hours, "end": hours})


_BLOCKS = {"first_block": 1, "last_block": 1, "last_mutation": 0}


class FakeReader:
    """Answers every statement by the days it was asked about; the days can be changed."""

    def __init__(self, *days: Making) -> None:
        self.config = Config()
        self.catalogue = catalogue()
        self.clock = ManualClock()
        self.days = days
        self.longs: tuple[Long, ...] = ()
        self.looking = asyncio.Event()
        self.looking.set()
        self.broken = False
        self.asked: list[Any] = []
        self.ended: list[Any] = []
        self.looks = 0
        self.readings = 0
        self.rolled_days = RolledDays(self.clock, "layout", keep_ms=500)

    def keep_ms(self, _span: Span) -> int:
        return 0

    async def rows(self, statement: Statement, _scope: Scope, *, keep_ms: int) -> Any:
        assert keep_ms == 0
        if "made" in statement.params:
            held = [one for one in self.days if one.made in statement.params["made"]]
            hours = {one.made: [at // 1000 for at in one.hours["start"]] for one in held}
            return [
                {"day": one.day, "made": one.made, "dimensions": [*one.dimensions]}
                | {"starts": hours[one.made], "ends": hours[one.made]}
                for one in held
            ]
        if statement.sql == PARTS:
            self.looks += 1
            await self.looking.wait()
            states = {"table": "view_rollup_state", "day": 0, "parts": str(self.days)} | _BLOCKS
            days = [{"table": "views", "day": one.day, "parts": 1} | _BLOCKS for one in self.days]
            return [states, *days]
        if statement.sql == STATES:
            self.readings += 1
            days = [{"day": one.day, "made": one.made, "of": []} | _BLOCKS for one in self.days]
            return days + [row_of(one) | _BLOCKS for one in self.longs]
        plan = statement.params["plan"]
        if self.broken:
            raise StoreUnavailable("Gone.")
        self.asked.append(plan)
        await asyncio.sleep(0.01)
        self.ended.append(plan)
        return [{"plan": plan}]

    async def answer(self) -> Any:
        asked = cast("Reader", self)
        return (await answer_rows(asked, self.question(), self.made))[0]["plan"]

    @staticmethod
    def made(plan: Plan | None) -> Statement:
        return Statement("", {"plan": plan and tuple(100 + day for day in plan.days)})

    @staticmethod
    def question(end_ms: int = NOW_MS) -> Question:
        values = {"from": [str(NOW_MS - 9 * DAY_MS)], "to": [str(end_ms)], "group_by": ["country"]}
        return question_of(catalogue().metric("views"), "breakdown", values, ASKING)


DAY = NOW_MS // DAY_MS


async def test_questions_of_half_a_second_share_a_look() -> None:
    reader = FakeReader(making(DAY - 2), making(DAY - 3))
    assert await asyncio.gather(*(reader.answer() for _ in range(5))) == [
        (100 + DAY - 2, 100 + DAY - 3)
    ] * 5  # fmt: skip
    reader.clock.advance(400)
    await reader.answer()
    assert reader.looks == 1
    reader.clock.advance(200)
    await reader.answer()
    assert reader.looks == 2


@pytest.mark.parametrize(
    ("end_ms", "days", "threads"), [(NOW_MS, 9, 1), (NOW_MS, 8, None), (NOW_MS + 5, 9, None)]
)
async def test_sums_alone_are_read_by_one_thread_and_views_beside_them_by_as_many_as_are_set(
    end_ms: int, days: int, threads: int | None
) -> None:
    reader = FakeReader(*(making(DAY - ago) for ago in range(1, days + 1)))
    question = FakeReader.question(end_ms)
    asked = cast("Reader", reader)
    plan = await plan_of(asked, question)
    assert plan is not None
    rows = "FROM v WHERE true"
    read = rolled(asked, question, plan, Params(), keys=lambda *_: {}, rows_sql=rows)
    assert read.settings.get("max_threads") == threads
    assert read.settings["compile_expressions"] == 0


async def test_an_answer_begins_before_the_look_has_ended_and_counts_if_it_sees_the_same() -> None:
    reader = FakeReader(making(DAY - 2))
    await reader.answer()
    reader.clock.advance(600)
    reader.looking.clear()
    answer = asyncio.create_task(reader.answer())
    await asyncio.sleep(0.05)
    assert (len(reader.ended), answer.done()) == (2, False)
    reader.looking.set()
    assert (await answer, len(reader.asked)) == ((100 + DAY - 2,), 2)


@pytest.mark.parametrize("broken", [False, True])
async def test_an_answer_by_days_that_changed_is_thrown_away(*, broken: bool) -> None:
    reader = FakeReader(making(DAY - 2), making(DAY - 3))
    await reader.answer()
    reader.clock.advance(600)
    reader.days, reader.broken = (making(DAY - 3),), broken
    reader.looking.clear()
    answer = asyncio.create_task(reader.answer())
    await asyncio.sleep(0.002)
    reader.broken = False
    reader.looking.set()
    assert await answer == (100 + DAY - 3,)


async def test_who_leaves_leaves_nothing_running() -> None:
    reader = FakeReader(making(DAY - 2))
    await reader.answer()
    reader.clock.advance(600)
    answer = asyncio.create_task(reader.answer())
    await asyncio.sleep(0.002)
    answer.cancel()
    await asyncio.sleep(0.05)
    assert (len(reader.asked), len(reader.ended)) == (2, 1)


async def test_a_day_without_rows_by_the_dimension_is_read_from_the_views() -> None:
    reader = FakeReader(making(DAY - 2, dimensions=frozenset({"cdn"})), making(DAY - 3))
    assert await reader.answer() == (100 + DAY - 3,)
    reader = FakeReader(making(DAY - 60))
    assert await reader.answer() is None


def row_of(long: Long) -> dict[str, Any]:
    """Return a long sum as the store names it."""
    said = {"day": long.first, "days": long.days, "made": long.made, "regular": long.regular}
    return said | {"of": [*long.of]}


@pytest.mark.parametrize(
    ("metric", "read"), [("unique_viewers", (0, (7,))), ("views", (24, (98 + DAY, 97 + DAY)))]
)
async def test_sets_and_sketches_are_read_by_long_sums_and_plain_sums_of_a_month_by_days(
    metric: str, read: tuple[int, tuple[int, ...]]
) -> None:
    days = [making(DAY - 2), making(DAY - 3)]
    reader = FakeReader(*days)
    reader.longs = (Long(DAY - 28, 28, 7, False, frozenset(one.made for one in days)),)
    values = {"from": [str(NOW_MS - 30 * DAY_MS)], "to": [str(NOW_MS)], "group_by": ["country"]}
    question = question_of(catalogue().metric(metric), "breakdown", values, ASKING)
    plan = await plan_of(cast("Reader", reader), question)
    assert plan is not None
    assert [(rows.hours, rows.made) for rows in plan.rows] == [read]


async def test_a_sum_with_a_day_that_has_no_rows_by_the_dimension_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("playhead.query.rollup.LONG_DAYS", 0)
    days = [making(DAY - 2), making(DAY - 3, dimensions=frozenset({"cdn"}))]
    reader = FakeReader(*days)
    both = frozenset(one.made for one in days)
    reader.longs = (
        Long(DAY - 28, 28, 7, False, both),
        Long(DAY - 28, 28, 8, False, both - {days[1].made}),
    )
    values = {"from": [str(NOW_MS - 30 * DAY_MS)], "to": [str(NOW_MS)], "group_by": ["country"]}
    question = question_of(catalogue().metric("views"), "breakdown", values, ASKING)
    plan = await plan_of(cast("Reader", reader), question)
    assert plan is not None
    assert (plan.days, [rows.made for rows in plan.rows]) == ((DAY - 2,), [(8,)])


async def test_states_are_read_again_only_when_there_are_others() -> None:
    reader = FakeReader(making(DAY - 2), making(DAY - 3))
    read = []
    for days in (reader.days, reader.days, reader.days[1:]):
        reader.clock.advance(600)
        reader.days = days
        await reader.answer()
        read.append((reader.looks, reader.readings))
    assert read == [(1, 1), (2, 1), (3, 2)]
