"""A server that is away in mid-play."""

import asyncio
from pathlib import Path
from typing import Final

from e2e.agreement import Differences
from e2e.stage import Stage, World, view_row, whole
from support.server import Server

QUICK: Final = {"flushMs": 1_000, "backoffMs": 200, "backoffMaxMs": 1_000, "heartbeatMs": 2_000}
"""Settings of a library that tells soon."""


async def outage(world: World, folder: Path, *, away_s: float) -> list[str]:
    """Stop the server in mid-play for so long; return what is wrong with the view afterwards."""
    server = Server(folder)
    try:
        await asyncio.to_thread(server.start)
        async with Stage(world, "hls") as stage:
            await stage.make({**QUICK, "endpoint": server.url}, loop=True)
            await stage.load()
            await stage.do("play()")
            await stage.playing(2)
            await asyncio.to_thread(server.stop)
            for _ in range(4):
                await stage.do("pause()")
                await asyncio.sleep(away_s / 8)
                await stage.do("play()")
                await asyncio.sleep(away_s / 8)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(3)
            told = await stage.told(leave=True)
            row = await view_row(server, told.views[0], whole(told))
    finally:
        server.http.close()
        await asyncio.to_thread(server.stop)
    found = Differences()
    found.same("events", row["event_count"], len(told.sent))
    found.same("missing", row["events_missing"], 0)
    found.same("pauses", row["pause_count"], 4)
    found.same("ended", row["clean_end"], True)
    return found.wrong
