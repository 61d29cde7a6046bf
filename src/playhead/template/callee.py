"""A function as a value: a `lambda`, a built-in named as an argument (`key=len`), a method (`key=str.lower`)."""

from collections.abc import Callable
from typing import Any

from playhead.template.context import Context
from playhead.template.rendering import TemplateRefused

DEPTH_MAX = 10
"""Most functions that may be at work inside each other."""

KINDS: dict[str, tuple[type, ...]] = {
    kind.__name__: (kind,) for kind in (str, int, float, bool, list, tuple, dict, set)
}
"""What `isinstance` knows."""


class Callee:
    """A function a template holds. Python cannot call it: only `call` does, within the budget."""

    __slots__ = ("_run", "kinds", "name")

    def __init__(self, name: str, run: Callable[..., Any], kinds: tuple[type, ...] = ()) -> None:
        self.name = name
        self._run = run
        self.kinds = kinds
        """What `isinstance` takes it for."""

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def call(self, context: Context, *args: Any) -> Any:
        """Return what it makes of its arguments; a step each time."""
        context.spend()
        if context.depth >= DEPTH_MAX:
            raise TemplateRefused(f"More than {DEPTH_MAX} functions call each other.")
        context.depth += 1
        try:
            return self._run(context, *args)
        finally:
            context.depth -= 1


def called(context: Context, function: Any, *args: Any) -> Any:
    """Return what a value makes of arguments; TypeError when it is no function."""
    if not isinstance(function, Callee):
        raise TypeError("it takes a function: a lambda, or a name such as len")
    return function.call(context, *args)
