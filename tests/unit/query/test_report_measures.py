"""Measures of the report are made from the catalogue's definitions."""

import pytest

from playhead.query.catalogue import catalogue
from playhead.query.report_measures import (
    SESSIONS,
    STALLED,
    STARTUPS,
    Distribution,
    change_of,
    measure_of,
)


def test_a_ratio_is_divided_after_summing() -> None:
    measure = measure_of(catalogue(), "rebuffer_percentage")
    names = [column.rpartition(" AS ")[2] for column in measure.columns()]
    assert measure.value(dict(zip(names, (5, 200), strict=True))) == 2.5
    assert measure.value(dict(zip(names, (0, 0), strict=True))) is None


def test_only_what_adds_up_is_zero_without_rows() -> None:
    assert measure_of(catalogue(), "views").empty == 0
    assert measure_of(catalogue(), "startup_time", "p95").empty is None


@pytest.mark.parametrize("distribution", [SESSIONS, STALLED, STARTUPS])
def test_every_range_has_a_label(distribution: Distribution) -> None:
    assert len(distribution.labels) == len(distribution.edges) + 1
    assert list(distribution.edges) == sorted(distribution.edges)


def test_ranges_are_the_steps_of_what_lies_below_each_edge() -> None:
    assert STALLED.ranges([1, 1, 4, 4, 5, 9]) == [1, 0, 3, 0, 1, 4]


@pytest.mark.parametrize(
    ("now", "before", "change"), [(3, 2, 50), (1, 2, -50), (1, 0, None), (1, None, None)]
)
def test_a_change_needs_something_before(now: float, before: float, change: float | None) -> None:
    assert change_of(now, before) == change
