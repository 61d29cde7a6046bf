"""Plays what the selected tests ask for, several plays at a time, and keeps what came of each.

A test with `@ahead(play, …)` takes the fixture `outcome`: what `play(world, **parameters)` returned.
Tests of the same play with the same parameters share it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from itertools import product
from typing import Any, Final, NamedTuple, TypeVar

import pytest

from e2e.stage import World

AT_ONCE: Final = int(os.environ.get("PLAYHEAD_PLAYS", "5"))
"""Plays that run together: many more, and two processors cannot show every frame."""
TRIES: Final = 2
"""For each play among others, and again for each alone, when the others are through."""
FULL: Final = os.environ.get("PLAYHEAD_FULL") == "1"
"""Every scene with every player."""

Play = Callable[..., Coroutine[Any, Any, Any]]
_T = TypeVar("_T")


class StarvedError(Exception):
    """The machine was too busy each time: nothing was proved."""


class Ask(NamedTuple):
    """A play and its parameters."""

    play: Play
    parameters: tuple[tuple[str, Any], ...] = ()


def ahead(play: Play, **axes: Iterable[Any]) -> pytest.MarkDecorator:
    """Mark a test with the play it is about, once for each combination of parameters."""
    pairs = (zip(axes, values, strict=True) for values in product(*axes.values()))
    return ahead_each(play, map(dict, pairs))


def ahead_each(play: Play, asked: Iterable[Mapping[str, Any]]) -> pytest.MarkDecorator:
    """The same for chosen combinations."""
    params = [
        pytest.param(Ask(play, tuple(one.items())), id="-".join(map(str, one.values())) or None)
        for one in asked
    ]
    return pytest.mark.parametrize("outcome", params, indirect=True)


class Gallery:
    """Outcomes of plays; all that are wanted begin in the order of their tests, single ones first.

    Those take long: a server that is away, a trace.
    """

    def __init__(self, world: World, items: Iterable[pytest.Item]) -> None:
        self._world = world
        self._room = asyncio.Semaphore(AT_ONCE)
        self._quiet, self._alone = asyncio.Event(), asyncio.Lock()
        specs = [getattr(item, "callspec", None) for item in items]
        asked = dict.fromkeys(
            spec.params["outcome"] for spec in specs if spec and "outcome" in spec.params
        )
        self._waiting = len(asked)
        first = sorted(asked, key=lambda ask: bool(ask.parameters))
        self._plays = {ask: asyncio.create_task(self._played(ask)) for ask in first}

    async def outcome(self, ask: Ask) -> Any:
        """What came of a play."""
        return await self._plays[ask]

    async def close(self) -> None:
        """End what still plays."""
        for play in self._plays.values():
            play.cancel()
        await asyncio.gather(*self._plays.values(), return_exceptions=True)

    async def _played(self, ask: Ask) -> Any:
        async with self._room:
            try:
                return await ask.play(self._world, **dict(ask.parameters))
            except StarvedError:
                pass
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._quiet.set()
        await self._quiet.wait()
        async with self._alone:
            return await ask.play(self._world, **dict(ask.parameters))


async def steady(once: Callable[[], Awaitable[_T]], fair: Callable[[_T], bool]) -> _T:
    """Do it again while the machine was too busy for it to prove anything."""
    for _ in range(TRIES):
        found = await once()
        if fair(found):
            return found
    raise StarvedError
