import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.filter import filters_of
from playhead.query.scope import Scope, add_days, flat
from playhead.query.source import BOUND_TABLES
from playhead.query.span import DAY_MS, Span
from playhead.query.statement import Conditions, Params


def test_the_first_colon_ends_the_dimension() -> None:
    (one,) = filters_of(["cdn:a:b"], catalogue(), limit=5)
    assert (one.dimension.id, one.values, one.excluded) == ("cdn", ("a:b",), False)


def test_values_of_one_dimension_gather() -> None:
    found = filters_of(["cdn:a", "!cdn:b", "cdn:"], catalogue(), limit=5)
    assert [(one.values, one.excluded) for one in found] == [(("a", ""), False), (("b",), True)]


@pytest.mark.parametrize("texts", [["cdn"], ["nothing:x"], [":x"], ["!!cdn:x"], ["cdn:x"] * 6])
def test_what_is_no_filter_is_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        filters_of(texts, catalogue(), limit=5)


def test_a_property_is_a_condition_and_a_row_filter() -> None:
    params, conditions = Params(), Conditions()
    scope = Scope(property="it's")
    scope.narrow(params, conditions, catalogue())
    assert next(iter(conditions)) == "property = {p0:String}"
    assert scope.row_filters() == dict.fromkeys(BOUND_TABLES, "property = 'it\\'s'")


def test_days_reach_back_a_views_life_and_on_for_late_events() -> None:
    params, conditions = Params(), Conditions()
    start = 1_767_225_600_000
    add_days(params, conditions, Span(start, start + DAY_MS), Config())
    assert params.values() == {"p0": "2025-12-25", "p1": "2026-01-10"}


def test_numbers_json_cannot_hold_become_null() -> None:
    assert [flat(value) for value in (1.5, float("nan"), float("inf"), "x")] == [
        1.5,
        None,
        None,
        "x",
    ]
