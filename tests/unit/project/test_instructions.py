import re

import pytest

from playhead.project.datafile import read_data_file
from playhead.project.format import formatted
from playhead.project.instructions import DATASOURCE, PIPE, TABLES, suggestion
from playhead.project.problem import Unreadable
from playhead.project.resources import Engine
from support.pages import DOCS

EXAMPLES = re.findall(
    r"\n```\n(.*?)```", (DOCS / "reference" / "data-files.md").read_text(), re.DOTALL
)
BASE = {
    "datasource": "SCHEMA >\n    a String\n\n{}",
    "pipe": "NODE a\nSQL >\n    SELECT 1 AS n\nTYPE endpoint\n{}",
    "connection": "TYPE dynamodb\n{}",
}
NAMES = [
    (kind, known.name)
    for kind, table in TABLES.items()
    for known in table.values()
    if not known.refusal
]


def test_every_option_of_an_engine_has_its_instruction() -> None:
    fields = set(Engine.__struct_fields__) - {"given"}
    assert {known.field for known in DATASOURCE.values() if known.field} == fields
    joins = {"join_strictness", "join_type", "key_columns"}
    assert {known.field for known in PIPE.values() if known.field} == fields - joins


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_every_instruction_of_the_tables_is_known_to_its_reader(kind: str, name: str) -> None:
    try:
        read_data_file(BASE[kind].format(f"{name} x"), path=f"f.{kind}")
        said = ""
    except Unreadable as error:
        said = str(error)
    assert "is no instruction" not in said
    assert "unexpected" not in said


@pytest.mark.parametrize(("kind", "text"), list(zip(["datasource", "pipe"], EXAMPLES, strict=True)))
def test_the_examples_of_the_reference_are_read_and_in_their_usual_form(
    kind: str, text: str
) -> None:
    assert read_data_file(text, path=f"example.{kind}").warnings == ()
    assert formatted(text, path=f"example.{kind}") == text


def test_near_words_are_suggested() -> None:
    assert suggestion("DATASORCE", PIPE) == "Did you mean DATASOURCE?"
    assert suggestion("X" * 10_000, PIPE) == suggestion("ZZZ", PIPE) == ""
