"""Which buckets of a rollup lie in a span as a whole, and which days it is read from."""

import asyncio
import random
from typing import Any, cast

import pytest

from playhead.clock import ManualClock
from playhead.config import Config
from playhead.errors import StoreUnavailable
from playhead.query.catalogue import catalogue
from playhead.query.question import Asking, Form, Question, question_of
from playhead.query.reader import Reader
from playhead.query.rolled_days import Making, RolledDays, Week
from playhead.query.rollup import Cut, Plan, answer_rows, cut_of, plan_of
from playhead.query.scope import Scope
from playhead.query.span import DAY_MS, HOUR_MS, Span
from playhead.query.statement import Statement
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
    assert found.ranges == (
        (1, NOW_MS - 2 * DAY_MS - HOUR_MS, NOW_MS - 2 * DAY_MS),
        (24, NOW_MS - 2 * DAY_MS, NOW_MS),
        (1, NOW_MS, NOW_MS + 2 * HOUR_MS),
    )


def test_a_dimension_takes_whole_days_only() -> None:
    found = cut("breakdown", NOW_MS - DAY_MS - 5, NOW_MS + 5, group_by="country")
    assert found is not None
    assert (found.dimension, found.ranges) == ("country", ((24, NOW_MS - DAY_MS, NOW_MS),))


def test_ranges_are_whole_buckets_one_after_the_other_weeks_where_there_are_any() -> None:
    draw = random.Random(1)
    for _ in range(300):
        first, last = sorted(NOW_MS - draw.randrange(60 * 24) * HOUR_MS for _ in range(2))
        found = cut("overall", first, last + HOUR_MS)
        assert found is not None
        edges = [found.inner.from_ms, *(end for _, _, end in found.ranges)]
        assert [start for _, start, _ in found.ranges] == edges[:-1]
        assert edges[-1] == found.inner.to_ms
        widths = {hours: hours * HOUR_MS for hours, _, _ in found.ranges}
        monday = {hours: 4 * DAY_MS if hours == 168 else 0 for hours in widths}
        assert not [one for one in found.ranges if (one[1] - monday[one[0]]) % widths[one[0]]]
        assert found.by_week or last - first < 14 * DAY_MS


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


def making(day: int, *hours: int, dimensions: frozenset[str] = frozenset({"country"})) -> Making:
    return Making(day, 100 + day, dimensions, {"start": hours, "end": ()})


def test_hours_touch_a_span_when_a_moment_of_theirs_lies_in_it() -> None:
    draw = random.Random(3)
    for _ in range(300):
        hours = sorted({draw.randrange(12) * HOUR_MS for _ in range(draw.randrange(4))})
        first, end = sorted(draw.randrange(14 * HOUR_MS) // 900_000 * 900_000 for _ in range(2))
        touched = any(hour < end and first < hour + HOUR_MS for hour in hours) and first < end
        assert making(1, *hours).has_within("start", first, end) == touched


_BLOCKS = {"first_block": 1, "last_block": 1, "last_mutation": 0}


class FakeReader:
    """Answers every statement by the days it was asked about; the days can be changed."""

    def __init__(self, *days: Making) -> None:
        self.config = Config()
        self.catalogue = catalogue()
        self.clock = ManualClock()
        self.days = days
        self.weeks: tuple[Week, ...] = ()
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
            hours: dict[str, list[int]] = {"starts": [], "ends": []}
            held = {one.made: one for one in self.days}
            return [
                {"day": held[n].day, "made": n, "dimensions": [*held[n].dimensions], **hours}
                for n in statement.params["made"]
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
            weeks = [{"day": 0, "made": one.made, "of": [*one.of]} | _BLOCKS for one in self.weeks]
            return days + weeks
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
        return Statement("", {"plan": plan and plan.made})

    @staticmethod
    def question() -> Question:
        values = {"from": [str(NOW_MS - 9 * DAY_MS)], "to": [str(NOW_MS)], "group_by": ["country"]}
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


async def test_a_week_stands_for_its_makings_and_what_it_does_not_hold_is_read_beside() -> None:
    days = [making(day) for day in range(DAY - 2, DAY - 9, -1)]
    reader = FakeReader(*days)
    held = frozenset(one.made for one in days[2:])
    reader.weeks = (Week(7, held), Week(8, held | {1}), Week(9, frozenset({1})))
    values = {"from": [str(NOW_MS - 20 * DAY_MS)], "to": [str(NOW_MS)], "group_by": ["country"]}
    plans = [
        await plan_of(
            cast("Reader", reader),
            question_of(catalogue().metric(metric), "breakdown", values, ASKING),
        )
        for metric in ("unique_viewers", "views")
    ]
    found = [plan and (plan.weeks, plan.apart, plan.cut.by_week) for plan in plans]
    made = tuple(one.made for one in days)
    assert found == [((7,), made[:2], True), ((), made, False)]


async def test_a_week_with_a_day_that_has_no_rows_by_the_dimension_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("playhead.query.rollup.LONG_DAYS", 0)
    days = [making(DAY - 2), making(DAY - 3, dimensions=frozenset({"cdn"}))]
    reader = FakeReader(*days)
    reader.weeks = (
        Week(7, frozenset(one.made for one in days)),
        Week(8, frozenset({days[0].made})),
    )
    values = {"from": [str(NOW_MS - 20 * DAY_MS)], "to": [str(NOW_MS)], "group_by": ["country"]}
    question = question_of(catalogue().metric("views"), "breakdown", values, ASKING)
    plan = await plan_of(cast("Reader", reader), question)
    assert plan is not None
    assert (plan.made, plan.weeks) == ((days[0].made,), (8,))


async def test_states_are_read_again_only_when_there_are_others() -> None:
    reader = FakeReader(making(DAY - 2), making(DAY - 3))
    read = []
    for days in (reader.days, reader.days, reader.days[1:]):
        reader.clock.advance(600)
        reader.days = days
        await reader.answer()
        read.append((reader.looks, reader.readings))
    assert read == [(1, 1), (2, 1), (3, 2)]
