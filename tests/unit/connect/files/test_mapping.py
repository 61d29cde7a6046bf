import re
from pathlib import Path

import pytest

from playhead.connect.files import mapping
from playhead.errors import ConfigInvalid
from support.pages import DOCS, blocks

GOOD = """name = "m"
[time]
column = "at"
[fields]
viewId = "{view}"
[[row]]
type = "PLAY"
"""


def loaded(tmp_path: Path, text: str) -> mapping.Mapping:
    file = tmp_path / "m.toml"
    file.write_text(text)
    return mapping.load(file)


def test_a_mapping_knows_the_names_it_reads(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).used == {"at", "view"}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('name = "m"', 'name = "m"\nnmae = 1', 2, "nmae"),
        ('column = "at"', 'colum = "at"', 3, "colum"),
        ('column = "at"', 'column = "at"\nunit = "fortnight"', 4, "no unit 'fortnight'"),
        ('column = "at"', 'column = "at"\nstep = 1', 2, "either 'column' or 'step'"),
        ("viewId", "viewID", 5, "did you mean 'viewId'"),
        ('"{view}"', '"{view"', 5, "a brace stands alone"),
        ('"{view}"', "7", 5, "takes a text"),
        ('type = "PLAY"', 'fields = { startupMs = "x" }', 6, "needs a 'type'"),
        (
            'type = "PLAY"',
            'type = "PLAY"\nfields.startupMs = { from = "a", unit = "kbps" }',
            8,
            "does not fit",
        ),
        ('type = "PLAY"', 'type = "PLAY"\nwhen = { a = { like = 1 } }', 8, "a test of 'a'"),
        ('type = "PLAY"', 'type = "PLAY"\nfields.quality = 3', 8, "is a group"),
        ('[[row]]\ntype = "PLAY"', "", 0, "there is no \\[\\[row\\]\\]"),
        ('name = "m"', 'name = "m"\npattern = "("', 2, "no regular expression"),
        ('name = "m"', 'name = "m"\nignore = "x"', 2, "or '\\*' for all"),
        ('name = "m"', 'name = "m"\nheartbeat_ms = 1', 2, "at least 1000"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigInvalid, match=said) as raised:
        loaded(tmp_path, GOOD.replace(old, new))
    assert not line or f"line {line}:" in raised.value.message
    assert raised.value.message.startswith("The mapping ")
    assert not re.search(r"""\(["']|["']\)""", raised.value.message)  # a tuple is no sentence


def test_the_shipped_one_is_found_by_name() -> None:
    assert mapping.load(mapping.named("lumos")).table.name == "lumos"


def test_another_name_is_refused_and_those_that_come_with_it_are_told() -> None:
    with pytest.raises(ConfigInvalid) as raised:
        mapping.named("nothing")
    assert "lumos" in raised.value.hint


def test_the_mappings_of_the_manual_are_valid(tmp_path: Path) -> None:
    shown = blocks(DOCS / "how-to" / "replay.md", "mapping")
    assert [loaded(tmp_path, text).table.name for text in shown] == ["webstats", "encoder"]
