"""The player library in a real browser: what it costs the page, and what it loses."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from playwright.async_api import Error as BrowserError

from bench.lines import Line
from e2e.browser import missing, unbuilt
from e2e.cost import cost_of
from e2e.outage import outage
from e2e.stage import PLAYERS, World
from e2e.unload import closed_tabs
from e2e.world import around, chromium
from support.server import Server

WITHIN_S: Final = 600.0
"""Of one figure; a browser that hangs must not keep the others."""
AT_ONCE: Final = 10
"""Tabs that play at a time."""


def player(folder: Path, *, quick: bool) -> list[Line]:
    """Main-thread time of every player, 200 closed tabs, a server that is away for two minutes."""
    if reason := missing() or unbuilt():
        return [Line("player library in a browser", reason, "")]
    with Server(folder / "data") as server:
        return asyncio.run(_measured(server, folder, quick=quick))


async def _measured(server: Server, folder: Path, *, quick: bool) -> list[Line]:
    seconds, tabs, away_s = (5, 10, 8) if quick else (60, 200, 120)
    lines = [
        await _tried(f"main-thread time, {kind}", server, partial(_cost, kind, seconds))
        for kind in PLAYERS
    ]
    # One waits for most of its time; they share the machine, not the browser.
    lines += await asyncio.gather(
        _tried(f"{tabs} tabs closed", server, partial(_closed, tabs)),
        _tried(f"server away for {away_s} s", server, partial(_away, folder / "away", away_s)),
    )
    return lines


async def _tried(what: str, server: Server, measure: Callable[[World], Awaitable[Line]]) -> Line:
    """Measure in a browser of its own: one that fails says so, and takes no other figure with it."""
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            chromium() as browser,
            around(browser, server) as world,
        ):
            line = await measure(world)
            print(
                f"  {line.what}: {line.measured}", file=sys.stderr, flush=True
            )  # it takes minutes
            return line
    except (BrowserError, AssertionError, OSError) as error:  # a timeout is an `OSError`
        return Line(what, f"not measured: {type(error).__name__}: {str(error)[:200]}", "")


async def _cost(kind: str, seconds: float, world: World) -> Line:
    cost = await cost_of(world, kind, seconds)
    clock = "of the thread" if cost.by_thread else "by the wall: the browser gave no thread time"
    return Line(
        f"main-thread time of the library, {kind}, {cost.seconds:.0f} s of playback",
        f"{cost.per_second_ms:.2f} ms a second {clock} ({cost.wall_per_second_ms:.2f} by the wall; "
        f"{cost.calls} calls, the longest {cost.longest_ms:.1f} ms; "
        f"{cost.sampled_ms / cost.seconds:.2f} ms a second by sampling)",
        "≤ 0.5 ms a second, no task of 50 ms",
    )


async def _closed(tabs: int, world: World) -> Line:
    closed = await closed_tabs(world, tabs, AT_ONCE)
    unplayed = f", {closed.unplayed} never came to play" if closed.unplayed else ""
    return Line(
        f"{closed.tabs} tabs closed in mid-play, {AT_ONCE} at a time: last batch in the store",
        f"{closed.told / max(1, closed.tabs):.1%}, {closed.missing} events missing, "
        f"{closed.doubled} counted twice{unplayed}",
        "≥ 99 %, none twice",
    )


async def _away(folder: Path, away_s: float, world: World) -> Line:
    wrong = await outage(world, folder, away_s=away_s)
    return Line(
        f"server away for {away_s:.0f} s in mid-play",
        "nothing lost, nothing double" if not wrong else "; ".join(wrong),
        "0 lost, 0 double",
    )
