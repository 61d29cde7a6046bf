import pytest

from playhead.template.rendering import Inputs, TemplateInvalid
from playhead.template.template import Template


def sql(text: str) -> str:
    return Template.compile(text).render(Inputs(params={"x": "a,b"})).sql


def test_stars_spread() -> None:
    assert sql("{% set y = max(*[1, 3], 2) %}{{y}}") == "3"
    assert sql("{% set y = [0, *x.split(',')] %}{{y}}") == "[0, 'a', 'b']"
    assert sql("{% set y = {**{'a': 1}, **{'a': 2}} %}{{y}}") == "{'a': 2}"
    assert sql("{% set y = sorted([2, 3], **{'reverse': True}) %}{{y}}") == "[3, 2]"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("len(*5)", "a number cannot be walked"),
        ("dict(**[1])", "a list is no dictionary"),
        ("dict(**{1: 2})", "whose keys are texts, each once"),
        ("dict(a=1, **{'a': 2})", "whose keys are texts, each once"),
    ],
)
def test_what_cannot_be_spread(call: str, sentence: str) -> None:
    with pytest.raises(TemplateInvalid, match=sentence) as caught:
        sql(f"\n{{% set y = {call} %}}")
    assert caught.value.line == 2
