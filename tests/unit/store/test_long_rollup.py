"""Which sums of several days are due."""

import random

from playhead.model.rollup import FIRST_MONDAY
from playhead.store.long_rollup import MAKINGS_MIN, NEWEST_KEPT, Long, due_of

MONDAY = FIRST_MONDAY + 28 * 700
"""A Monday that four weeks begin with."""


def made(first: int, end: int) -> dict[int, int]:
    return {day: 1_000 + day for day in range(first, end)}


def names(due: list[Long]) -> list[tuple[int, int]]:
    return [(one.first - MONDAY, one.days) for one in due]


def test_weeks_that_are_over_four_of_them_and_those_up_to_now_are_due_the_newest_first() -> None:
    due = due_of(made(MONDAY, MONDAY + 36), [], MONDAY + 36, ())
    assert names(due) == [(8, 28), (28, 7), (0, 28), (21, 7), (14, 7), (7, 7), (0, 7)]
    assert [one.is_regular for one in due] == [False, *[True] * 6]


def test_nothing_is_due_twice_and_everything_of_a_day_that_was_made_again() -> None:
    days = made(MONDAY, MONDAY + 36)
    whole = due_of(days, [], MONDAY + 36, ())
    again = due_of(days | {MONDAY + 9: 5}, whole, MONDAY + 36, ())
    assert due_of(days, whole, MONDAY + 36, ()) == []
    assert names(again) == [(8, 28), (0, 28), (7, 7)]


def test_what_holds_a_day_that_is_to_be_made_waits_and_the_four_weeks_before_it_do_not() -> None:
    days = made(MONDAY, MONDAY + 36)
    due = due_of(days, [], MONDAY + 36, {MONDAY + 35})
    assert names(due)[0] == (7, 28)
    assert due_of(days, [], MONDAY + 36, {MONDAY + 35 - NEWEST_KEPT, MONDAY + 2}) == [
        one for one in due_of(days, [], MONDAY + 36, ()) if names([one])[0] in {(21, 7), (14, 7), (7, 7)}
    ]  # fmt: skip


def test_a_day_by_itself_has_no_long_sum() -> None:
    assert due_of(made(MONDAY, MONDAY + MAKINGS_MIN - 1), [], MONDAY + 40, ()) == []
    assert names(due_of(made(MONDAY, MONDAY + MAKINGS_MIN), [], MONDAY + 40, ())) == [
        (0, 28),
        (0, 7),
    ]


def test_days_that_go_have_no_sum_made_again() -> None:
    whole = due_of(made(MONDAY, MONDAY + 63), [], MONDAY + 63, ())
    gone = [due_of(made(MONDAY + days, MONDAY + 63), whole, MONDAY + 63, ()) for days in range(9)]
    assert gone == [[]] * 9
    assert names(due_of(made(MONDAY + 1, MONDAY + 20), [], MONDAY + 20, ())) == [(-8, 28), (7, 7)]


def test_newest_sums_replace_each_other_and_never_a_regular_one() -> None:
    draw = random.Random(4)
    for _ in range(100):
        today = MONDAY + draw.randrange(400)
        due = [
            due_of(made(MONDAY, MONDAY + 400), [], today + day, ()) for day in range(NEWEST_KEPT)
        ]
        slots = {(one.days, one.slot) for one in due[-1] if one.is_regular}
        newest = {one.end: one.slot for each in due for one in each if not one.is_regular}
        near = [(a, b) for a in newest for b in newest if 0 < a - b < NEWEST_KEPT]
        assert [pair for pair in near if newest[pair[0]] == newest[pair[1]]] == []
        assert not slots & {(28, slot) for slot in newest.values()}


def test_a_damaged_sum_is_due_wherever_it_ends_unless_its_days_are_others_now() -> None:
    days = made(MONDAY, MONDAY + 36)
    whole = due_of(days, [], MONDAY + 35, ()) + due_of(days, [], MONDAY + 36, ())
    older = [one for one in whole if one.end == MONDAY + 35 and not one.is_regular]
    rest = [one for one in whole if one not in older]
    assert due_of(days, rest, MONDAY + 36, (), damaged=older) == older
    assert due_of(days, rest, MONDAY + 36, (), damaged=[Long(older[0].slot, 0, 28, (1,))]) == []


def test_four_weeks_that_are_regular_are_made_once() -> None:
    due = due_of(made(MONDAY, MONDAY + 28), [], MONDAY + 28, ())
    assert names(due) == [(0, 28), (21, 7), (-1, 28), (14, 7), (7, 7), (0, 7)]


def test_a_long_sum_is_named_as_a_span() -> None:
    assert Long(20_000, 20_000, 7).name == "2024-10-04/P7D"
    assert Long(2, 19_999, 28).end == 20_027
