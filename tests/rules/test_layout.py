"""The rules of the house that a machine can check."""

import ast
import re
from pathlib import Path

import pytest

from support.source import ROOT, files, imports, modules, name_of

LINES_MAX = 400
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_USUAL = 40
LONG_FUNCTIONS_SHARE_MAX = 0.02
BANNED_NAMES = {"utils", "helpers", "manager", "common", "util", "helper", "misc"}
ENGINE_AT = {"playhead.store.engine"}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:] or body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def functions() -> list[tuple[str, int]]:
    return [
        (f"{name}.{node.name}", body_lines(node))
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def test_no_function_is_longer_than_a_screen() -> None:
    assert [(name, n) for name, n in functions() if n > FUNCTION_LINES_MAX] == []


def test_long_functions_are_rare() -> None:
    every = functions()
    long = [(name, n) for name, n in every if n > FUNCTION_LINES_USUAL]
    assert len(long) <= len(every) * LONG_FUNCTIONS_SHARE_MAX, long


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_file_is_one_noun(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LINES_MAX, f"{path.name} has {lines} lines"
    assert path.stem not in BANNED_NAMES


def cycle_from(start: str, edges: dict[str, set[str]]) -> list[str]:
    stack = [(start, [start])]
    seen: set[str] = set()
    while stack:
        node, path = stack.pop()
        for following in edges[node]:
            if following == start:
                return [*path, start]
            if following not in seen:
                seen.add(following)
                stack.append((following, [*path, following]))
    return []


def test_no_cycle_between_modules_even_inside_functions() -> None:
    edges = {name: imports(name) for name in modules()}
    cycles = [cycle for name in edges if (cycle := cycle_from(name, edges))]
    assert cycles == []


def test_no_cycle_between_folders() -> None:
    def folder(name: str) -> str:
        parts = name.split(".")
        return parts[1] if len(parts) > 1 else name

    edges: dict[str, set[str]] = {folder(name): set() for name in modules()}
    for name in modules():
        edges[folder(name)] |= {folder(other) for other in imports(name)} - {folder(name)}
    cycles = [cycle for name in edges if (cycle := cycle_from(name, edges))]
    assert cycles == []


def test_engine_is_imported_in_one_file() -> None:
    users = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(a.name.startswith("chdb") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chdb"))
    }
    assert users <= ENGINE_AT


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XXX|NotImplemented)\b")
    left = [path.name for path in files() if words.search(path.read_text("utf-8"))]
    assert left == []


def test_no_registry_and_no_path_of_a_machine_is_named() -> None:
    words = re.compile(
        r"(files\.pythonho"
        r"sted|pypi\.o"
        r"rg|registry\.npm"
        r"js|repo1?\.ma"
        r"ven|deb\.deb"
        r"ian|/wo"
        r"rk/)"
    )
    kinds = {".py", ".md", ".toml", ".txt", ".json", ".sql", ".yml", ""}
    skipped = {
        ".git",
        ".venv",
        ".cache",
        "node_modules",
        ".hypothesis",
        ".mypy_cache",
        ".ruff_cache",
    }
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in kinds
        and not skipped & set(path.relative_to(ROOT).parts)
        and path.name != "LICENSE"
        and words.search(path.read_text("utf-8", "replace"))
    ]
    assert found == []
