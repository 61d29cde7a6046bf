import pytest

from playhead.template.rendering import Inputs, TemplateInvalid, TemplateRefused
from playhead.template.template import Template


def value(expression: str, before: str = "", **params: str) -> str:
    template = Template.compile(f"{before}{{% set out = {expression} %}}{{{{out}}}}")
    return template.render(Inputs(params=params), steps_max=2_000).sql


def test_each_kind() -> None:
    assert value("[n * 2 for n in range(4) if n % 2]") == "[2, 6]"
    assert value("{k: v for k, v in {'a': 1}.items()}") == "{'a': 1}"
    assert value("{n // 2 for n in range(4)}") == "{0, 1}"
    assert value("list(n for n in 'ab')") == "['a', 'b']"


def test_names_are_only_lent() -> None:
    assert value("[x for x in x]", x="ab") == "['a', 'b']"
    assert value("x", "{% set y = [x for x in '12'] %}", x="ab") == "'ab'"
    with pytest.raises(TemplateRefused, match="evaluated to null"):
        value("n", "{% set y = [n for n in '12'] %}")


def test_names_come_back_after_an_error() -> None:
    tried = "{% try %}{% set y = [1 / n for n in [1, 0]] %}{% except %}{% end %}"
    assert value("n", "{% set n = 7 %}" + tried) == "7"
    assert value("n or 'none'", tried) == "'none'"


def test_steps_are_charged() -> None:
    with pytest.raises(TemplateRefused, match="more than 2000 steps"):
        value("[1 for a in l for b in l] and 1", "{% set l = [1] * 99 %}")
    with pytest.raises(TemplateRefused, match="more than 2000 steps"):
        value("[l.append(n) for n in l]", "{% set l = [1] %}")


def test_a_lambda_takes_its_arguments() -> None:
    assert value("f(1)", "{% set f = lambda a, b=2: (a, b) %}") == "(1, 2)"
    with pytest.raises(TemplateInvalid, match="a lambda of 1 arguments got 2"):
        value("f(1, 2)", "{% set f = lambda a: a %}")
