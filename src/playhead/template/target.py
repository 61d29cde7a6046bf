"""What gets a value in a `set`, a `for` and a comprehension: names, parts of one value, items of a list."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from playhead.template.methods import drawn, kind_of
from playhead.template.scope import Scope
from playhead.template.weight import weigh

Give = Callable[[Any, Scope], None]
Evaluates = Callable[[ast.expr], Callable[[Scope], Any]]


def names_in(target: ast.AST) -> tuple[str, ...]:
    """Return the names a target gives a value to, in order."""
    return tuple(_names(target))


def _names(target: ast.AST) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _names(part)


def giving(target: ast.expr, evaluates: Evaluates) -> Give:
    """Return the function that gives a target, which `expression` has checked, a value."""
    if isinstance(target, ast.Name):
        name = target.id

        def give(value: Any, scope: Scope) -> None:
            scope.names[name] = value

        return give
    if isinstance(target, ast.Tuple | ast.List):
        return _unpacking(target, evaluates)
    assert isinstance(target, ast.Subscript)  # noqa: S101 - what the check let through
    return _replacing(target, evaluates)


def _unpacking(target: ast.Tuple | ast.List, evaluates: Evaluates) -> Give:
    starred = [at for at, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
    gives = [
        giving(part.value if isinstance(part, ast.Starred) else part, evaluates)
        for part in target.elts
    ]
    count = len(gives)

    def give(value: Any, scope: Scope) -> None:
        parts = drawn(value, scope.context)
        if starred and len(parts) >= count - 1:
            at, after = starred[0], count - 1 - starred[0]
            end = len(parts) - after
            parts = [*parts[:at], parts[at:end], *parts[end:]]
        if len(parts) != count:
            raise ValueError(f"{count} names for {len(parts)} values")
        for give_part, part in zip(gives, parts, strict=True):
            give_part(part, scope)

    return give


def _replacing(target: ast.Subscript, evaluates: Evaluates) -> Give:
    holder_of, key_of = evaluates(target.value), evaluates(target.slice)

    def give(value: Any, scope: Scope) -> None:
        holder, key = holder_of(scope), key_of(scope)
        if not isinstance(holder, list | dict) or isinstance(key, slice):
            raise TypeError(f"{kind_of(holder)} takes no items by name or number")
        weigh(key, scope.context)
        scope.context.make(len(holder) + 1)
        holder[key] = value

    return give
