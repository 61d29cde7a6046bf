from typing import Any

import pytest

from playhead.template.context import Context
from playhead.template.identifiers import COLUMNS_MAX, column, columns, symbol, table
from playhead.template.rendering import Inputs, TemplateInvalid, TemplateRefused
from playhead.template.values import Named


def named(value: Any) -> tuple[Context, Named]:
    return Context(Inputs()), Named("p", value)


@pytest.mark.parametrize(
    "text", ["", "`", "a`b", "a\\", "a'b", "a\nb", "a\0", "a..b", ".", "a" * 256, " "]
)
def test_what_could_leave_its_backticks_is_no_column(text: str) -> None:
    for function in (column, columns):
        with pytest.raises(TemplateRefused, match="to type column of the parameter 'p'"):
            function(*named(text), "views")
    assert column(*named(None), "views") == "`views`"


def test_other_names_are_columns() -> None:
    assert column(*named('v."watch time"'), "x") == "`v`.`watch time`"
    assert columns(*named("a, b.c"), "x", "max") == "max(`a`) as `a`,max(`b`.`c`) as `b`.`c`"


def test_a_symbol_is_one_name() -> None:
    assert symbol(*named("a.b")) == "`a.b`"
    assert symbol(*named("a"), "`") == symbol(*named("a"), quote='"') == "`a`"


@pytest.mark.parametrize(
    "text", ["", "a b", "a;", "a.b.c", ".a", "a.", "1a", "a\n", "é", "a`", "(SELECT 1)", "a" * 256]
)
def test_what_is_no_name_is_no_table(text: str) -> None:
    with pytest.raises(TemplateRefused, match="to type table of the parameter 'p'"):
        table(*named(text))
    assert table(*named("playhead.views")) == "playhead.views"


def test_a_default_is_asked_for() -> None:
    with pytest.raises(TemplateInvalid, match=r"columns\(\) needs a default for 'p'"):
        columns(*named(None))
    with pytest.raises(TemplateInvalid, match=r"column\(\) needs a default for 'p'"):
        column(*named(None), None)


def test_there_is_a_most_of_columns() -> None:
    with pytest.raises(TemplateRefused, match="1000 are allowed"):
        columns(*named("a," * COLUMNS_MAX + "a"), "a")
    assert columns(*named("a," * (COLUMNS_MAX - 1) + "a"), "a").count("`a`") == COLUMNS_MAX
