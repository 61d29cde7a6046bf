"""The page on templates names every function, and every example in it renders as shown."""

import json
import re
from urllib.parse import parse_qsl

import pytest

from playhead.errors import PlayheadError
from playhead.template.functions import EXPRESSION_FUNCTIONS, STATEMENT_FUNCTIONS
from playhead.template.rendering import CustomRefusal, Given, Inputs
from playhead.template.template import Template
from support.pages import DOCS, text_of

PAGE = text_of(DOCS / "reference" / "templates.md")
CODE = re.compile(r"`` (.*) ``|`(.*)`")


def code(cell: str) -> str:
    found = CODE.fullmatch(cell.strip())
    return (found[1] or found[2]).replace("\\|", "|") if found else ""


def rows(heading: str) -> list[list[str]]:
    """The rows of every table whose heading ends like this."""
    found = []
    for table in PAGE.split("\n\n"):
        lines = table.splitlines()
        if lines and lines[0].endswith(heading):
            found += [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[2:]]
    return found


EXAMPLES = [tuple(map(code, row[2:])) for row in rows("| template | parameters | SQL |")]
CHECKED = [tuple(map(code, row)) for row in rows("| template | in check mode |")]


def rendered(template: str, query: str) -> str:
    params: dict[str, Given] = dict(parse_qsl(query, keep_blank_values=True))
    try:
        return Template.compile(template).render(Inputs(params=params)).sql.strip()
    except CustomRefusal as refusal:
        return f"{refusal.answer_status} {json.dumps(refusal.answer)}"
    except PlayheadError as error:
        return f"error: {error.message}"


@pytest.mark.parametrize(("template", "query", "sql"), EXAMPLES)
def test_the_example_renders_as_shown(template: str, query: str, sql: str) -> None:
    assert rendered(template, query) == sql
    assert template


@pytest.mark.parametrize(("template", "sql"), CHECKED)
def test_the_example_is_checked_as_shown(template: str, sql: str) -> None:
    assert Template.compile(template).check().sql.strip() == sql
    assert template


def test_every_function_is_on_the_page_and_has_an_example() -> None:
    assert [name for name in STATEMENT_FUNCTIONS if f"`{name}`" not in PAGE] == []
    first = {name for row in rows("| SQL |") for name in re.findall(r"`(\w+)`", row[0])}
    assert [name for name in EXPRESSION_FUNCTIONS if name not in first] == []
    assert min(len(EXAMPLES), len(CHECKED)) >= 18
