"""The project that ships, built into a data folder that has none yet."""

import asyncio
from typing import Final

import msgspec

from playhead.build.building import build
from playhead.build.manifest import has_folder
from playhead.build.target import target_of
from playhead.build.tokens import ensure_tokens
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import DataDirBusy, PlayheadError, StoreUnavailable
from playhead.observe import logger
from playhead.project.folder import read_project
from playhead.project.shipped import DEFAULT, shipped
from playhead.store.async_client import AsyncStoreClient

LOOK_EVERY_S: Final = 0.2
_LOG = logger("project")


async def ensure_project(config: Config, store: AsyncStoreClient, clock: Clock) -> None:
    """Build the project that ships if the data folder has none; waits for the store.

    What goes wrong is logged, and tried again at the next start: everything else works without it.
    Where `tb --local` is to build, its first project is the server's own, and none stands there yet.
    """
    wanted = config.pipes.default_project and not config.server.tb_local
    if not wanted or has_folder(config.data_dir):
        return
    while not await store.ping():  # noqa: ASYNC110 (another process: nothing here can wake us)
        await asyncio.sleep(LOOK_EVERY_S)
    try:
        await _build(config, store, clock)
    except (DataDirBusy, StoreUnavailable) as error:
        _LOG.info("default_project_left", reason=error.message)
    except PlayheadError as error:
        _LOG.error("default_project_failed", reason=error.message)


async def _build(config: Config, store: AsyncStoreClient, clock: Clock) -> None:
    project = await asyncio.to_thread(read_project, shipped(DEFAULT))
    target = await target_of(store, config.pipes)
    target = msgspec.structs.replace(target, data_dir=config.data_dir)
    result = await build(project, target, clock, first_only=True)
    for problem in result.problems:
        _LOG.error("default_project_failed", reason=str(problem))
    if not result.problems:
        await asyncio.to_thread(ensure_tokens, result.project, config.data_dir, clock)
        _LOG.info("default_project_built", changes=len(result.changes))
