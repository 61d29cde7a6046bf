import pytest

from playhead.template.callee import DEPTH_MAX, Callee, called
from playhead.template.context import Context
from playhead.template.rendering import Inputs, TemplateRefused


def test_a_call_takes_a_step() -> None:
    context = Context(Inputs(), steps_max=1)
    assert called(context, Callee("len", lambda _, text: len(text)), "ab") == 2
    with pytest.raises(TemplateRefused):
        called(context, Callee("len", lambda _, text: len(text)), "ab")


def test_only_functions_are_called() -> None:
    with pytest.raises(TypeError, match="it takes a function"):
        called(Context(Inputs()), len, "ab")
    assert not callable(Callee("len", len))


def test_depth_has_a_limit_and_is_given_back() -> None:
    context = Context(Inputs())
    again = Callee("again", lambda context: called(context, again))
    with pytest.raises(TemplateRefused, match=f"More than {DEPTH_MAX} functions"):
        called(context, again)
    assert context.depth == 0


def test_its_text_says_nothing_of_python() -> None:
    assert str(Callee("lambda", len)) == "<lambda>"
    assert repr([Callee("len", len)]) == "[<len>]"
