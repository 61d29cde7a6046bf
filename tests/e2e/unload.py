"""Tabs closed in mid-play, many at a time."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import Final

from playwright.async_api import BrowserContext
from playwright.async_api import Error as BrowserError

from e2e.stage import Stage, World, over, view_row

WITHIN_S: Final = 3.0
TAB_S: Final = 120.0
"""A browser that does not answer any more is waited for no longer."""
TRIES: Final = 3
"""A tab that a busy machine keeps from playing is opened again; what it told is not asked for."""


@dataclass
class Closed:
    """What became of the tabs."""

    tabs: int
    told: int
    """Whose last batch reached the store."""
    missing: int
    """Events that were never heard of."""
    doubled: int
    """Events counted more than once."""
    unplayed: int = 0
    """Tabs that did not come to play, however often they were opened; among no other number."""


async def closed_tabs(world: World, tabs: int, at_once: int) -> Closed:
    """Close so many tabs in mid-play, visit the site once more, and ask the server."""
    rng, room = random.Random(5), asyncio.Semaphore(at_once)
    context = await world.browser.new_context()

    async def one() -> str | None:
        for _ in range(TRIES):
            try:
                async with room, asyncio.timeout(TAB_S):
                    return await _closed(world, context, rng.uniform(0.5, WITHIN_S))
            except (BrowserError, TimeoutError):
                continue
        return None

    views = [view for view in await asyncio.gather(*(one() for _ in range(tabs))) if view]
    await _visit(world, context)
    with contextlib.suppress(BrowserError, TimeoutError):  # the browser goes with its block anyway
        async with asyncio.timeout(TAB_S):
            await context.close()
    assert world.server is not None
    await asyncio.to_thread(world.server.wait_until_stored)
    found = Closed(len(views), 0, 0, 0, tabs - len(views))
    for view in views:
        row = await view_row(world.server, view, over)
        seqs = [event["seq"] for event in row.get("events", [])]
        found.told += bool(row) and row["clean_end"] and row["events_missing"] == 0
        found.missing += row.get("events_missing", 1)
        found.doubled += len(seqs) - len(set(seqs))
    return found


async def _visit(world: World, context: BrowserContext) -> None:
    """The next visit, which sends what the closed tabs have kept."""
    async with asyncio.timeout(TAB_S), Stage(world, "html5", context) as stage:
        await stage.make({"flushMs": 1_000})
        await stage.load()
        await stage.do("play()")
        await stage.playing(3)


async def _closed(world: World, context: BrowserContext, after_s: float) -> str:
    """Play in a tab of its own and close it in mid-play; return the view's id."""
    async with Stage(world, "html5", context) as stage:
        await stage.make({"flushMs": 60_000})
        await stage.load()
        await stage.do("play()")
        await stage.playing(0.3)
        await asyncio.sleep(after_s)
        view: str = await stage.page.evaluate("() => stage.monitor.viewId")
        return view
