"""A `*list` and a `**dictionary` among the arguments of a call or the items of a list."""

import ast
from collections.abc import Callable
from typing import Any

from playhead.template.methods import drawn, kind_of
from playhead.template.scope import Scope
from playhead.template.values import Named

Evaluate = Callable[[Scope], Any]
Arguments = Callable[[Scope], tuple[list[Any], dict[str, Any]]]
"""What a call is given, by place and by keyword."""


def unstarred(nodes: list[ast.expr]) -> list[ast.expr]:
    """Return the nodes without their stars."""
    return [node.value if isinstance(node, ast.Starred) else node for node in nodes]


def spread(
    args: list[tuple[bool, Evaluate]], kwargs: list[tuple[str | None, Evaluate]]
) -> Arguments:
    """Return the function of arguments with `*list` or `**dictionary` among them."""

    def run(scope: Scope) -> tuple[list[Any], dict[str, Any]]:
        given: list[Any] = []
        for starred, argument in args:
            value = argument(scope)
            if starred:
                given.extend(
                    drawn(value.value if isinstance(value, Named) else value, scope.context)
                )
            else:
                given.append(value)
        named: dict[str, Any] = {}
        for key, argument in kwargs:
            more = {key: argument(scope)} if key is not None else mapping(argument(scope), scope)
            if not all(isinstance(one, str) for one in more) or named.keys() & more.keys():
                raise TypeError("** takes a dictionary whose keys are texts, each once")
            named.update(more)
        return given, named

    return run


def mapping(value: Any, scope: Scope) -> dict[Any, Any]:
    """Return a dictionary whose items are about to be taken; TypeError for anything else."""
    if not isinstance(value, dict):
        raise TypeError(f"{kind_of(value)} is no dictionary")
    scope.context.spend(1 + len(value))
    return value
