from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.rendering import Inputs, TemplateRefused
from playhead.template.weight import NESTING_MAX, is_whole, weigh


def cost(value: object) -> int:
    context = Context(Inputs(), steps_max=10_000)
    weigh(value, context)
    return 10_000 - context.steps_left


def test_small_things_cost_nothing_and_large_things_by_their_size() -> None:
    assert cost(5) == cost("a" * 64) == cost(None) == 0
    assert cost("a" * 6400) == 100
    assert cost([1] * 100) == 201


def test_a_part_counts_as_often_as_it_is_met() -> None:
    part = [1] * 10
    assert cost([part, part]) == 2 * cost(part) + 3
    assert cost({"k": part}) > cost(part)


def test_what_holds_itself_runs_out_of_budget() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(TemplateRefused):
        weigh(circle, Context(Inputs()))
    assert len(circle) == 1


def test_half_a_character_is_found() -> None:
    assert is_whole("é ☃ 😀")
    assert not is_whole("a\ud800")


def test_nesting_has_a_limit() -> None:
    deep: list[Any] = []
    for _ in range(NESTING_MAX):
        deep = [deep]
    with pytest.raises(TemplateRefused, match=f"deeper than {NESTING_MAX} levels"):
        weigh(deep, Context(Inputs()))
    weigh(deep[0], Context(Inputs()))
