import pytest

from playhead.query.catalogue import catalogue
from playhead.query.impact import (
    Drag,
    Part,
    PartSql,
    drag_of,
    errors_needed,
    errors_of,
    part_sql,
    says_more,
)

METRICS = catalogue().metrics
RATIO = PartSql("a", "b", 100.0, "n")


def drag(impact: float, views: int) -> Drag:
    return Drag(
        impact=impact, relative=None, own=None, overall=0, without=0, views=views, share=0
    )  # fmt: skip


def test_the_impact_is_what_the_metric_loses_without_the_part() -> None:
    found = drag_of(
        METRICS["rebuffer_percentage"], RATIO, total=Part(30, 1000, 10), part=Part(20, 200, 2)
    )
    assert found is not None
    assert (found.overall, found.without, found.own) == (3, 1.25, 10)
    assert (found.impact, found.share) == (1.75, 0.2)


def test_lowering_what_should_be_high_is_a_drag() -> None:
    parts = PartSql("a", "b", 1.0, "n")
    found = drag_of(METRICS["score"], parts, total=Part(100, 2, 2), part=Part(20, 1, 1))
    assert found is not None
    assert (found.impact, found.relative) == (30, 0.6)


def test_without_any_other_view_there_is_no_impact() -> None:
    total = Part(3, 9, 5)
    assert drag_of(METRICS["startup_time"], RATIO, total=total, part=total) is None
    assert drag_of(METRICS["startup_time"], RATIO, total=Part(0, 0, 0), part=Part(0, 0, 0)) is None


@pytest.mark.parametrize(
    ("metric", "measurement", "has"),
    [
        ("views", "count", True),
        ("startup_time", "avg", True),
        ("startup_time", "median", False),
        ("rebuffer_percentage", "mux", True),
        ("rebuffer_percentage", "count", True),
        ("weighted_bitrate", "avg", True),
        ("unique_viewers", "count", False),
        ("concurrent_viewers", "max", False),
    ],
)
def test_what_can_be_subtracted_has_parts(metric: str, measurement: str, has: bool) -> None:
    assert (part_sql(METRICS[metric], measurement) is not None) == has


@pytest.mark.parametrize(
    ("pair", "first", "second", "tells"),
    [
        (drag(10, 50), drag(10, 100), drag(10, 200), True),
        (drag(8, 50), drag(10, 100), drag(1, 200), False),  # most of it is the first part's
        (drag(10, 95), drag(10, 100), drag(10, 200), False),  # it is the first part
        (drag(1, 50), drag(-5, 100), drag(-5, 100), True),  # hidden by what is good besides
        (drag(-1, 50), drag(-5, 100), drag(-5, 100), False),
    ],
)
def test_a_pair_tells_more_than_its_parts(
    pair: Drag, first: Drag, second: Drag, tells: bool
) -> None:
    assert says_more(pair, first, second, percent=90) == tells


def part_of(values: list[float]) -> Part:
    squares = (sum(one * one for one in values), sum(values), float(len(values)))
    return Part(sum(values), len(values), len(values), squares)


def test_standard_errors_are_those_of_two_means() -> None:
    low, high = [1.0, 3.0] * 50, [2.0, 4.0] * 50
    found = errors_of(RATIO, total=part_of(low + high), part=part_of(high))
    # Around the mean of all, 2.5, each view has a square of 1.25.
    assert found == pytest.approx(1 / (2 * 1.25 / 100) ** 0.5)
    assert errors_of(PartSql("a", None, 1.0, "n"), total=part_of(low), part=part_of(low)) is None


def test_few_views_that_are_alike_are_not_certain() -> None:
    found = errors_of(RATIO, total=part_of([0.0] * 90 + [1.0]), part=part_of([1.0]))
    assert found is not None
    assert found < 1.02


def test_more_differences_need_more_errors() -> None:
    needed = [errors_needed(compared, 5) for compared in (1, 1_800)]
    assert needed == pytest.approx([1.96, 4.19], abs=0.01)
    assert errors_needed(10, 100) == errors_needed(0, 5) == 0
