"""What the page shows of space is what the server says."""

import pytest
from playwright.async_api import BrowserContext, expect

from e2e.dashboard.look import Look, number
from e2e.dashboard.stock import Stock
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
PHONE = {"width": 390, "height": 844}
MIB = 1 << 20


async def test_the_uses_are_those_of_the_server(look: Look, stock: Stock) -> None:
    await look.open("setup")
    told = stock.server.get("/v1/space")["data"]
    shown = {row["What"]: number(row["On disk"]) for row in await look.csv("What uses the disk")}
    tiles = await look.tiles()
    assert set(shown) == {one["name"] for one in told["items"]}
    # Another minute's look may have come between.
    assert tiles["Data folder"] == pytest.approx(told["data_bytes"], abs=20 * MIB)
    assert tiles["Full in"] is None
    log = next(one["bytes"] for one in told["items"] if one["id"] == "log")
    assert shown["Log of events"] == pytest.approx(log, abs=MIB)


async def test_who_sees_one_property_is_told_nothing_of_space(
    context: BrowserContext, stock: Stock
) -> None:
    read = stock.server.http.post(
        f"{stock.server.url}/v0/tokens",
        params={"name": "space-reader", "kind": "read"},
        headers={"Authorization": f"Bearer {stock.server.token}"},
    ).json()["token"]
    look = await Look.on(context, stock.server.url, read)
    await look.open("setup")
    await expect(look.page.get_by_role("heading", name="Space", exact=True)).to_have_count(0)
    assert [url for url in look.asked if "/v1/space" in url] == []


async def test_an_empty_server_on_a_phone(context: BrowserContext, blank: Server) -> None:
    look = await Look.on(context, blank.url, blank.token)
    await look.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await look.open("setup")
    await expect(look.panel("What uses the disk").get_by_text("Log of events")).to_be_visible()
    assert await look.overflow() == []
