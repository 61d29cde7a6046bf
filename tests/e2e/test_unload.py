"""Tabs closed in mid-play: what they had to say arrives, once."""

import pytest

from e2e.gallery import ahead
from e2e.stage import World
from e2e.unload import Closed, closed_tabs

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("library")]


async def closed(world: World) -> Closed:
    """Two hundred are closed by `make bench ARGS="--only player"`."""
    return await closed_tabs(world, 10, 3)


@ahead(closed)
def test_closed_tabs_say_goodbye(outcome: Closed) -> None:
    assert outcome == Closed(10, 10, 0, 0)
