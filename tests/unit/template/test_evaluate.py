from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.evaluate import evaluation
from playhead.template.expression import read_expression
from playhead.template.rendering import Inputs, TemplateInvalid, TemplateRefused
from playhead.template.scope import Scope
from playhead.template.syntax import Position
from playhead.template.template import FUNCTIONS

HERE = Position("n", 1)


def value_of(source: str, *, checking: bool = False, **params: Any) -> Any:
    tree = read_expression(source, HERE, mode="statement", functions=FUNCTIONS.output)
    evaluate = evaluation(tree, HERE, "statement", FUNCTIONS)
    return evaluate(Scope(Context(Inputs(), checking=checking, params=params)))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4", 3), ("7 / 2", 3.5), ("7 // 2", 3), ("7 % 2", 1), ("-x2 + +x2", 0),
        ("'a' + 'b' * 2", "abb"), ("[1] + [2] * 2", [1, 2, 2]), ("(1,) + (2,)", (1, 2)),
        ("1 < x2 <= 2 != 3", True), ("x2 == 2 or 1 / 0", True), ("not x2 and 1 / 0", False),
        ("'' or None or 'a'", "a"), ("1 and 2", 2), ("x is None", True), ("x2 is not None", True),
        ("'a' in 'cat'", True), ("2 not in [1]", True), ("'k' in {'k': 1}", True), ("1 in {1, 2}", True),
        ("'abc'[0] + 'abc'[-1] + 'abc'[1:]", "acbc"), ("{'a': [1, 2]}['a'][1]", 2), ("'abcd'[::2]", "ac"),
        ("'y' if x2 > 1 else 'n'", "y"), ("f'{x2}-{name!r}-{1.5:.2f}'", "2-'ann'-1.50"),
        ("name.upper()", "ANN"), ("name.startswith('a')", True), ("'a,b'.split(',')", ["a", "b"]),
        ("'-'.join(['a', 'b'])", "a-b"), ("{'a': 1}.get('b', 2)", 2), ("'{} {0} {b}'.format(1, b=2)", "1 1 2"),
        ("len(name) + max(1, 2)", 5), ("sorted([2, 1])", [1, 2]), ("str(1) + 'a'", "1a"),
        ("Int32(name2)", 7), ("Int32(name2) * 2", 14), ("String(nothing, 'd')", "d"), ("defined(nothing)", False),
        ("nothing", None), ("range(3)", [0, 1, 2]), ("list(enumerate(['a']))", [(0, "a")]),
    ],
)  # fmt: skip
def test_value(source: str, value: Any) -> None:
    found = value_of(source, x2=2, name="ann", name2="7")
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("name > 3", "a text and a number do not go together here"),
        ("nothing > 3", "an absent parameter and a number do not go together here"),
        ("'a' % 1", "a text and a number do not go together here"),
        ("nothing.split(',')", "an absent parameter has no method split"),
        ("name.append(1)", "a text has no method append"),
        ("nothing[0]", "an absent parameter has no parts"),
    ],
)
def test_what_does_not_go_together_is_said_in_words(source: str, sentence: str) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        value_of(source, name="ann")
    assert sentence in str(caught.value)
    assert "Type" not in str(caught.value)


def test_unknown_function_is_no_function_until_it_is_called() -> None:
    assert value_of("1 or shout(name)", name="a") == 1
    with pytest.raises(TemplateInvalid, match="'shout' is not a valid function, line 1"):
        value_of("shout(name)", name="a")


def test_arguments_that_do_not_fit_are_said_without_python() -> None:
    with pytest.raises(TemplateInvalid) as caught:
        value_of("defined(1, 2, 3)")
    assert caught.value.message == "defined() does not take these arguments."
    assert "positional" not in str(caught.value.hint)


def test_check_mode_gives_placeholders() -> None:
    assert str(value_of("nothing + 'a'", checking=True)) == "__no_value__"
    assert value_of("nothing.startswith('a')", checking=True) is False


SHARED = "[" * 3 + "big, big" + "]" * 3


@pytest.mark.parametrize(
    "source",
    [
        "'a' * 10000000000", "10000000000 * 'a'", "[0] * 10000000000", "('a' * 1000000) * 2",
        "range(1000000000000)", "list(range(99999999))", "'a'.zfill(99999999)", "'{:>99999999}'.format(1)",
        "f'{1:>999}' * 2000", "int('9' * 1000000)", "9 * 9 * 1" + "0" * 300 + " * 1" + "0" * 300,
        "'a'.replace('', 'b' * 100000).replace('', 'c' * 100000)", "('ab' * 1000).join(['a' * 100] * 10000)",
        "str([['a' * 1000] * 1000] * 1000)", "[[[1] * 900] * 900] * 900 == [[[1] * 900] * 900] * 900",
        "sorted([[[1] * 900] * 900] * 900)", "f'{[[[1] * 900] * 900] * 900}'",
        "('a' * 900000).strip('a' * 90000)", "{(((1,) * 900,) * 900,) * 900: 1}", "{((((1,) * 900,) * 900,) * 900)}",
        "(((1,) * 900,) * 900,) * 900 in [1]", "[[[1] * 900] * 900] * 900 in [[[[1] * 900] * 900] * 900]",
    ],
)  # fmt: skip
def test_nothing_large_is_made(source: str) -> None:
    with pytest.raises((TemplateRefused, ValueError, OverflowError)):
        value_of(source)
    assert value_of("'a' * 10") == "a" * 10


@pytest.mark.parametrize(
    "source",
    ["'{0.__class__}'.format(1)", "'{0[0]}'.format(['a'])", "'{!r}'.format(1)", "'{a.b}'.format(a=1)",
     "'{:{}}'.format(1, 2)"],
)  # fmt: skip
def test_format_reaches_nothing_behind_a_value(source: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        value_of(source)
    assert value_of("'{}{}'.format('a', 1)") == "a1"
