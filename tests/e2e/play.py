"""A scene, played by a player."""

from e2e.agreement import differences
from e2e.gallery import steady
from e2e.scenes import SCENES
from e2e.stage import Outcome, Stage, World, over, view_row, whole


async def played(world: World, scene: str, kind: str) -> Outcome:
    """One play; again, a few times, if the machine was too busy and the row differs from the truth."""

    def is_fair(outcome: Outcome) -> bool:
        return not (outcome.told.truth.is_blurred() and differences(outcome).wrong)

    async def once() -> Outcome:
        return await _once(world, scene, kind)

    return await steady(once, is_fair)


async def _once(world: World, name: str, kind: str) -> Outcome:
    scene = SCENES[name]
    async with Stage(world, kind) as stage:
        await stage.make(scene.config, **scene.options)
        await scene.act(stage)
        told = await stage.told(leave=not scene.closes)
        if scene.closes:
            await stage.page.close()
        assert world.server is not None
        assert told.views, "the library told of no view"
        row = await view_row(world.server, told.views[0], over if scene.closes else whole(told))
        return Outcome(name, kind, told, list(stage.lane.log), row)
