from typing import Any

import pytest

from playhead.template.rendering import Inputs, TemplateRefused
from playhead.template.template import Template


def names(template: str) -> list[str]:
    return [one.name for one in Template.compile(template).parameters]


def asked_for(template: str) -> str:
    """Return the part of the sentence that names parameters, for a template that lacks `zzz`."""
    with pytest.raises(TemplateRefused) as caught:
        Template.compile(template + "{{Int(missing)}}").render(Inputs())
    return caught.value.message


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{String(a)}} {{Int32(b, 1)}}", ["a", "b"]),
        ("{% if defined(a) %}{{String(b)}}{% end %}", ["b", "a"]),
        ("{% if defined(a) %}{{String(b)}}{% elif defined(c) %}{{String(d)}}{% else %}{{String(e)}}{% end %}",
         ["b", "c", "d", "e", "a"]),
        ("{% while defined(a) %}{{String(b)}}{% end %}", ["b", "a"]),
        ("{% for a in b %}{{String(c)}}{% end %}", ["c", "a", "b"]),
        ("{% set a = String(b) %}{{String(c)}}", ["a", "b", "c"]),
        ("{{ String(a, String(b)) if defined(c) else Int8(d) }}", ["c", "a", "d", "b"]),
        ("{{ x }} {{ x + 'a' }}", ["x"]), ("{{ x }}", []), ("{{ len(x) }}", []), ("{{ x[0] }}", ["x"]),
        ("{{ Int(a) }}{{ Integer(b) }}", []), ("{% if bool(a) or Symbol(b) %}{% end %}", []),
        ("{% if x.startswith('a') %}{% end %}", []), ("{% if x == y %}{% end %}", ["x", "y"]),
        ("{{ column(a, 'x') }}{{ columns(b, 'x') }}{{ day_diff(c, d) }}", ["a", "b", "c"]),
        ("{% try %}{{String(a)}}{% except %}{{String(b)}}{% end %}", ["a", "b"]),
        ("{{ symbol(a) }}{{ table(b) }}{{ sql_unescape(String(c), '%') }}", ["c"]),
        ("{{ String(a, description=String(b)) }}", ["a", "b"]),
    ],
)  # fmt: skip
def test_order_of_discovery(template: str, found: list[str]) -> None:
    assert names(template) == found
    assert names("text " + template + " text") == found


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("", "Required parameter is not defined"),
        ("{{String(a, '1')}}", "Required parameter is not defined"),
        ("{{String(a)}}", "Check the parameters a."),
        ("{{String(a)}}{{String(b)}}", "Check the parameters a and b."),
        ("{{String(a)}}{{String(b)}}{{String(a)}}{{String(c)}}", "Check the parameters a, b and c."),
        ("{{String(a, 'x')}}{% if String(a) == 'x' %}{% end %}{{String(b)}}", "Check the parameters b."),
        ("{% if String(a) == 'x' %}{% end %}{{String(a, 'x')}}", "Check the parameters a."),
        ("{{Array(a, 'String', '')}}{{Array(b, 'Int8', '1')}}", "Check the parameters a."),
        ("{{Array(a, 'String', default='')}}", "Check the parameters a."),
        ("{% if defined(a) %}{% end %}{{column(b, 'x')}}", "Required parameter is not defined"),
    ],
)  # fmt: skip
def test_names_in_the_sentence(template: str, sentence: str) -> None:
    found = asked_for("{% try %}" + template + "{% except %}{% end %}")
    assert found.startswith("Required parameter is not defined")
    assert sentence in found


def test_given_parameters_are_named_too() -> None:
    template = Template.compile("{{String(a)}}{{String(b)}}")
    with pytest.raises(TemplateRefused) as caught:
        template.render(Inputs(params={"a": "1"}))
    assert caught.value.message == (
        "Required parameter is not defined. Check the parameters a and b. "
        "Please provide a value or set a default value in the pipe code."
    )


def test_what_a_parameter_says_of_itself() -> None:
    text = (
        "{{ Array(kinds, 'Int32', '1,2', description='Kinds', required=True, enum=['1', '2'],"
        " example='1', format='int32') }}"
    )
    (one,) = Template.compile(text).parameters
    assert (one.type, one.item_type, one.default, one.has_default) == (
        "Array",
        "Int32",
        "1,2",
        True,
    )
    assert (one.description, one.required, one.enum, one.example, one.format) == (
        "Kinds", True, ("1", "2"), "1", "int32",
    )  # fmt: skip


def test_declaration_says_more_than_a_mention() -> None:
    (one,) = Template.compile("{% if defined(a) %}{% end %}{{Int32(a, 5)}}").parameters
    assert (one.type, one.default) == ("Int32", 5)
    (other,) = Template.compile("{% if defined(a) %}{% end %}{{a}}").parameters
    assert (other.type, other.listed) == ("String", False)


@pytest.mark.parametrize(
    ("template", "params", "sql"),
    [
        ("{% if Array(x, 'Int32') and sum(x) == 3 %}y{% end %}", {"x": "1,2"}, "y"),
        ("{{Array(x, 'Int32', '1')}}{% if defined(x) and sum(x) > 2 %}y{% end %}", {"x": "1,2"}, "[1,2]y"),
        ("{{Array(x, 'String', 'a')}}{% if x != [''] %}y{% end %}", {"x": ""}, "['']"),
        ("{{Array(x, 'String', 'a')}}{% if ','.join(x) == 'a,b' %}y{% end %}", {"x": ["a", "b"]}, "['a','b']y"),
        ("{{String(x)}}{{Array(x)}}", {"x": ["a", "b"]}, "'a,b'['a','b']"),
    ],
)  # fmt: skip
def test_a_list_in_conditions(template: str, params: dict[str, Any], sql: str) -> None:
    assert Template.compile(template).render(Inputs(params=params)).sql == sql
    assert names(template)[0] == "x"
