"""The truth is told rightly: on pages without our library, faults made on purpose are seen."""

import asyncio

import pytest

from e2e.gallery import ahead, steady
from e2e.stage import PLAYERS, Stage, World
from e2e.truth import Stretch, Truth

pytestmark = pytest.mark.xdist_group("browser")


async def held(world: World, kind: str) -> Truth:
    """A play in which the proxy holds a segment back for a while."""

    async def once() -> Truth:
        async with Stage(world, kind) as stage:
            at = 500_000 if kind == "html5" else 0
            rule = stage.lane.hold(r"_00[4-9]\.m4s$|film\.mp4$", at=at)
            await stage.make()
            await stage.load()
            await stage.do("play()")
            await stage.until("video.currentTime > 1 && stage.stillMs() > 400")
            await asyncio.sleep(1.5)
            rule.release()
            await stage.playing(await stage.position() + 1.0)
            return (await stage.told()).truth

    return await steady(once, lambda truth: not truth.is_blurred() or len(held_up(truth)) == 1)


def held_up(truth: Truth) -> list[Stretch]:
    """The stalls as long as the proxy made them."""
    return [span for span in truth.stalls() if span.ms > 1_000]


@ahead(held, kind=PLAYERS)
def test_a_stall_made_by_the_proxy_is_seen(outcome: Truth) -> None:
    stalls = held_up(outcome)
    assert len(stalls) == 1
    assert stalls[0].ms > 1_300
    assert outcome.startup_ms is not None
