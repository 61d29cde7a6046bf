from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.dates import difference
from playhead.template.rendering import Inputs, TemplateRefused
from playhead.template.values import Named

MINUTES = difference("date_diff_in_minutes", 60)


def minutes(first: object, second: object, checking: Any = False, **words: Any) -> object:
    context = Context(Inputs(), checking=checking, names=("p",))
    return MINUTES(context, Named("p", first), second, **words)


@pytest.mark.parametrize(
    "later",
    ["2025-01-01 01:30:59", "2025-01-01T01:30:59", "2025-01-01 01:30:59.9", "2025-01-01T01:30:59Z",
     "2025-01-01T02:30:59.999+0100"],
)  # fmt: skip
def test_the_usual_forms_are_read(later: str) -> None:
    assert minutes("2025-01-01", later) == 90
    assert minutes(later, "2025-01-01") == 90


def test_a_form_of_its_own_may_be_named() -> None:
    form = {"date_format": "%d.%m.%y %H:%M"}
    assert minutes("01.02.25 00:10", "01.02.25 00:00", **form) == 10
    assert minutes("01.02.25 00:10", "2025-02-01", **form, backup_date_format="%Y-%m-%d") == 10


@pytest.mark.parametrize("form", ["%", "%Q", "%Y%Y", "(", "%d" * 40, "x" * 200, "\0"])
def test_a_form_that_is_none_is_said(form: str) -> None:
    with pytest.raises(TemplateRefused, match="cannot read the time"):
        minutes("2025-01-01x", "2025-01-01x", date_format=form)
    assert minutes("2025-01-01x", "2025-01-01x", date_format=form, none_if_error=True) is None


def test_an_absent_time_is_asked_for() -> None:
    with pytest.raises(TemplateRefused, match="Check the parameters p"):
        minutes(None, "2025-01-01")
    assert minutes(None, "2025-01-01", none_if_error=True) is None


def test_check_mode_gives_0() -> None:
    assert minutes(None, None, checking=True) == 0
    assert minutes("x", "y", checking=True) == 0
