"""The player library in a real browser: what it costs the page, and what it loses."""

import asyncio
from pathlib import Path

from bench.lines import Line
from e2e.browser import missing, unbuilt
from e2e.cost import Cost, cost_of
from e2e.outage import outage
from e2e.stage import PLAYERS
from e2e.unload import Closed, closed_tabs
from e2e.world import around, chromium
from support.server import Server


def player(folder: Path, *, quick: bool) -> list[Line]:
    """Main-thread time of every player, 200 closed tabs, a server that is away for two minutes."""
    if reason := missing() or unbuilt():
        return [Line("player library in a browser", reason, "")]
    with Server(folder / "data") as server:
        return asyncio.run(_measured(server, folder, quick=quick))


async def _measured(server: Server, folder: Path, *, quick: bool) -> list[Line]:
    seconds, tabs, away_s = (5, 10, 8) if quick else (60, 200, 120)
    async with chromium() as browser, around(browser, server) as world:
        costs = [(kind, await cost_of(world, kind, seconds)) for kind in PLAYERS]
        closed = await closed_tabs(world, tabs, 10)
        wrong = await outage(world, folder / "away", away_s=away_s)
    return [
        *(_cost(kind, cost) for kind, cost in costs),
        _closed(closed),
        Line(
            f"server away for {away_s} s in mid-play",
            "nothing lost, nothing double" if not wrong else "; ".join(wrong),
            "0 lost, 0 double",
        ),
    ]


def _cost(kind: str, cost: Cost) -> Line:
    return Line(
        f"main-thread time of the library, {kind}, {cost.seconds:.0f} s of playback",
        f"{cost.per_second_ms:.2f} ms a second ({cost.calls} calls, the longest "
        f"{cost.longest_ms:.1f} ms; {cost.sampled_ms / cost.seconds:.2f} ms a second by sampling)",
        "≤ 0.5 ms a second, no task of 50 ms",
    )


def _closed(closed: Closed) -> Line:
    return Line(
        f"{closed.tabs} tabs closed in mid-play, 10 at a time: last batch in the store",
        f"{closed.told / closed.tabs:.1%}, {closed.missing} events missing, "
        f"{closed.doubled} counted twice",
        "≥ 99 %, none twice",
    )
