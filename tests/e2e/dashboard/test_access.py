"""Who may look: signing in, links with a token, read tokens, and what a refusal looks like."""

import json
from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Route, expect

from e2e.dashboard.look import Look
from e2e.dashboard.stock import Stock

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

SIGN_IN: Final = "Give a token to see them"


def made(stock: Stock, name: str, **params: Any) -> str:
    """Make a token; return its secret."""
    answer = stock.server.http.post(
        f"{stock.server.url}/v0/tokens", params={"name": name, **params},
        headers={"Authorization": f"Bearer {stock.server.token}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    secret: str = answer.json()["token"]
    return secret


def ended(stock: Stock, name: str) -> None:
    answer = stock.server.http.delete(
        f"{stock.server.url}/v0/tokens/{name}",
        headers={"Authorization": f"Bearer {stock.server.token}"},
    )
    assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(chromium: Browser) -> AsyncGenerator[BrowserContext, None]:
    """A browser without a session."""
    context = await chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB")
    yield context
    await context.close()


async def test_nobody_sees_anything_before_signing_in(
    stranger: BrowserContext, stock: Stock
) -> None:
    look = await Look.on(stranger, stock.server.url)
    await look.page.goto(f"{look.base}#/views")
    await look.sees(SIGN_IN)
    await look.page.get_by_label("Token").fill("wrong")
    await look.page.get_by_role("button", name="Sign in").click()
    await expect(look.page.locator(".problem")).to_be_visible()
    await look.page.get_by_label("Token").fill(stock.server.token)
    await look.page.get_by_role("button", name="Sign in").click()
    await expect(look.page.get_by_role("heading", name="Views", level=1)).to_be_visible()
    stored = await look.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert stored == '[{},{},""]'
    await look.page.get_by_role("button", name="Sign out").click()
    await look.sees(SIGN_IN)
    await look.page.reload()
    await look.sees(SIGN_IN)


async def test_a_token_in_a_link_is_taken_out_of_the_address(
    stranger: BrowserContext, stock: Stock
) -> None:
    look = await Look.on(stranger, stock.server.url)
    await look.page.goto(f"{look.base}#token={stock.server.token}&/quality?from=-1h")
    await expect(look.page.get_by_role("heading", name="Quality", level=1)).to_be_visible()
    assert look.page.url == f"{look.base}#/quality?from=-1h"
    assert stock.server.token not in await look.page.content()


async def test_a_link_with_a_token_takes_over_the_page_that_is_open(
    stranger: BrowserContext, stock: Stock
) -> None:
    look = await Look.on(stranger, stock.server.url, made(stock, "first", kind="read"))
    second = made(stock, "second", kind="read")
    await look.page.evaluate("(token) => { location.hash = `token=${token}&/views` }", second)
    await expect(look.page.locator(".who")).to_contain_text("second")
    assert look.page.url == f"{look.base}#/views"
    assert second not in str(await look.page.evaluate("history.length && location.href"))
    for name in ("first", "second"):
        ended(stock, name)


@pytest.mark.parametrize("token", ["nobody-knows-it", "%3Cb%3E&/now", "%E0%A4%A"])
async def test_a_link_with_a_wrong_token_leads_to_the_sign_in(
    stranger: BrowserContext, stock: Stock, token: str
) -> None:
    look = await Look.on(stranger, stock.server.url)
    await look.page.goto(f"{look.base}#token={token}")
    await look.sees(SIGN_IN)
    assert look.page.url == f"{look.base}#/now"
    assert look.wrong == []


async def test_a_link_made_on_the_page_shows_all_and_changes_nothing(
    look: Look, stranger: BrowserContext, stock: Stock
) -> None:
    await look.open("setup")
    await look.page.get_by_label("Name").fill("wall-screen")
    await look.page.get_by_role("button", name="Make a token").click()
    link = await look.page.get_by_label("Link", exact=True).inner_text()
    other = await Look.on(stranger, stock.server.url)
    await other.page.goto(link)
    await expect(other.page.get_by_role("heading", name="Now", level=1)).to_be_visible()
    await other.open("audience", **stock.span)
    assert len(await other.tiles()) == 4
    await other.open("setup")
    assert await other.page.get_by_text("Make a token").count() == 0
    assert await other.page.get_by_role("heading", name="The server").count() == 0
    refused = await other.page.evaluate(
        """() => Promise.all([['v0/tokens?name=x&kind=admin', 'POST'], ['v0/tokens/wall-screen', 'DELETE'],
          ['v1/quarantine/retry', 'POST']].map(([path, method]) =>
            fetch(path, {method}).then((answer) => answer.text().then(() => answer.status))))"""
    )
    assert all(status in {401, 403} for status in refused), refused
    await other.open("now")
    ended(stock, "wall-screen")
    await other.sees(SIGN_IN)
    assert other.wrong == []


async def test_a_property_sees_its_own(stranger: BrowserContext, stock: Stock) -> None:
    token = made(stock, "elsewhere", kind="read", property="nowhere")
    look = await Look.on(stranger, stock.server.url, token)
    await look.open("audience", **stock.span)
    assert (await look.tiles())["Views"] == 0
    ended(stock, "elsewhere")


async def test_a_revoked_token_leads_to_the_sign_in(stranger: BrowserContext, stock: Stock) -> None:
    token = made(stock, "passing", kind="read")
    look = await Look.on(stranger, stock.server.url, token)
    await look.open("views", **stock.recent)
    ended(stock, "passing")
    await look.page.get_by_label("Order").select_option("score:asc")
    await look.sees(SIGN_IN)


def refusing(status: int, code: str, message: str) -> Any:
    body = json.dumps({"code": code, "message": message, "hint": "Wait a little.", "docs": ""})

    async def answer(route: Route) -> None:
        await route.fulfill(status=status, content_type="application/json", body=body)

    return answer


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (403, "forbidden", "This token may not ask that.", "Wait a little."),
        # What to do is known better here: nobody has to do anything.
        (503, "store_busy", "Too much is asked.", "it is asked again by itself"),
    ],
)
async def test_a_refusal_is_told_in_words(
    look: Look, stock: Stock, status: int, code: str, message: str, hint: str
) -> None:
    answer = refusing(status, code, message)
    await look.page.route("**/v1/compare*", answer)
    await look.page.route("**/v1/views?*", answer)
    await look.open("quality", metric="startup_time", **stock.span)
    told = look.panel("Over time").locator(".problem")
    await expect(told).to_contain_text(message)
    await expect(told).to_contain_text(hint)
    await look.open("views", **stock.span)
    told = look.panel("Views of this span").locator(".problem")
    await expect(told).to_contain_text(message)
    await look.page.unroute("**/v1/views?*")
    await told.get_by_role("button", name="Try again").click()
    await expect(look.panel("Views of this span").locator("tbody tr").first).to_be_visible()


async def test_an_answer_that_cannot_be_renewed_is_marked(look: Look, stock: Stock) -> None:
    await look.open(f"content/{stock.titles[0]}", **stock.span)
    await look.page.route("**/v1/retention/*", refusing(503, "store_busy", "Too much is asked."))
    await look.sees("Not up to date: Too much is asked.")
    await expect(look.panel("Retention").locator("path.curve")).to_be_visible()
    await look.page.unroute("**/v1/retention/*")
    await expect(look.page.get_by_text("Not up to date")).to_have_count(0)


@pytest.mark.parametrize(
    ("screen", "says"),
    [
        ("views/no-such-view", "view"),
        ("content/no-such-title", "no-such-title"),
        ("quality?metric=no_such_metric", "There is no metric no_such_metric"),
        ("no-such-screen", "Now"),
    ],
)
async def test_a_link_to_what_is_not_there_says_so(look: Look, screen: str, says: str) -> None:
    await look.page.goto(f"{look.base}#/{screen}")
    await look.settled()
    text = await look.page.locator("main").inner_text()
    assert says in text
    assert "undefined" not in text
    assert "NaN" not in text
