"""Test files of a project: which dialect one is in, and its cases."""

from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qsl

import yaml

from playhead.project.case import CASES_MAX, Case, Request
from playhead.project.classic import read_commands
from playhead.project.quality import is_quality, read_quality
from playhead.template.rendering import Given

TEXT_CHARS_MAX: Final = 16 * 1024 * 1024
"""Largest file of tests."""
_NO_TESTS: Final = frozenset({"regression.yaml", "regression.yml"})
_STATUSES: Final = range(100, 600)


class _NoCases(ValueError):
    """No case can be read of the file; the message is a sentence."""


def read_cases(text: str, *, path: str, result: str | None = None) -> tuple[Case, ...]:
    """Return the cases of a file; what cannot be run is a case with a `problem`.

    Args:
        text: The file: Forward's `.yaml`, Classic's `.test`, or its "data quality" `.yaml`.
        path: Its name; of a Forward file the stem is the pipe that is tested.
        result: What stands in `<path>.result`, for a `.test`.
    """
    file = PurePosixPath(path)
    if file.name.lower() in _NO_TESTS:
        return ()
    if len(text) > TEXT_CHARS_MAX:
        return (_failing(path, f"The file has more than {TEXT_CHARS_MAX} characters."),)
    if file.suffix == ".test":
        return (read_commands(text, result, path=path),)
    try:
        return _of_yaml(text, path)
    except _NoCases as error:
        return (_failing(path, str(error)),)


def _of_yaml(text: str, path: str) -> tuple[Case, ...]:
    try:
        # Every scalar stays the text that stands there: 1.50 and 2024-01-01 are answers.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (makes texts only)
    except (yaml.YAMLError, RecursionError) as error:
        raise _NoCases(f"The file is no YAML: {' '.join(str(error).split())}") from error
    if content in (None, ""):
        return ()
    if is_quality(content):
        return read_quality(content, path=path)
    if not isinstance(content, list):
        raise _NoCases("The file is no list of cases ('- name: …').")
    if len(content) > CASES_MAX:
        raise _NoCases(f"The file has more than {CASES_MAX} cases.")
    return tuple(_case(one, path, number) for number, one in enumerate(content, 1))


def parameters_of(text: str) -> dict[str, Given]:
    """Return the parameters of `a=1&b=2`, with or without `?`; a repeated key is a list."""
    found: dict[str, Given] = {}
    for name, value in parse_qsl(text.strip().removeprefix("?"), keep_blank_values=True):
        before = found.get(name)
        if before is None:
            found[name] = value
        else:
            found[name] = [*([before] if isinstance(before, str) else before), value]
    return found


def _case(one: Any, path: str, number: int) -> Case:
    if not isinstance(one, dict):
        return _failing(path, f"Case {number} is no mapping ('name: …').", f"case {number}")
    name = str(one.get("name") or f"case {number}")
    status: int | None = None
    said = one.get("expected_http_status")
    if said not in (None, "", "null"):
        status = int(said) if isinstance(said, str) and said.isdigit() else 0
        if status not in _STATUSES:
            return _failing(path, f"expected_http_status is no HTTP status: {said}", name)
    expected = one.get("expected_result", "")
    if not isinstance(expected, str):
        return _failing(path, "expected_result is a text ('expected_result: |').", name)
    return Case(
        path=path,
        name=name,
        kind="forward",
        description=str(one.get("description") or ""),
        requests=(
            Request(
                pipe=PurePosixPath(path).stem, parameters=_parameters(one.get("parameters") or "")
            ),
        ),
        expected=expected,
        status=status,
    )


def _parameters(given: Any) -> dict[str, Given]:
    if isinstance(given, dict):
        return {
            str(name): [str(one) for one in value] if isinstance(value, list) else str(value)
            for name, value in given.items()
        }
    return parameters_of(str(given))


def _failing(path: str, problem: str, name: str = "") -> Case:
    return Case(path=path, name=name or PurePosixPath(path).name, kind="forward", problem=problem)
