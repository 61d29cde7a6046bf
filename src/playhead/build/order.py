"""The order in which tables and views are made: what is read comes first."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

_NEW: Final = 0
_OPEN: Final = 1
_DONE: Final = 2


class Circle(Exception):
    """Things stand on each other in a ring; `path` begins and ends with the same name."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__(" → ".join(path))


def in_order(reads: Mapping[str, AbstractSet[str]]) -> tuple[str, ...]:
    """Return the names so that each stands behind everything it reads, else by name.

    Args:
        reads: Name to the names it reads; names that are no key are there already.

    Raises:
        Circle: There is no such order.
    """
    state = dict.fromkeys(reads, _NEW)
    order: list[str] = []
    for name in sorted(reads):
        _visit(name, reads, state, order)
    return tuple(order)


def _visit(
    first: str, reads: Mapping[str, AbstractSet[str]], state: dict[str, int], order: list[str]
) -> None:
    """Walk without recursion: a chain may be longer than Python's stack is deep."""
    path: list[str] = []
    waiting = [(first, False)]
    while waiting:
        name, left = waiting.pop()
        if left:
            state[name] = _DONE
            order.append(path.pop())
        elif state[name] == _OPEN:
            raise Circle((*path[path.index(name) :], name))
        elif state[name] == _NEW:
            state[name] = _OPEN
            path.append(name)
            waiting.append((name, True))
            below = sorted(one for one in reads[name] if one in state)
            waiting += [(one, False) for one in reversed(below)]
