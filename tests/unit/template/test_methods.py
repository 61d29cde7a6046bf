from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.methods import METHODS, call_method, kind_of
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import Inputs, TemplateRefused


def call(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    return call_method(name, value, Context(Inputs()), list(args), kwargs)


@pytest.mark.parametrize(
    ("name", "value", "args", "result"),
    [
        ("strip", " a ", (), "a"), ("strip", "xax", ("x",), "a"), ("zfill", "7", (3,), "007"),
        ("partition", "a=b", ("=",), ("a", "=", "b")), ("splitlines", "a\nb", (), ["a", "b"]),
        ("replace", "aaa", ("a", "b", 2), "bba"), ("join", "-", (("a", "b"),), "a-b"),
        ("find", "abc", ("c",), 2), ("isdigit", "12", (), True), ("title", "a b", (), "A B"),
        ("items", {"a": 1}, (), [("a", 1)]), ("get", {"a": 1}, ("b", 2), 2), ("keys", {"a": 1}, (), ["a"]),
        ("count", [1, 1], (1,), 2), ("index", ("a", "b"), ("b",), 1), ("copy", [1], (), [1]),
    ],
)  # fmt: skip
def test_methods_of_values(name: str, value: Any, args: tuple[Any, ...], result: Any) -> None:
    assert call(name, value, *args) == result
    assert name in METHODS


def test_methods_that_change_a_list() -> None:
    items = [2]
    call("append", items, 1)
    call("extend", items, (3,))
    call("insert", items, 0, 9)
    call("sort", items, reverse=True)
    assert items == [9, 3, 2, 1]
    assert call("pop", items) == 1


def test_methods_that_change_a_dictionary() -> None:
    words = {"a": 1}
    call("update", words, {"b": 2})
    assert call("setdefault", words, "c", 3) == 3
    assert words == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    "name", ["encode", "format_map", "translate", "maketrans", "fromkeys", "__len__"]
)
def test_methods_that_are_none(name: str) -> None:
    assert name not in METHODS
    with pytest.raises(AttributeError, match="a text has no method"):
        call(name, "a")


@pytest.mark.parametrize(
    ("name", "value", "args"),
    [
        ("replace", "a" * 1000, ("a", "b" * 2000)), ("join", "a" * 2000, (["b"] * 1000,)),
        ("extend", [0] * 900_000, ([0] * 200_000,)), ("strip", "a" * 90_000, ("b" * 90_000,)),
    ],
)  # fmt: skip
def test_methods_are_charged_before_they_act(name: str, value: Any, args: tuple[Any, ...]) -> None:
    with pytest.raises(TemplateRefused):
        call(name, value, *args)
    assert len(value) <= 900_000


def test_a_width_is_bounded() -> None:
    assert call("ljust", "a", 3, ".") == "a.."
    with pytest.raises(ValueError, match="a width above 999"):
        call("rjust", "a", 1000)


def test_methods_of_a_placeholder_need_no_value() -> None:
    found = call("split", Placeholder("a"), ",")
    assert [str(one) for one in found] == ["__no_value__", "__no_value__"]
    assert kind_of(Placeholder("a")) == "a parameter without a value"
