from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.functions import EXPRESSION_FUNCTIONS, STATEMENT_FUNCTIONS
from playhead.template.rendering import CustomRefusal, Inputs, TemplateInvalid, TemplateRefused
from playhead.template.values import Named, wrapped

DEFINED = [
    "bool", "Boolean", "DateTime", "DateTime64", "Date", "Float32", "Float64", "Int", "Integer",
    "Int8", "Int16", "Int32", "Int64", "Int128", "Int256", "UInt8", "UInt16", "UInt32", "UInt64",
    "UInt128", "UInt256", "Symbol", "Column", "String", "Array", "JSON", "columns", "column",
    "symbol", "table", "TABLE", "error", "custom_error", "sql_and", "defined",
    "enumerate_with_last", "split_to_array", "day_diff", "date_diff_in_days", "date_diff_in_hours",
    "date_diff_in_minutes", "date_diff_in_seconds", "sql_unescape", "max_threads", "backend_hint",
    "cache_ttl", "activate", "disable", "tb_secret", "tb_var",
]  # fmt: skip


def call(name: str, *args: Any, checking: Any = False, **words: Any) -> Any:
    return STATEMENT_FUNCTIONS[name](Context(Inputs(), checking=checking), *args, **words)


def test_every_function_of_the_language_is_there() -> None:
    assert set(DEFINED) - set(STATEMENT_FUNCTIONS) == set()
    assert set(DEFINED) - set(EXPRESSION_FUNCTIONS) == {"bool", "Symbol", "Column"}


def test_expressions_get_no_more_of_python_than_this() -> None:
    assert set(EXPRESSION_FUNCTIONS) - set(DEFINED) == {"len", "list", "min", "max", "int", "float"}
    assert not {"eval", "exec", "open", "getattr", "type", "vars", "print"} & set(
        STATEMENT_FUNCTIONS
    )


def test_errors_of_the_template_are_its_own_words() -> None:
    with pytest.raises(TemplateRefused) as refused:
        call("error", "50% 'off'")
    assert refused.value.message == "50% 'off'"
    assert (
        call("error", "x", checking=True) == call("custom_error", {}, checking=True) == "-- {x} \n"
    )


@pytest.mark.parametrize("status", [True, "403", 200, 600, 403.0, None])
def test_a_custom_error_has_a_status_of_an_error(status: Any) -> None:
    with pytest.raises(TemplateInvalid, match="status from 400 to 599"):
        call("custom_error", {"a": 1}, status)
    with pytest.raises(CustomRefusal) as refusal:
        call("custom_error", {"a": [1, (2.5, None)], 3: "x"}, 403)
    assert refusal.value.answer == {"a": [1, [2.5, None]], "3": "x"}


@pytest.mark.parametrize("text", ["", "{", "9" * 5_000, "[" * 100_000, "{'a': 1}"])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(TemplateRefused, match="to type JSON of the parameter 'p'"):
        call("JSON", Named("p", text))
    assert call("JSON", Named("p", '{"a": [1, null]}')) == {"a": [1, None]}


def test_a_column_called_context_can_be_a_condition() -> None:
    made = call("sql_and", context="a", name__in=["b"], x=None)
    assert made == "context = 'a' AND name IN ['b']"


def test_a_condition_is_a_column_and_nothing_else() -> None:
    for key in ("a b", "a__in__like", "é", "", "__in", "a__"):
        with pytest.raises(TemplateInvalid):
            call("sql_and", **{key: 1})
    assert call("sql_and", a__b__lte=1) == "a__b <= 1"


def test_parts_of_a_text_are_trimmed() -> None:
    assert call("split_to_array", Named("p", " a , b")) == ["a", "b"]
    assert call("split_to_array", Named("p", ["a", "b"])) == ["a", "b"]


def test_the_last_is_marked() -> None:
    assert call("enumerate_with_last", ["a", "b"]) == [(False, "a"), (True, "b")]
    assert len(call("enumerate_with_last", Named("p", None), checking=True)) == 3


def test_a_value_costs_what_it_is_long() -> None:
    context = Context(Inputs(), steps_max=100)
    with pytest.raises(TemplateRefused, match="100 steps"):
        EXPRESSION_FUNCTIONS["String"](context, Named("p", "a" * 10_000))
    assert wrapped("a" * 100, Context(Inputs(), steps_max=100)) == f"'{'a' * 100}'"
