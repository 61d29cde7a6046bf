from typing import Any

import pytest

from playhead.template.callee import Callee
from playhead.template.context import Context
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import Inputs, TemplateInvalid, TemplateRefused
from playhead.template.values import ArrayValue, Raw, TypedFloat, TypedInt, Unescaped, wrapped


def written(value: Any, bytes_max: int = 1_000_000) -> str:
    return wrapped(value, Context(Inputs(), bytes_max=bytes_max), "x")


def test_each_kind_has_its_form() -> None:
    assert [written(v) for v in ("it's", 7, 1.5, True, (1,), {"a": None})] == [
        "'it\\'s'", "7", "1.5", "True", "(1,)", "{'a': None}",
    ]  # fmt: skip
    assert [written(v) for v in (TypedInt(7, "Int8"), TypedFloat(7, "Float32"), Raw("a b"))] == [
        "toInt8('7')", "toFloat32('7.0')", "a b",
    ]  # fmt: skip


def test_what_is_made_of_a_function_s_sql_is_quoted_again() -> None:
    raw = Raw("`a`")
    assert [written(v) for v in (raw + "b", "b" + raw, raw[1:], raw.upper())] == [
        "'\\`a\\`b'", "'b\\`a\\`'", "'a\\`'", "'\\`A\\`'",
    ]  # fmt: skip
    assert written([raw]) == "['`a`']"


def test_what_is_computed_of_a_typed_number_is_bare() -> None:
    seven = TypedInt(7, "Int8")
    assert [written(v) for v in (seven + 1, -seven, seven * 1.5)] == ["8", "-7", "10.5"]
    assert written(min(seven, 9)) == "toInt8('7')"


def test_an_array_has_no_blanks_and_a_list_has() -> None:
    assert written(ArrayValue(["a", 1])) == "['a',1]"
    assert written(["a", 1]) == "['a', 1]"


def test_a_list_has_its_texts_in_single_quotes_whatever_is_in_them() -> None:
    assert written(["it's", 'a"b', "50%", "a\nb"]) == "['it\\'s', 'a\"b', '50%', 'a\\nb']"
    assert written({"b", "a"}) == "{'a', 'b'}"


def test_only_harmless_characters_can_go_unescaped() -> None:
    assert written(Unescaped("50%'", frozenset("%'\\"))) == "'50%\\''"
    assert written(Unescaped("50%", frozenset("%")) + "x") == "'50\\%x'"


def test_nothing_is_an_error_that_names_the_expression() -> None:
    with pytest.raises(TemplateRefused, match='expression "x" evaluated to null'):
        written(None)
    assert written(Placeholder("x")) == "'__no_value__'"


def test_what_no_template_makes_is_not_written() -> None:
    with pytest.raises(TemplateInvalid, match="this value, which cannot be written"):
        written([object()])
    with pytest.raises(TemplateInvalid, match="a function, which cannot be written"):
        written(Callee("lambda", len))


def test_a_value_has_a_limit_of_size_and_depth() -> None:
    with pytest.raises(TemplateRefused, match="102 characters; 100 are allowed"):
        written("a" * 100, bytes_max=100)
    nested: list[Any] = []
    for _ in range(40):
        nested = [nested]
    with pytest.raises(TemplateRefused, match="nested deeper"):
        written(nested)


def test_a_list_that_holds_itself_many_times_is_paid_for() -> None:
    value: list[Any] = ["a"] * 10
    for _ in range(10):
        value = [value] * 10
    with pytest.raises(TemplateRefused, match="steps"):
        written(value)
    assert written(value[0][0][0][0][0][0][0][0]).count("a") == 1_000
