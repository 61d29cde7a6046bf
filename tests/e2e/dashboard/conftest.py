"""A browser and a full server for all tests of the dashboard, and pages that tell what went wrong."""

from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from e2e.browser import ARGS, CHROMIUM, needed
from e2e.dashboard.look import Look
from e2e.dashboard.stock import Stock
from e2e.dashboard.weight import BUILT
from support.server import Server


def missing() -> str:
    """What these tests need and this machine has not; empty = all there."""
    if not CHROMIUM.exists():
        return f"There is no Chromium at {CHROMIUM} (PLAYHEAD_CHROMIUM names another)."
    if not BUILT.exists():
        return "The dashboard is not built: make dashboard."
    return ""


@pytest.fixture(scope="package")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stock, None, None]:
    """A server like that of the demo; no test changes what it counted."""
    needed(missing())
    env = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "true"}
    with Server(tmp_path_factory.mktemp("stock"), env=env) as server:
        yield Stock(server)


@pytest.fixture(scope="package")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A server that stays empty."""
    needed(missing())
    with Server(tmp_path_factory.mktemp("blank")) as server:
        yield server


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def chromium() -> AsyncGenerator[Browser, None]:
    """One browser for the whole folder, gone before the next suite has its own."""
    needed(missing())
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncGenerator[BrowserContext, None]:
    """One person's browser: cookies of its own, UTC, English."""
    context = await chromium.new_context(
        viewport={"width": 1400, "height": 1000}, locale="en-GB", timezone_id="UTC"
    )
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def look(context: BrowserContext, stock: Stock) -> AsyncGenerator[Look, None]:
    """A page of the full server, signed in as admin; nothing may go wrong on it unseen."""
    look = await Look.on(context, stock.server.url, stock.server.token)
    yield look
    assert look.wrong == []
