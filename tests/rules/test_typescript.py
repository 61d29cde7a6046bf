"""The rules of the house for TypeScript, and for the scripts beside it."""

import re
from functools import cache
from pathlib import Path

import pytest

from rules.test_layout import BANNED_NAMES, FUNCTION_LINES_MAX, LINES_MAX
from support.source import ROOT

FOLDERS = ("player/src", "player/test", "player/scripts", "dashboard/src", "dashboard/scripts", "examples")  # fmt: skip
ENDINGS = {".ts", ".mjs", ".js", ".svelte"}
MADE = ("lib", "node_modules")
"""Folders of what others wrote."""
KEYWORD = re.compile(r"^(?:\} )?(?:if|else|for|while|switch|try|catch|finally|do|class|interface|type)\b")  # fmt: skip
FUNCTION = re.compile(
    r"=> \{$|\bfunction\b.*\{$|^(?:\w+ )*[\w#]+(?:<.*>)?\(.*\)(?:: .+)? \{$|^\).* \{$"
)
NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.(?:test|d|svelte))?")
COMPONENT = re.compile(r"[A-Z][A-Za-z]*")


@cache
def scripts() -> tuple[Path, ...]:
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return tuple(
        sorted(
            p
            for p in found
            if p.suffix in ENDINGS and not set(MADE) & set(p.relative_to(ROOT).parts)
        )
    )


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def own_lines(text: str) -> list[tuple[str, int]]:
    """Return each function's first line and how many lines are its own, those inside it left out.

    The layout tells where one ends: at a closing brace as far to the left as its first line.
    """
    found: list[tuple[str, int]] = []
    open_ones: list[list[int]] = []  # indent, line, lines of functions inside
    heads: list[str] = []
    for number, line in enumerate(text.splitlines()):
        said = line.strip()
        indent = len(line) - len(line.lstrip())
        while open_ones and said.startswith("}") and indent <= open_ones[-1][0]:
            _, begun, inside = open_ones.pop()
            length = number - begun - 1
            found.append((heads.pop(), length - inside))
            if open_ones:
                open_ones[-1][2] += length
        if FUNCTION.search(said) and not KEYWORD.match(said):
            open_ones.append([indent, number, 0])
            heads.append(said)
    return found


def test_the_length_of_a_function_is_found() -> None:
    text = "function a(\n  b: string,\n): void {\n  one();\n  b.forEach((c) => {\n    c();\n  });\n  if (b) {\n    two();\n  }\n}\n"
    assert own_lines(text) == [("b.forEach((c) => {", 1), ("): void {", 6)]
    assert own_lines("class A {\n  private go(now: number): void {\n    this.x();\n  }\n}\n") == [
        ("private go(now: number): void {", 1)
    ]


@pytest.mark.parametrize("path", scripts(), ids=named)
def test_file_is_one_noun(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LINES_MAX, f"{named(path)} has {lines} lines"
    assert path.name.split(".")[0] not in BANNED_NAMES
    assert NAME.fullmatch(path.stem) or COMPONENT.fullmatch(path.stem), path.name


@pytest.mark.parametrize("path", scripts(), ids=named)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    long = [(head, n) for head, n in own_lines(path.read_text("utf-8")) if n > FUNCTION_LINES_MAX]
    assert long == []


def test_nothing_is_left_for_later_nor_typed_as_anything() -> None:
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XXX)\b")
    left = [named(path) for path in scripts() if words.search(path.read_text("utf-8"))]
    loose = re.compile(r"(?::|\bas|<) ?any\b")
    untyped = [
        named(path)
        for path in scripts()
        if path.suffix == ".ts"
        and "player/src" in named(path)
        and loose.search(path.read_text("utf-8"))
    ]
    assert left == []
    assert untyped == []


def test_the_sdk_has_no_dependency() -> None:
    outside = re.compile(r"""^(?:import|export)\b[^'"]*from ['"]([^.'"][^'"]*)['"]""", re.MULTILINE)
    sources = [path for path in scripts() if named(path).startswith("player/src/")]
    assert sources
    assert [
        (named(p), found) for p in sources for found in outside.findall(p.read_text("utf-8"))
    ] == []
