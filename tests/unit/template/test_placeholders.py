from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.placeholders import Placeholder, method
from playhead.template.rendering import Inputs, TemplateRefused
from playhead.template.values import wrapped


def test_a_placeholder_is_equal_to_nothing_and_true() -> None:
    one = Placeholder("device", 3)
    values: list[Any] = ["tv", "__no_value__", None, Placeholder("device", 3)]
    assert not any(one == value for value in values)
    assert (bool(one), "tv" in one, str(one)) == (True, False, "__no_value__")


def test_it_can_be_walked_joined_and_cut() -> None:
    one = Placeholder("device", 3)
    made = [*one, one + "x", "x" + one, one[0], one["a"]]
    context = Context(Inputs())
    assert {wrapped(part, context) for part in made} == {"'__no_value__'"}
    assert len(made) == 7


def test_it_cannot_be_compared_with_a_number() -> None:
    one: Any = Placeholder("device", 3)
    with pytest.raises(TypeError):
        assert one > 5
    assert one.called().message == "'device' is not a valid function, line 3"


def test_methods_give_what_fits() -> None:
    one = Placeholder("device")
    assert [method(one, name) for name in ("startswith", "count", "items")] == [False, 0, []]
    assert [len(method(one, "split", ",")), str(method(one, "upper"))] == [2, "__no_value__"]


def test_a_context_has_a_budget() -> None:
    context = Context(Inputs(job_timestamp="2025-01-01 00:00:00"), steps_max=10, bytes_max=100)
    assert context.params == {"job_timestamp": "2025-01-01 00:00:00"}
    context.make(100)
    with pytest.raises(TemplateRefused, match="101 characters; 100 are allowed"):
        context.make(101)
    with pytest.raises(TemplateRefused, match="more than 10 steps"):
        context.spend(9)
