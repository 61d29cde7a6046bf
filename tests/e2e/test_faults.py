"""Whatever throws under the library's hands: the page hears nothing of it, and plays on."""

import pytest

from e2e.gallery import ahead
from e2e.stage import PLAYERS, Stage, World

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("library")]


async def sabotaged(world: World, kind: str, from_ms: int) -> tuple[int, list[str]]:
    """How many calls of the library failed, and the errors that the page heard of."""
    async with Stage(world, kind) as stage:
        await stage.page.evaluate("() => import('/page/sabotage.js').then(() => true)")
        await stage.page.evaluate("(from) => sabotage(from)", from_ms)
        await stage.make({"heartbeatMs": 500, "flushMs": 500}, late=True)
        await stage.page.evaluate("() => sabotaged.player(stage.player.native)")
        await stage.do("attach()")
        await stage.load()
        await stage.do("play()")
        await stage.playing(1.5)
        await stage.do("pause()")
        await stage.do("play()")
        await stage.do("seek(5)")
        await stage.playing(7)
        calls: int = await stage.page.evaluate("() => sabotaged.calls()")
        told = await stage.told(leave=True)
    return calls, told.truth.page_errors


@ahead(sabotaged, kind=PLAYERS, from_ms=[0, 2_500])
def test_no_error_of_ours_reaches_the_page(outcome: tuple[int, list[str]]) -> None:
    calls, errors = outcome
    assert calls > 0
    assert errors == []
