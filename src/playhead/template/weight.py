"""What handling a value costs, charged before it is handled.

A list may hold the same list many times, so a small thing in memory can be a huge thing to write, compare or
hash. Whoever does one of those calls `weigh` first.
"""

from typing import Any

from playhead.template.context import CHARS_A_STEP, Context
from playhead.template.rendering import TemplateRefused

NESTING_MAX = 200
"""Deepest list or dictionary that is handled."""
SCALARS = frozenset({int, float, bool, type(None)})


def weigh(value: Any, context: Context) -> None:
    """Charge a step for every item in a value, however often it is met, and for every 64 characters."""
    kind = type(value)
    if kind in SCALARS:
        return
    if isinstance(value, str):
        if len(value) > CHARS_A_STEP:
            context.spend(len(value) // CHARS_A_STEP)
        return
    if isinstance(value, list | tuple | set | dict):
        _weigh_deep(value, context)


def is_whole(text: str) -> bool:
    """Return whether a text can be sent: half of a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _weigh_deep(value: Any, context: Context) -> None:
    level, depth = [value], 0
    while level:
        if (depth := depth + 1) > NESTING_MAX:
            # Python hashes and compares by recursion, whose stack is not ours to end.
            raise TemplateRefused(f"A value is nested deeper than {NESTING_MAX} levels.")
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                context.spend(1 + len(item) // CHARS_A_STEP)
            elif isinstance(item, dict):
                context.spend(1 + len(item))
                inner.extend(item.keys())
                inner.extend(item.values())
            elif isinstance(item, list | tuple | set):
                context.spend(1 + len(item))
                inner.extend(item)
            else:
                context.spend()
        level = inner
