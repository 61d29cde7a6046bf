"""No value of a request leaves its quotes, whatever the template does with it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.errors import PlayheadError
from playhead.template.context import Context
from playhead.template.functions import EXPRESSION_FUNCTIONS
from playhead.template.rendering import Inputs
from playhead.template.template import Template
from playhead.template.values import Named, wrapped
from support.literals import outside, read_text

MARK = "☢"
NASTY = st.text(st.sampled_from("'\"`\\%\n\0\x1a*/-#${},.()[] ab1\u2019\u201d" + MARK), max_size=12)
TEXTS = st.text(max_size=30) | NASTY
FUNCTIONS = sorted(set(EXPRESSION_FUNCTIONS) - {"tb_secret", "tb_var"})


def text_of(value: object) -> str:
    return wrapped(value, Context(Inputs()))


def as_engine_reads(text: str) -> str:
    return text.replace("%", "\\%").replace("\x1a", "\\z")


@given(TEXTS)
@example("\\")
@example("'")
def test_a_text_is_read_back_and_nothing_is_left_over(value: str) -> None:
    written = text_of(value)
    assert read_text(written) == (as_engine_reads(value), len(written))


@given(
    st.recursive(
        TEXTS | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(TEXTS, x)
    )
)
def test_a_nested_value_holds_every_text_in_quotes(value: object) -> None:
    if value is None:
        return
    left = outside(text_of(value))
    assert set(left) <= set("[]{},: -0123456789None")


@given(st.sampled_from(FUNCTIONS), TEXTS, st.booleans())
def test_no_function_lets_a_value_out(name: str, value: str, checking: bool) -> None:
    context = Context(Inputs(), checking=checking)
    try:
        made = EXPRESSION_FUNCTIONS[name](context, Named("p", MARK + value))
        written = "" if made is None else wrapped(made, context)
    except (PlayheadError, TypeError):
        return
    assert MARK not in outside(written)


@given(st.lists(TEXTS, min_size=1), st.sampled_from(["Array(p)", "split_to_array(p, '')", "p"]))
def test_no_list_lets_a_value_out(values: list[str], source: str) -> None:
    template = Template.compile(f"{{{{Array(p)}}}} {{{{{source}}}}}")
    sql = template.render(Inputs(params={"p": [f"{one}{MARK}" for one in values]})).sql
    assert sql.count(MARK) >= 2 * len(values)
    assert MARK not in outside(sql)


AUTHOR = st.text(st.sampled_from("'\"`\\\n*/-# $x\u2018\u201c\u201d\u2019a"), max_size=10)


@given(AUTHOR, AUTHOR, NASTY)
@example("'", "'", MARK)
@example("'\\", "'", f" OR {MARK}")
@example("/*", "*/", f"*/{MARK}/*")
@example("x", "", f"'{MARK}")
@example("$x$'", "'", MARK)
def test_the_author_s_own_quotes_let_no_value_out(before: str, after: str, value: str) -> None:
    template = Template.compile(f"{before}{{{{String(p)}}}}{after}")
    try:
        sql = template.render(Inputs(params={"p": f"({value}{MARK})"})).sql
    except PlayheadError:
        return
    assert MARK not in outside(sql)


@given(st.integers(), st.sampled_from(["-", "5 -", "-- \n-", "(-"]))
def test_a_negative_number_makes_no_comment(number: int, before: str) -> None:
    sql = Template.compile(before + "{{Int(n)}}").render(Inputs(params={"n": str(number)})).sql
    assert str(number) in outside(sql)


@given(st.recursive(TEXTS | st.integers(), lambda x: st.lists(x) | st.dictionaries(TEXTS, x)))
def test_a_json_text_lets_nothing_out(value: object) -> None:
    template = Template.compile("{{JSON(p)}}")
    sql = template.render(Inputs(params={"p": json.dumps({"a": [MARK, value]})})).sql
    assert MARK in sql
    assert MARK not in outside(sql)


@pytest.mark.parametrize("sql", ["'", "x'a\\", "/* /* */ "])
def test_the_reader_itself_knows_what_is_open(sql: str) -> None:
    assert MARK not in outside(sql + MARK)
    assert MARK in outside(f"'a' /* b */ {MARK}")
