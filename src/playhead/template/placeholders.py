"""What stands for a parameter when a pipe is checked without a request."""

from collections.abc import Iterator
from typing import Any

from playhead.template.rendering import TemplateInvalid

NO_VALUE = "__no_value__"
ITERATIONS = 3
"""How often a `for` over a placeholder runs."""


class Placeholder:
    """A parameter without a value and without a type. It is true and equal to nothing."""

    __slots__ = ("line", "name")

    def __init__(self, name: str = NO_VALUE, line: int = 0) -> None:
        self.name = name
        self.line = line

    def __str__(self) -> str:
        return NO_VALUE

    __repr__ = __str__

    def __iter__(self) -> Iterator["Placeholder"]:
        return iter([Placeholder() for _ in range(ITERATIONS)])

    def __getitem__(self, key: object) -> "Placeholder":
        return Placeholder(self.name, self.line)

    def __add__(self, other: object) -> "Placeholder":
        return Placeholder(self.name, self.line)

    __radd__ = __add__

    def __contains__(self, item: object) -> bool:
        return False

    def __len__(self) -> int:
        return ITERATIONS

    def called(self) -> "TemplateInvalid":
        """Return the error of calling it: no function has this name."""
        return TemplateInvalid(
            f"'{self.name}' is not a valid function, line {self.line}",
            hint="docs/reference/templates.md lists the functions.",
            line=self.line,
        )


def method(value: Placeholder, name: str, *_: Any, **__: Any) -> Any:
    """Return what a method of a placeholder gives, whatever its arguments."""
    if name == "split":
        return [Placeholder(value.name, value.line), Placeholder(value.name, value.line)]
    if name in {"startswith", "endswith", "isdigit", "isnumeric", "isalpha", "isalnum"}:
        return False
    if name in {"count", "index", "find"}:
        return 0
    if name in {"items", "keys", "values"}:
        return []
    return Placeholder(value.name, value.line)
