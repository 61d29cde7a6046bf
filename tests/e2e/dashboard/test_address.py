"""The address holds the state of every screen: reloads, links, the back button, any path."""

import asyncio
from collections.abc import Generator
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from e2e.browser import needed
from e2e.dashboard.conftest import missing
from e2e.dashboard.look import Look
from e2e.dashboard.prefix import Prefix
from e2e.dashboard.stock import BROKEN, Stock, play
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

ONLY: Final = f"cdn:{BROKEN}"
CHIP: Final = f"Remove filter cdn is {BROKEN}"


async def test_a_click_filters_and_the_filter_goes_along(look: Look, stock: Stock) -> None:
    await look.open("quality", metric="startup_time", by="cdn", **stock.span)
    whole = await look.values(look.page.locator("section.headline"))
    await look.panel("By cdn").get_by_role("button", name=BROKEN, exact=True).click()
    await look.settled()
    filtered = await look.values(look.page.locator("section.headline"))
    told = stock.server.get(
        "/v1/compare", metric="startup_time", filters=ONLY, **stock.span
    )["data"][0]  # fmt: skip
    assert filtered == [told["value"], told["compared_value"]] != whole
    for screen in ("Audience", "Content", "CDN", "Views", "Now"):
        await look.go(screen)
        await expect(look.page.get_by_role("button", name=CHIP)).to_be_visible()
        assert f"f=cdn%3A{BROKEN}" in await look.hash()
    await look.page.get_by_role("button", name=CHIP).click()
    assert BROKEN not in await look.hash()


async def test_a_reload_shows_the_same(look: Look, stock: Stock) -> None:
    state = {"metric": "rebuffer_percentage", "by": "country", "sort": "most", "f": ONLY}
    await look.open("quality", **state, **stock.span)
    before = await look.csv("By country")
    address = await look.hash()
    await look.page.reload()
    await look.settled()
    assert await look.hash() == address
    assert await look.csv("By country") == before
    assert await look.page.get_by_label("Sort").input_value() == "most"


async def test_the_back_button_goes_back(look: Look, stock: Stock) -> None:
    await look.open("quality", **stock.span)
    await look.page.get_by_role("link", name="Startup time", exact=True).first.click()
    await expect(look.page.get_by_role("heading", name="Startup time", level=1)).to_be_visible()
    await look.page.get_by_label("Break down by").select_option("country")
    await expect(look.panel("By country")).to_be_visible()
    await look.page.go_back()
    await expect(look.panel("By cdn")).to_be_visible()
    await look.page.go_back()
    await expect(look.page.get_by_role("heading", name="Quality", level=1)).to_be_visible()
    await look.page.go_forward()
    await expect(look.page.get_by_role("heading", name="Startup time", level=1)).to_be_visible()


async def test_two_browsers_see_the_same(look: Look, chromium: Browser, stock: Stock) -> None:
    await look.open("audience", f=ONLY, **stock.span)
    other = await chromium.new_context(viewport={"width": 1400, "height": 1000})
    second = await Look.on(other, stock.server.url, stock.server.token)
    await second.page.goto(look.page.url)
    await second.settled()
    assert await second.tiles() == await look.tiles()
    assert await second.csv("Devices") == await look.csv("Devices")
    await other.close()


async def test_an_opened_view_is_a_link(look: Look, stock: Stock) -> None:
    await look.open("views", order="rebuffer_ms:desc", **stock.recent)
    await look.panel("Views of this span").locator("tbody a").first.click()
    await look.settled()
    title = await look.page.locator("main h1").inner_text()
    again = await look.page.context.new_page()
    await again.goto(look.page.url)
    await expect(again.locator("main h1")).to_have_text(title)
    await expect(again.get_by_role("region", name="Timeline")).to_be_visible()


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A server that knows that it is served below a path."""
    needed(missing())
    env = {"PLAYHEAD_SERVER__BASE_PATH": "/analytics"}
    with Server(tmp_path_factory.mktemp("below"), env=env) as server:
        yield server


async def works(look: Look, server: Server) -> None:
    """Its parts, the API and the stream answer below the path."""
    failed: list[str] = []
    look.page.on("response", lambda got: failed.append(got.url) if got.status >= 400 else None)
    await look.open("now")
    tile = look.tile("Starts, 30 min")
    before = int(float(await tile.get_attribute("data-value") or 0))
    await asyncio.to_thread(server.send, play(f"below-{before}"))
    await expect(tile).to_have_attribute("data-value", str(before + 1))
    await look.page.reload()
    await look.settled()
    for screen in ("Audience", "Views", "Set up"):
        await look.go(screen)
        await look.settled()
    await expect(look.page.locator("pre").first).to_contain_text(f"{look.base}sdk/playhead.js")
    assert failed == []
    assert look.wrong == []


@pytest.mark.parametrize("slash", ["/", ""])
async def test_below_a_path_that_the_server_knows(
    context: BrowserContext, below: Server, slash: str
) -> None:
    async with Prefix("/analytics", below.port) as proxy:
        page = await context.new_page()
        await page.goto(f"{proxy.url}{slash}#token={below.token}&/now")
        await expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
        assert page.url == f"{proxy.url}/#/now"
        await page.close()
        await works(await Look.on(context, proxy.url), below)


async def test_below_a_path_that_the_server_does_not_know(
    context: BrowserContext, blank: Server
) -> None:
    async with Prefix("/deep/down", blank.port) as proxy:
        look = await Look.on(context, proxy.url, blank.token)
        for screen in ("now", "audience", "setup"):
            await look.open(screen)
        assert look.wrong == []
