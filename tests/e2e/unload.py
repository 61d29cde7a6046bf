"""Tabs closed in mid-play, many at a time."""

import asyncio
import random
from dataclasses import dataclass

from e2e.stage import Stage, World, over, view_row

WITHIN_S = 3.0


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


async def closed_tabs(world: World, tabs: int, at_once: int) -> Closed:
    """Close so many tabs in mid-play, visit the site once more, and ask the server."""
    rng, room = random.Random(5), asyncio.Semaphore(at_once)
    context = await world.browser.new_context()

    async def one() -> str:
        async with room, Stage(world, "html5", context) as stage:
            await stage.make({"flushMs": 60_000})
            await stage.load()
            await stage.do("play()")
            await stage.playing(0.3, 60)
            await asyncio.sleep(rng.uniform(0.5, WITHIN_S))
            view: str = await stage.page.evaluate("() => stage.monitor.viewId")
            return view

    views = await asyncio.gather(*(one() for _ in range(tabs)))
    async with Stage(world, "html5", context) as stage:  # the next visit
        await stage.make({"flushMs": 1_000})
        await stage.load()
        await stage.do("play()")
        await stage.playing(3, 60)
    await context.close()
    assert world.server is not None
    await asyncio.to_thread(world.server.wait_until_stored)
    found = Closed(tabs, 0, 0, 0)
    for view in views:
        row = await view_row(world.server, view, over)
        seqs = [event["seq"] for event in row.get("events", [])]
        found.told += bool(row) and row["clean_end"] and row["events_missing"] == 0
        found.missing += row.get("events_missing", 1)
        found.doubled += len(seqs) - len(set(seqs))
    return found
