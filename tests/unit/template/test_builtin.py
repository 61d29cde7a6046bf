from typing import Any

import pytest

from playhead.template.builtin import IN_EXPRESSIONS, IN_STATEMENTS
from playhead.template.context import Context
from playhead.template.rendering import Inputs, TemplateRefused
from playhead.template.values import Named, TypedInt

EVERY = {**IN_EXPRESSIONS, **IN_STATEMENTS}


def call(name: str, *args: Any, checking: bool = False, **words: Any) -> Any:
    return EVERY[name](Context(Inputs(), checking=checking), *args, **words)


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("abs", (-7,), 7), ("all", ([1, 0],), False), ("any", ([1, 0],), True), ("chr", (97,), "a"),
        ("dict", ([("a", 1)],), {"a": 1}), ("enumerate", (["a"],), [(0, "a")]), ("float", ("7",), 7.0),
        ("int", ("7",), 7), ("len", ("ab",), 2), ("list", ("ab",), ["a", "b"]), ("max", (1, 2), 2),
        ("min", ([2, 1],), 1), ("ord", ("a",), 97), ("range", (1, 3), [1, 2]), ("round", (1.26, 1), 1.3),
        ("reversed", ([1, 2],), [2, 1]), ("set", ("aa",), {"a"}), ("sorted", ([2, 1],), [1, 2]),
        ("str", (7,), "7"), ("sum", ([1, 2.5],), 3.5), ("tuple", ([1],), (1,)),
        ("zip", ([1], ["a"]), [(1, "a")]),
    ],
)  # fmt: skip
def test_each_does_what_python_does(name: str, args: tuple[Any, ...], result: Any) -> None:
    assert call(name, *args) == result
    assert call(name, Named("p", args[0]), *args[1:]) == result


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"str"}))
def test_none_shows_python_to_a_person(name: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        call(name, Named("p", None), object(), x=1)
    assert refused.value.message == f"{name}() needs the parameter 'p', which was not sent."
    with pytest.raises(TemplateRefused, match=rf"{name}\(\) cannot take"):
        call(name, 1, "x", 3, 4, 5)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("range", (10**18,)), ("range", (10**30,)), ("int", ("9" * 500,)), ("int", (10**500,)),
        ("float", ("9" * 500,)), ("str", (10**500,)), ("list", ("a" * 2_000_000,)),
        ("sum", ([10**399] * 50,)), ("sum", ([[1], [2]], [])), ("round", (10**500, -1)),
        ("sum", (["a", "b"], "")), ("round", (1, -(10**9))), ("round", (1.5, 10**9)),
    ],
)  # fmt: skip
def test_each_has_a_limit(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(TemplateRefused):
        call(name, *args)
    assert call("sum", [1]) == 1


def test_the_least_and_the_greatest_keep_their_type() -> None:
    seven = TypedInt(7, "Int8")
    assert call("min", seven, 9) is seven
    assert call("max", [seven, 1]) is seven


def test_a_placeholder_is_three_values() -> None:
    assert call("len", Named("p", None), checking=True) == 3
    assert len(call("list", Named("p", None), checking=True)) == 3
