"""JSON paths of a schema: `$.a.b[:].c` as a function from an event to what stands there."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

STEPS_MAX: Final = 50
"""Longest path, in steps."""
Reach = Callable[[Any], Any]
"""From an event to the value at the path; None when there is none or it is null."""
_STEP: Final = re.compile(
    r"""\.?\[(?::|\*)\] | \[(\d{1,6})\] | \[(['"])(.+?)\2\] | \.([^.\[\]]+)""", re.VERBOSE
)
EVERY: Final = None
"""The step `[:]`."""
Step = str | int | None


def steps(path: str) -> tuple[Step, ...]:
    """Take a path apart: keys, positions, and `EVERY` for `[:]`; () is the whole event.

    Raises:
        ValueError: It is no path.
    """
    text = path.strip().strip("`").removeprefix("json:").strip()
    if not text.startswith("$"):
        raise ValueError(f"the JSON path '{path}' does not begin with '$'")
    at, found = 1, list[Step]()
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"the JSON path '{path}' cannot be read from '{text[at:]}' on")
        if match[1] is not None:
            found.append(int(match[1]))
        else:
            found.append(match[3] or match[4])
        at = match.end()
    if len(found) > STEPS_MAX:
        raise ValueError(f"the JSON path '{path}' has more than {STEPS_MAX} steps")
    return tuple(found)


def reach(path: tuple[Step, ...]) -> Reach:
    """Return the function for a path taken apart."""
    if not path:
        return _whole
    first, rest = path[0], path[1:]
    follow = reach(rest) if rest else None
    if first is EVERY:
        return _every(follow)
    if isinstance(first, int):
        return _at(first, follow)
    return _key(first, follow)


def holds(path: tuple[Step, ...]) -> Callable[[Any], bool]:
    """Return the function that says whether an event has anything at a path, be it null."""
    if not path:
        return lambda _: True
    *above, last = path
    outer = reach(tuple(above))

    def there(event: Any) -> bool:
        around = outer(event)
        if isinstance(last, str):
            return isinstance(around, Mapping) and last in around
        return around is not None

    return there


def _whole(event: Any) -> Any:
    return event


def _key(key: str, follow: Reach | None) -> Reach:
    def last(event: Any) -> Any:
        return event.get(key) if isinstance(event, Mapping) else None

    if follow is None:
        return last

    def onward(event: Any) -> Any:
        inner = event.get(key) if isinstance(event, Mapping) else None
        return None if inner is None else follow(inner)

    return onward


def _at(index: int, follow: Reach | None) -> Reach:
    def take(event: Any) -> Any:
        if not isinstance(event, list) or index >= len(event):
            return None
        return event[index] if follow is None else follow(event[index])

    return take


def _every(follow: Reach | None) -> Reach:
    def take(event: Any) -> Any:
        # What is no array stays what it is: the column's type then says that it does not fit.
        if follow is None or not isinstance(event, list):
            return event
        return [None if item is None else follow(item) for item in event]

    return take
