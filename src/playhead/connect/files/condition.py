"""When a rule of a mapping holds: tests on the columns of a row, all of which must be true."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from playhead.connect.files.value import Wrong, typed

Holds = Callable[[Mapping[str, str], Mapping[str, str] | None], bool]
"""Whether a row (and the one before it, None at the first) passes."""
_TESTS: Final = ("is", "not", "above", "below", "changed", "empty")


def condition(tests: Mapping[str, object], used: set[str]) -> Holds:
    """Return the test of a rule; without any it always holds.

    Raises:
        Wrong: A test is not known or compares with what cannot be compared.
    """
    checks = [check for name, test in tests.items() for check in _checks(name, test)]
    used.update(tests)
    return lambda row, before: all(check(row, before) for check in checks)


def _checks(name: str, test: object) -> list[Holds]:
    if not isinstance(test, dict):
        return [_one_of(name, test, wanted=True)]
    if not test or set(test) - set(_TESTS):
        raise Wrong(f"a test of '{name}' is a value, a list, or one of {', '.join(_TESTS)}")
    return [_check(name, kind, wanted) for kind, wanted in test.items()]


def _check(name: str, kind: str, wanted: Any) -> Holds:
    if kind in {"is", "not"}:
        return _one_of(name, wanted, wanted=kind == "is")
    if kind in {"changed", "empty"}:
        if not isinstance(wanted, bool):
            raise Wrong(f"'{kind}' of '{name}' is true or false")
        if kind == "empty":
            return lambda row, _: (not row[name].strip()) is wanted
        return lambda row, before: (before is not None and row[name] != before[name]) is wanted
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)):
        raise Wrong(f"'{kind}' of '{name}' is a number")
    if kind == "above":
        return lambda row, _: _number(row[name]) > wanted
    return lambda row, _: _number(row[name]) < wanted


def _number(text: str) -> float:
    """Return a cell as a number; an empty one is neither above nor below anything."""
    return float(typed(text, "number", 1.0)) if text.strip() else float("nan")


def _one_of(name: str, values: object, *, wanted: bool) -> Holds:
    listed = values if isinstance(values, list) else [values]
    if not listed or not all(isinstance(one, (str, int, float, bool)) for one in listed):
        raise Wrong(f"'{name}' is compared with texts, numbers, true or false")
    texts = {str(one).lower() if isinstance(one, bool) else str(one) for one in listed}
    return lambda row, _: (row[name].strip() in texts) is wanted
