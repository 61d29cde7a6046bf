"""Data files: what is read of a text, what is said of a wrong one, what its canonical form is.

A case has `text` (and `path`, "views.datasource" when left out), or `files` for a whole project.
`reads`, `project` say what must be there, part by part; `errors` and `warnings` are
`line:column words`, all of them, in order; `formatted` is the canonical form.
"""

from typing import Any

import msgspec

from playhead.project.datafile import meaning, read_data_file
from playhead.project.folder import read_texts
from playhead.project.format import formatted
from playhead.project.problem import Problem, Unreadable


def run(case: dict[str, Any]) -> None:
    """Run one case."""
    if "files" in case:
        _run_project(case)
        return
    path, text = case.get("path", "views.datasource"), case["text"]
    resource: Any = None
    problems: tuple[Problem, ...] = ()
    try:
        resource = read_data_file(
            text,
            path=path,
            secrets=case.get("secrets", {}),
            environ=case.get("environ", {}),
            include=case.get("includes", {}).get,
        )
        problems = resource.warnings
    except Unreadable as error:
        problems = error.problems
    _check_said(case.get("errors", []), [one for one in problems if not one.warning])
    if "warnings" in case:
        _check_said(case["warnings"], [one for one in problems if one.warning])
    if "reads" in case:
        _check_part(case["reads"], msgspec.to_builtins(resource), "")
    if "formatted" in case:
        assert formatted(text, path=path) == case["formatted"]
        again = read_data_file(case["formatted"], path=path, secrets=case.get("secrets", {}))
        assert meaning(again) == meaning(resource)


def _run_project(case: dict[str, Any]) -> None:
    project = read_texts(case["files"], environ=case.get("environ", {}))
    said = [one for one in project.problems if not one.warning]
    errors = case.get("errors", [])
    assert len(said) == len(errors), [str(one) for one in said]
    for one, words in zip(said, errors, strict=True):
        assert words in str(one), f"{words!r} is not in {one}"
    if "project" in case:
        _check_part(case["project"], msgspec.to_builtins(project), "")
    for kind, names in case.get("has", {}).items():
        assert sorted(getattr(project, kind)) == sorted(names)


def _check_said(expected: list[str], found: list[Problem]) -> None:
    said = [f"{one.line}:{one.column} {one.message} {one.hint}" for one in found]
    assert len(said) == len(expected), said
    for words, one in zip(expected, said, strict=True):
        place, _, rest = words.partition(" ")
        assert one.startswith(f"{place} "), f"{place} is not where {one!r} is"
        assert rest in one, f"{rest!r} is not in {one!r}"


def _check_part(expected: Any, found: Any, where: str) -> None:
    """What is expected stands in what was found: keys of a mapping, all items of a list."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), f"{where}: {found!r}"
        for key, value in expected.items():
            assert key in found, f"{where}.{key} is missing in {sorted(found)}"
            _check_part(value, found[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(expected) == len(found), f"{where}: {found!r}"
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            _check_part(one, other, f"{where}[{index}]")
    else:
        assert found == expected, f"{where}: {found!r} is not {expected!r}"
