"""The library costs next to nothing. The figures are the bench's (`--only player`)."""

import pytest

from e2e.cost import LONG_MS, Cost, cost_of
from e2e.gallery import ahead
from e2e.stage import World
from e2e.world import chromium

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("library")]


async def cost(world: World) -> Cost:
    """A play in a browser of its own: a trace is of all that a browser does."""
    async with chromium() as browser:
        return await cost_of(World(browser, world.proxy, world.server), "hls", 8)


@ahead(cost)
def test_our_calls_are_few_and_short(outcome: Cost) -> None:
    assert 0 < outcome.calls < 60 * outcome.seconds
    assert outcome.longest_ms < LONG_MS
    assert outcome.per_second_ms < 2
