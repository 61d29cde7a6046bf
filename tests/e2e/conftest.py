"""One browser, one proxy and one server for all tests of the player library."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from e2e.browser import missing, needed, unbuilt
from e2e.gallery import Gallery, StarvedError
from e2e.stage import World
from e2e.world import around, chromium
from support.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    needed(missing())
    with Server(tmp_path_factory.mktemp("playhead")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    needed(missing())
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(browser: Browser, server: Server) -> AsyncGenerator[World, None]:
    async with around(browser, server) as world:
        yield world


@pytest.fixture(scope="session")
def library() -> None:
    """Tests that name this need our bundles."""
    needed(unbuilt())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gallery(
    request: pytest.FixtureRequest, world: World, library: None
) -> AsyncGenerator[Gallery, None]:
    """All plays that the selected tests ask for."""
    gallery = Gallery(world, request.session.items)
    yield gallery
    await gallery.close()


@pytest_asyncio.fixture(loop_scope="session")
async def outcome(request: pytest.FixtureRequest, gallery: Gallery) -> Any:
    """What came of the play that the test is about."""
    try:
        return await gallery.outcome(request.param)
    except StarvedError:
        pytest.skip("The machine was too busy each time, so that this proves nothing.")
