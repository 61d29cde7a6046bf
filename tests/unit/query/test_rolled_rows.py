"""Every bucket of a span is answered by each making once, whatever long sums there are."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model.rollup import FIRST_MONDAY, LONG_HOURS
from playhead.query.rolled_days import Long, Making
from playhead.query.rolled_rows import LENGTHS, Cut, Rows, Sums, ranges, whole
from playhead.query.span import DAY_MS, HOUR_MS, Span

TODAY = 20_000
DAYS = LENGTHS[:-1]
ALL = frozenset({"country"})


def making(day: int, *hours: int) -> Making:
    return Making(day, 1_000 + day, ALL, {"start": hours, "end": ()})


def test_hours_touch_a_span_when_a_moment_of_theirs_lies_in_it() -> None:
    draw = random.Random(3)
    for _ in range(300):
        hours = sorted({draw.randrange(12) * HOUR_MS for _ in range(draw.randrange(4))})
        first, end = sorted(draw.randrange(14 * HOUR_MS) // 900_000 * 900_000 for _ in range(2))
        touched = [hour for hour in hours if hour < end and first < hour + HOUR_MS and first < end]
        expected = (touched[0], touched[-1]) if touched else None
        assert making(1, *hours).touched("start", Span(first, end)) == expected


@pytest.mark.parametrize("shortest", [1, 24])
def test_ranges_are_whole_buckets_one_after_the_other_the_longest_there_are(shortest: int) -> None:
    draw = random.Random(1)
    lengths = tuple(hours for hours in LENGTHS if hours >= shortest)
    for _ in range(300):
        edges = sorted(draw.randrange(90 * 24) * HOUR_MS for _ in range(2))
        span = whole(Span(edges[0], edges[1] + 2 * DAY_MS), shortest)
        assert span is not None
        found = list(ranges(span, lengths))
        assert [one.from_ms for _, one in found] == [
            span.from_ms,
            *(one.to_ms for _, one in found[:-1]),
        ]
        assert found[-1][1].to_ms == span.to_ms
        assert [one for hours, one in found if whole(one, hours) != one] == []
        assert max(hours for hours, _ in found) == max(
            hours for hours in lengths if whole(span, hours)
        )


def longs_of(makings: Sequence[Making], draw: random.Random) -> list[Long]:
    """Return long sums as the store makes them, some missing, some older than one of their days."""
    found: list[Long] = []
    spans = [(end - 28, 28, False) for end in range(TODAY - 3, TODAY + 1)]
    for days in LONG_HOURS:
        firsts = {one.day - (one.day - FIRST_MONDAY) % days for one in makings}
        spans += [(first, days, True) for first in sorted(firsts)]
    for first, days, regular in spans:
        of = [one.made for one in makings if first <= one.day < first + days]
        of = [made for made in of if draw.random() < 0.97]
        if of and draw.random() < 0.8:
            found.append(Long(first, days, len(found), regular, frozenset(of)))
    return found


def begins(long: Long, hour: int) -> int | None:
    """Return when the bucket of an hour begins in the rows of a long sum; None: it has none."""
    day = hour // DAY_MS
    if long.regular:
        return (day - (day - FIRST_MONDAY) % long.days) * DAY_MS
    return long.first * DAY_MS if 0 <= day - long.first < long.days else None


def read(rows: Rows, makings: Sequence[Making], longs: Sequence[Long]) -> list[tuple[int, int]]:
    """Return the making and the hour of every view that some rows hold."""
    said = {LONG_HOURS[long.days]: long.days for long in longs} if rows.hours in {0, 168} else {}
    every = [(one, hour) for one in makings for hour in one.hours["start"]]
    if not said:
        step_ms = rows.hours * HOUR_MS
        since = [
            (one, hour, hour // step_ms * step_ms) for one, hour in every if one.made in rows.made
        ]
        return [(one.made, hour) for one, hour, at in since if rows.from_ms <= at < rows.to_ms]
    used = [one for one in longs if one.made in rows.made and one.days == said[rows.hours]]
    found = [
        (one, hour, begins(long, hour))
        for long in used
        for one, hour in every
        if one.made in long.of
    ]
    return [
        (one.made, hour)
        for one, hour, at in found
        if at is not None and rows.from_ms <= at < rows.to_ms
    ]


@given(st.randoms(use_true_random=False), st.sampled_from([LENGTHS, DAYS]))
@settings(max_examples=200)
def test_each_making_answers_for_each_bucket_once(
    draw: random.Random, lengths: tuple[int, ...]
) -> None:
    def hours_of(day: int) -> list[int]:
        return sorted(
            {(day * 24 + draw.choice([0, 5, 23, 24, -30, 300])) * HOUR_MS for _ in "1234"}
        )

    days = [day for day in range(TODAY - 100, TODAY) if draw.random() < 0.9]
    makings = [making(day, *hours_of(day)) for day in days]
    longs = longs_of(makings, draw)
    step_ms = lengths[-1] * HOUR_MS
    edges = sorted(draw.choice([0, 1, 28, 29, draw.randrange(110)]) * DAY_MS for _ in "12")
    off_ms = [draw.choice([0, 0, draw.randrange(24)]) * HOUR_MS // step_ms * step_ms for _ in "12"]
    today_ms = TODAY * DAY_MS
    inner = Span(today_ms - edges[1] - DAY_MS + off_ms[0], today_ms - edges[0] + off_ms[1])
    sums = Sums("start", makings, longs)
    rows = sums.rows(Cut("country", inner, lengths))
    found = [one for part in rows for one in read(part, makings, longs)]
    wanted = [
        (one.made, hour) for one in makings for hour in one.hours["start"]
        if inner.from_ms <= hour < inner.to_ms
    ]  # fmt: skip
    assert sorted(found) == sorted(wanted)


def test_a_month_that_ends_now_is_one_sum_and_the_day_before_it() -> None:
    makings = [making(day, day * DAY_MS) for day in range(TODAY - 40, TODAY)]
    of = frozenset(one.made for one in makings[-28:])
    longs = [Long(TODAY - 28, 28, 7, False, of), Long(TODAY - 29, 28, 8, False, of)]
    month = Cut("country", Span((TODAY - 29) * DAY_MS, TODAY * DAY_MS), DAYS)
    first = (TODAY - 28) * DAY_MS
    assert Sums("start", makings, longs).rows(month) == (
        Rows(24, first - DAY_MS, first, (1_000 + TODAY - 29,)),
        Rows(0, first, TODAY * DAY_MS, (7,)),
    )


def test_a_year_of_regular_sums_is_a_range_each_way() -> None:
    makings = [making(day, day * DAY_MS) for day in range(TODAY - 365, TODAY)]
    longs = [one for one in longs_of(makings, random.Random(0)) if one.regular]
    year = Cut("country", Span((TODAY - 365) * DAY_MS, TODAY * DAY_MS), DAYS)
    found = Sums("start", makings, longs).rows(year)
    assert {rows.hours for rows in found} == {0, 168, 24}
    assert len(found) <= 7
