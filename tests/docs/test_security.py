"""The threat model holds: every threat names tests, and every test it names is there."""

import ast
import re
from functools import cache

import pytest

from support.pages import DOCS, ROOT, text_of

PAGE = text_of(DOCS / "security.md")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
NAMED = sorted(set(TEST.findall(PAGE)))


def threats() -> list[str]:
    """The rows of the tables of threats."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    rows = [
        line
        for section in sections
        if section.startswith("Threats")
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith("| threat |")
    ]
    assert len(rows) > 30
    return rows


@cache
def functions_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("row", threats(), ids=lambda row: row.split("|")[1].strip()[:60])
def test_every_threat_names_a_test(row: str) -> None:
    assert TEST.search(row), row
    assert row.count("|") == 4


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: part.rpartition("/")[2])
def test_every_test_it_names_is_there(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions_in(path)
