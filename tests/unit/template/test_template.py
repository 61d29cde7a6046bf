from typing import Any

import pytest

from playhead.template.rendering import CustomRefusal, Inputs, TemplateInvalid, TemplateRefused
from playhead.template.template import Template


def render(template: str, **params: Any) -> str:
    return Template.compile(template, name="n").render(Inputs(params=params)).sql


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("a\n  {{String(x)}}\n", "a\n  'v'\n"),
        ("{% if x == 'v' %}\n y\n{% else %}n{% end %}\n", "\n y\n\n"),
        ("{% if not defined(x) %}a{% elif x == 'v' %}b{% else %}c{% end %}", "b"),
        ("{% for a in [1, 2] %}{{a}},{% end %}", "1,2,"),
        ("{% for a, b in {'k': 1}.items() %}{{a}}{{b}}{% end %}", "'k'1"),
        ("{% for a in [] %}x{% else %}none{% end %}", "none"),
        ("{% for a in [1, 2, 3] %}{% if a == 2 %}{% break %}{% end %}{{a}}{% else %}no{% end %}", "1"),
        ("{% for a in [1, 2, 3] %}{% if a == 2 %}{% continue %}{% end %}{{a}}{% end %}", "13"),
        ("{% set i = 0 %}{% while i < 3 %}{% set i += 1 %}{{i}}{% end %}", "123"),
        ("{% set i = 0 %}{% while i < 1 %}{% set i = i + 1 %}{% else %}e{% end %}", "e"),
        ("{% set a, b = [1, 2] %}{{a + b}}", "3"),
        ("{% set a = b = 2 %}{{a * b}}", "4"),
        ("{% set _ = 1 %}{% comment note %}{# and this #}x", "x"),
        ("{% try %}a{{Int32(x)}}{% except %}b{% end %}", "ab"),
        ("{% try %}{{error('no')}}{% except ValueError as e %}{{e}}{% finally %}f{% end %}", "'no'f"),
        ("{% try %}{% set a = 1 / 0 %}{% except KeyError %}k{% except ZeroDivisionError %}z{% end %}", "z"),
        ("{% try %}a{% except %}b{% else %}c{% finally %}d{% end %}", "acd"),
        ("{% for a in [1, 2] %}{% try %}{% continue %}{% finally %}f{% end %}x{% end %}", "ff"),
    ],
)  # fmt: skip
def test_rendering(template: str, sql: str) -> None:
    assert render(template, x="v") == sql
    assert render("{% if True %}" + template + "{% end %}", x="v") == sql


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ y }}", 'expression "y" evaluated to null'),
        ("{{ String(y, defined=False) }}", 'expression "String(y, defined=False)" evaluated to null'),
        ("\n{% if x > 1 %}{% end %}", "a text and a number do not go together here at n:2"),
        ("\n{% set a = x[9] %}", "string index out of range at n:2"),
        ("{% for a in 3 %}{% end %}", "a number cannot be walked at n:1"),
        ("{% set a, b = [1] %}", "2 names for 1 values at n:1"),
        ("{{ {'a': 1}['b'] }}", "there is no 'b' at n:1"),
        ("{{ error('too wide') }}", "too wide"),
        ("{{ String(x) }}{{ String(z) }}{{ Int32(y, 1) }}", "Check the parameters x and z."),
    ],
)  # fmt: skip
def test_refusals(template: str, sentence: str) -> None:
    with pytest.raises((TemplateInvalid, TemplateRefused)) as caught:
        render(template, x="v")
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{% set 1 = 2 %}", "Invalid set statement: 1 = 2 at n:1"),
        ("{% set x %}", "Invalid set statement: x at n:1"),
        ("{% set x.y = 1 %}", "Invalid set statement: x.y = 1 at n:1"),
        ("{% set x = 1; y = 2 %}", "Invalid set statement: x = 1; y = 2 at n:1"),
        ("{% set x <<= 2 %}", "Invalid set statement: x <<= 2 at n:1"),
        ("{% set x: int = 2 %}", "Invalid set statement: x: int = 2 at n:1"),
        ("{% set import os %}", "Invalid set statement: import os at n:1"),
        ("{% set del x %}", "Invalid set statement: del x at n:1"),
        ("{% set __x__ = 1 %}", "Invalid name: __x__ at n:1"),
        ("{% for x.y in z %}{% end %}", "Only names can be given a value at n:1"),
        ("{% for x in z: pass\nfor y in w %}{% end %}", "Invalid"),
        ("{% if %}{% end %}", "if without a condition at n:1"),
        ("{% if a %}{% else if b %}{% end %}", "else takes no condition: use elif at n:1"),
        ("{% if a %}{% else %}{% elif b %}{% end %}", "elif after else at n:1"),
        ("{% try %}{% end %}", "try without except or finally at n:1"),
        ("{% try %}{% else %}{% except %}{% end %}", "else in the wrong place at n:1"),
        ("{% try %}{% except os.error %}{% end %}", "Invalid except statement: os.error at n:1"),
        ("{% try %}{% except SystemExit %}{% end %}", "Invalid except statement: SystemExit is no error"),
        ("{{ String(q) }}", "'q'"),
    ],
)  # fmt: skip
def test_templates_that_do_not_compile(template: str, sentence: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        Template.compile(template, name="n")
    assert sentence in caught.value.message


def test_own_answer_of_a_template() -> None:
    with pytest.raises(CustomRefusal) as caught:
        render("{{ custom_error({'why': String(x)}, 403) }}", x="closed")
    assert caught.value.answer == {"why": "closed"}
    assert caught.value.answer_status == 403


@pytest.mark.parametrize(
    "template",
    [
        "{% while True %}{% end %}",
        "{% while True %}{% try %}{{error('a')}}{% except %}{% end %}{% end %}",
        "{% try %}{% while True %}{% end %}{% except %}{% while True %}{% end %}{% end %}",
        "{% set l = [1] %}{% for a in l %}{% set _ = l.append(a) %}{% end %}",
        "{% set l = ['a'] %}{% while True %}{% set l = [l, l] %}{% if l == [l, l] %}{% end %}{% end %}",
        "{% set s = 'ab' %}{% while True %}{% set s = s + s %}{% end %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% end %}{% end %}",
        "{% while True %}" + "x" * 2000 + "{% end %}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}",
        "{% set l = [] %}{% for a in range(9000) %}{% set l = [l] %}{% end %}{{ l }}",
        "{% set i = 3 %}{% while True %}{% set i = i * i %}{% end %}",
    ],
)
def test_no_template_runs_without_end(template: str) -> None:
    with pytest.raises((TemplateRefused, TemplateInvalid)):
        render(template)
    assert render("{% for a in range(900) %}{% end %}done") == "done"


def test_limits_are_arguments() -> None:
    template = Template.compile("{% for a in range(50) %}abc{% end %}")
    with pytest.raises(TemplateRefused, match="100 characters"):
        template.render(Inputs(), bytes_max=100)
    with pytest.raises(TemplateRefused, match="60 steps"):
        template.render(Inputs(), steps_max=60)


def test_a_rendering_leaves_nothing_behind() -> None:
    template = Template.compile("{% set x = defined(x) and 'set' or 'unset' %}{{x}}", name="n")
    first = template.render(Inputs(params={"x": "1"}))
    assert first.sql == "'set'"
    assert template.render(Inputs()).sql == "'unset'"


def test_arrays_are_lists_when_first_met_as_arrays() -> None:
    joined = "{% if defined(x) %}{{Array(x, 'String')}}{{len(x)}}{% end %}"
    assert render(joined, x="a,b") == "['a','b']2"
    assert render("{% if defined(x) %}{{x}}{% end %}{{Array(x)}}", x="a,b") == "'a,b'['a','b']"


def test_check_mode_needs_no_request() -> None:
    template = "{{String(x, '')}} {{Int32(n)}} {% for a in x %}.{% end %}{{error('no')}}"
    assert Template.compile(template).check().sql == "'__no_value__' 0 ...-- {x} \n"
    with pytest.raises(TemplateInvalid, match="do not go together"):
        Template.compile("{% if x > 3 %}{% end %}").check()


def test_secrets_are_bound_not_written() -> None:
    template = Template.compile("{{tb_secret('key')}}")
    rendered = template.render(Inputs(secrets={"key": "hush"}))
    assert "hush" not in rendered.sql
    assert rendered.bound == {"key": "hush"}


def test_reserved_names_warn() -> None:
    template = Template.compile("{{String(token)}} {% set debug = 1 %}{{debug}}")
    assert len(template.warnings) == 1
    assert "'token'" in template.warnings[0]


def test_odd_escapes_do_not_warn() -> None:
    assert render(r"{{ '\d' }}") == r"'\\d'"
    assert render(r"{{ 'a\'b' }}") == r"'a\'b'"
