"""Everything that stages share, for as long as a block runs."""

import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import Browser, async_playwright

from e2e.browser import ARGS, BUNDLE, CHROMIUM, MODULES, ROOT, media
from e2e.proxy import Proxy
from e2e.stage import World
from support.server import Server


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield running
        await running.close()


@contextlib.asynccontextmanager
async def around(browser: Browser, server: Server) -> AsyncIterator[World]:
    """A proxy before a server, and the browser that goes through it."""
    folders = {"page": ROOT / "tests" / "e2e" / "page", "lib": MODULES, "sdk": BUNDLE}
    proxy = Proxy(folders, media(), relay=server.url)
    await proxy.start()
    try:
        yield World(browser, proxy, server)
    finally:
        await proxy.stop()
