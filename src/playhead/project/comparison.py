"""Whether an answer is what a test expects, and how it differs."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from playhead.project.case import Case

DIFF_LINES_MAX: Final = 100
"""Most lines of a difference that is shown."""
COMPARED_CHARS_MAX: Final = 4_000_000
"""Above it the first line that differs is named instead of a difference worked out."""
LINES_MAX: Final = 2_000
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_FAILED: Final = 400


def difference(case: Case, status: int, answer: str) -> str:
    """Return how an answer differs from what the case expects, in lines; "" = it does not.

    Args:
        case: The test.
        status: The HTTP status of the answer.
        answer: Its text; of several requests, theirs joined.
    """
    if case.status is not None and status != case.status:
        return f"expected HTTP status {case.status}, got {status}: {_error(answer)}"
    if status >= _FAILED:
        return _failure(case, status, answer)
    if case.kind == "quality":
        rows = [line for line in answer.splitlines() if line.strip()]
        return "" if not rows else "\n".join(["rows that should not be there:", *rows])
    if case.kind == "classic":
        return _shown(_filled(case.expected), _filled(answer))
    # A file cannot well end without a line break, nor an answer with one too many.
    return _shown(case.expected.rstrip("\n").split("\n"), answer.rstrip("\n").split("\n"))


def _failure(case: Case, status: int, answer: str) -> str:
    if case.status is None:
        return f"answered with HTTP status {status}: {_error(answer)}"
    expected = case.expected.strip()
    if expected in ("", _error(answer).strip(), answer.strip()):
        return ""
    return _shown([expected], [_error(answer).strip()])


def printed(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as `tb sql` prints them: between lines of dashes, numbers to the right."""
    texts = [[_cell(value) for value in row] for row in rows]
    columns = list(zip(*texts, strict=True)) if texts else [()] * len(names)
    widths = [
        max([len(name), *map(len, column)]) for name, column in zip(names, columns, strict=True)
    ]
    numeric = [bool(column) and all(map(_NUMBER.fullmatch, column)) for column in columns]
    line = "-" * (sum(widths) + 3 * len(widths) + 1)

    def one(cells: Sequence[str], *, right: bool) -> str:
        padded = (
            cell.rjust(width) if right and number else cell.ljust(width)
            for cell, width, number in zip(cells, widths, numeric, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    lines = [line, one(names, right=False), line, *(one(row, right=True) for row in texts), line]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _filled(text: str) -> list[str]:
    """Return the lines that are not empty: how `diff -B` sees a text."""
    return [line for line in text.split("\n") if line]


def _error(answer: str) -> str:
    """Return the sentence of an error's body, or the body."""
    try:
        body = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return answer
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, str) else answer


def _shown(expected: list[str], got: list[str]) -> str:
    if expected == got:
        return ""
    long = max(len(expected), len(got)) > LINES_MAX
    if long or sum(map(len, expected)) + sum(map(len, got)) > COMPARED_CHARS_MAX:
        return _first_difference(expected, got)
    lines = difflib.unified_diff(expected, got, "expected", "answer", lineterm="", n=2)
    some = list(lines)
    if len(some) > DIFF_LINES_MAX:
        more = len(some) - DIFF_LINES_MAX
        some = [*some[:DIFF_LINES_MAX], f"… {more} more lines differ or stand around them"]
    return "\n".join(some)


def _first_difference(expected: list[str], got: list[str]) -> str:
    pairs = zip(expected, got, strict=False)
    at = next(
        (number for number, (one, other) in enumerate(pairs) if one != other),
        min(len(expected), len(got)),
    )
    return "\n".join(
        [
            f"expected {len(expected)} lines, got {len(got)}; line {at + 1} differs first:",
            f"-{(expected[at] if at < len(expected) else '')[:1000]}",
            f"+{(got[at] if at < len(got) else '')[:1000]}",
        ]
    )
