"""The heads of `{% %}` that are more than an expression: `set`, `for … in …` and `except … as …`."""

import ast
import re
from collections.abc import Callable, Container

import msgspec

from playhead.template.expression import read_statement
from playhead.template.operators import BINARY
from playhead.template.rendering import CustomRefusal, TemplateInvalid, TemplateRefused
from playhead.template.syntax import Position, invalid

_EXCEPT = re.compile(r"(\w+|\([\w\s,]+\))?((?<=.)\s+as\s+([^\W\d]\w*))?")
_CAUSES: dict[str, type[Exception]] = {
    one.__name__: one
    for one in (
        ArithmeticError, AttributeError, IndexError, KeyError, LookupError, OverflowError,
        RuntimeError, TypeError, ValueError, ZeroDivisionError,
    )
}  # fmt: skip

Caught = TemplateInvalid | TemplateRefused | CustomRefusal
"""What a `try` can catch; what ran out of its budget is refused again at the next step."""


class Loop(msgspec.Struct, frozen=True):
    """The head of a `for`: what gets a value, and of what."""

    target: ast.expr
    items: ast.expr
    tree: ast.stmt


class Setting(msgspec.Struct, frozen=True):
    """A `set`: what gets a value, the value, and what it is combined with."""

    targets: tuple[ast.expr, ...]
    value: ast.expr
    operator: type[ast.operator] | None
    tree: ast.stmt


class Handler(msgspec.Struct, frozen=True):
    """The head of an `except`: which errors, and the name their text gets."""

    catches: Callable[[Caught], bool]
    name: str | None


def read_loop(source: str, position: Position, functions: Container[str]) -> Loop:
    """Return the head of a `for`, after the word."""
    tree = read_statement(f"for {source}: pass", position, functions=functions)
    if not (
        isinstance(tree, ast.For)
        and len(tree.body) == 1
        and isinstance(tree.body[0], ast.Pass)
        and not tree.orelse
    ):
        raise invalid(f"Invalid for statement: {source[:80]}", position)
    return Loop(tree.target, tree.iter, tree)


def read_setting(source: str, position: Position, functions: Container[str]) -> Setting:
    """Return a `set`, after the word: `x = 1`, `x = y = 1`, `a, b = pair`, `x += 1`, `d['k'] = 1`."""
    problem = invalid(f"Invalid set statement: {source[:80]}", position)
    try:
        tree = read_statement(source, position, functions=functions)
    except TemplateInvalid as error:
        unread = error.message.startswith(("Invalid syntax", "Invalid statement", "Only names"))
        raise (problem if unread else error) from None
    if isinstance(tree, ast.Assign):
        targets, operator = tree.targets, None
    elif isinstance(tree, ast.AugAssign) and isinstance(tree.target, ast.Name | ast.Subscript):
        targets, operator = [tree.target], type(tree.op)
    else:
        raise problem
    if operator is not None and operator not in BINARY:
        raise problem
    return Setting(tuple(targets), tree.value, operator, tree)


def read_handler(source: str, position: Position) -> Handler:
    """Return the head of an `except`, after the word: nothing, `ValueError`, `(KeyError, TypeError) as e`."""
    found = _EXCEPT.fullmatch(source)
    if found is None:
        raise invalid(f"Invalid except statement: {source[:80]}", position)
    words = re.findall(r"\w+", found[1] or "")
    if not words or "Exception" in words or "BaseException" in words:
        return Handler(lambda _error: True, found[3])
    unknown = [word for word in words if word not in _CAUSES]
    if unknown:
        raise invalid(f"Invalid except statement: {unknown[0]} is no error", position)
    causes = tuple(_CAUSES[word] for word in words)
    refusals = "ValueError" in words

    def catches(error: Caught) -> bool:
        if isinstance(error.__cause__, causes):
            return True
        # What error() and the checks of types raise is a ValueError to a template.
        return refusals and isinstance(error, TemplateRefused | CustomRefusal)

    return Handler(catches, found[3])
