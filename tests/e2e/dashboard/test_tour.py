"""Every screen, light and dark, on a desk and on a phone, full and empty: axe, Tab and pictures."""

from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from e2e.browser import needed
from e2e.dashboard.look import Look
from e2e.dashboard.stock import Stock
from e2e.dashboard.tour import (
    AXE,
    DESK,
    FULL_NAMES,
    NAMES,
    PHONE,
    findings,
    shot,
    stops,
    unreached,
)
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module", autouse=True)
def axe() -> None:
    needed("" if AXE.exists() else "axe-core is not installed: npm ci in dashboard/.")


async def opened(chromium: Browser, server: Server, scheme: str) -> Look:
    # Axe is a script of the test: the page's own policy would refuse it.
    context = await chromium.new_context(
        viewport={"width": DESK["width"], "height": DESK["height"]}, bypass_csp=True,
        color_scheme="dark" if scheme == "dark" else "light", locale="en-GB",
        timezone_id="Europe/Berlin",
    )  # fmt: skip
    return await Look.on(context, server.url, server.token)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def light(chromium: Browser, stock: Stock) -> AsyncGenerator[Look, None]:
    look = await opened(chromium, stock.server, "light")
    yield look
    await look.page.context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dark(chromium: Browser, stock: Stock) -> AsyncGenerator[Look, None]:
    look = await opened(chromium, stock.server, "dark")
    yield look
    await look.page.context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty(chromium: Browser, blank: Server) -> AsyncGenerator[Look, None]:
    look = await opened(chromium, blank, "light")
    yield look
    await look.page.context.close()


@pytest.fixture(scope="module")
def go(stock: Stock) -> Callable[..., object]:
    found = {stop.name: stop for stop in stops(stock)}

    async def going(look: Look, name: str) -> None:
        await look.open(found[name].screen, **found[name].state)

    return going


@pytest.mark.parametrize("name", FULL_NAMES)
async def test_light(light: Look, go: Callable[..., object], name: str) -> None:
    await light.page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    await go(light, name)  # type: ignore[misc]
    await shot(light, f"{name}-light")
    assert await light.overflow() == []
    assert await findings(light) == []
    assert await unreached(light) == []
    await light.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await light.settled()
    await shot(light, f"{name}-phone")
    assert await light.overflow() == []
    assert await findings(light) == []
    assert light.wrong == []


@pytest.mark.parametrize("name", FULL_NAMES)
async def test_dark(dark: Look, go: Callable[..., object], name: str) -> None:
    await go(dark, name)  # type: ignore[misc]
    await shot(dark, f"{name}-dark")
    assert await findings(dark) == []


@pytest.mark.parametrize("name", NAMES)
async def test_empty(empty: Look, name: str) -> None:
    stop = next(one for one in stops(None) if one.name == name)
    await empty.open(stop.screen, **stop.state)
    await shot(empty, f"{name}-empty")
    text = await empty.page.locator("main").inner_text()
    assert "NaN" not in text
    assert "undefined" not in text
    assert await findings(empty) == []
    assert empty.wrong == []


async def test_signing_in(chromium: Browser, blank: Server) -> None:
    for scheme in ("light", "dark"):
        context = await chromium.new_context(
            viewport={"width": PHONE["width"], "height": PHONE["height"]}, bypass_csp=True,
            color_scheme="dark" if scheme == "dark" else "light",
        )  # fmt: skip
        look = await Look.on(context, blank.url)
        await look.page.goto(look.base)
        await look.sees("Give a token")
        await shot(look, f"signin-{scheme}")
        assert await findings(look) == []
        assert await unreached(look) == []
        await context.close()


async def test_the_skip_link_leads_to_the_screen(light: Look) -> None:
    await light.page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    await light.open("quality")
    await light.page.reload()
    await light.settled()
    await light.page.keyboard.press("Tab")
    skip = light.page.get_by_text("Skip to the screen")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await light.page.keyboard.press("Enter")
    assert await light.page.evaluate("document.activeElement.tagName") == "MAIN"
    await light.page.keyboard.press("Tab")
    assert await light.page.evaluate("document.activeElement.closest('main') !== null")
