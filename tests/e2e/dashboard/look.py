"""A page of the dashboard as a person uses it: open a screen, read numbers, save a table."""

import asyncio
import csv
import io
import re
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

from playwright.async_api import BrowserContext, Locator, Page, Request, expect

WITHIN_MS: Final = 45_000
TURN_S: Final = 0.05
QUIET_TURNS: Final = 3
"""So many looks in a row find no answer outstanding."""
_SETTLED: Final = """() => {
  const main = document.querySelector('main');
  if (!main || main.querySelector('[aria-busy="true"]')) return false;
  const text = main.innerText;
  return text.length > 3 && !/Loading( the catalogue| the map)? …|Connecting …/.test(text)
    && [...main.querySelectorAll('button.value')].every((one) => !one.innerText.startsWith('…'));
}"""
_LATER: Final = """() => {
  const later = document.querySelector('main [data-later]');
  later?.scrollIntoView();
  return Boolean(later);
}"""
_OVERFLOW: Final = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide + 1) return [];
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > wide + 1 && !one.closest('.wide table'))
    .slice(0, 5).map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`);
}"""


class Look:
    """One open page; `wrong` collects errors of scripts and of the console."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.wrong: list[str] = []
        self.asked: list[str] = []
        """What the page asked the API for, streams aside."""
        self._waits: set[Request] = set()
        page.on("request", self._asks)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))

    def _heard(self, kind: str, text: str) -> None:
        # What the server refuses on purpose is seen on the page; the console says it again.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.wrong.append(text)

    def _asks(self, request: Request) -> None:
        if re.search(r"/v[01]/", request.url) and "/stream" not in request.url:
            self.asked.append(request.url)
            self._waits.add(request)

    def _answered(self, request: Request) -> None:
        self._waits.discard(request)

    @classmethod
    async def on(cls, context: BrowserContext, base: str, token: str = "") -> Self:
        """A new page of a server; with a token it is signed in by a link."""
        look = cls(await context.new_page(), base.rstrip("/") + "/")
        if token:
            await look.page.goto(f"{look.base}#token={token}&/setup")
            await look.page.wait_for_selector("header.top")
        return look

    async def open(self, screen: str, **state: Any) -> None:
        """Go to a screen by its address and wait until all of it is there."""
        await self.open_top(screen, **state)
        await self.settled()

    async def open_top(self, screen: str, **state: Any) -> None:
        """Go to a screen by its address and wait until what is seen of it is there."""
        query = urlencode(state, doseq=True)
        hash_ = f"#/{screen}" + (f"?{query}" if query else "")
        if self.page.url == self.base + hash_:
            await self.page.reload()
        await self.page.goto(self.base + hash_)
        await self._quiet()

    async def go(self, screen: str) -> None:
        """Go to a screen by the navigation."""
        screens = self.page.get_by_role("navigation", name="Screens")
        await screens.get_by_role("link", name=screen, exact=True).click()

    async def settled(self) -> None:
        """Wait until nothing on the screen is still being loaded, what is far below as well."""
        await self._quiet()
        scrolled = False
        while await self.page.evaluate(_LATER):
            scrolled = True
            await self._quiet()
        if scrolled:
            await self.page.evaluate("scrollTo(0, 0)")

    async def _quiet(self) -> None:
        quiet = 0
        async with asyncio.timeout(WITHIN_MS / 1000):
            while quiet < QUIET_TURNS:
                await self.page.wait_for_function(_SETTLED, timeout=WITHIN_MS)
                await asyncio.sleep(TURN_S)
                quiet = 0 if self._waits else quiet + 1

    async def hash(self) -> str:
        """Return the part of the address after `#`."""
        text: str = await self.page.evaluate("location.hash")
        return text

    def tile(self, name: str) -> Locator:
        """Return the number of a tile."""
        tile = self.page.locator(
            ".tile", has=self.page.get_by_role("heading", name=name, exact=True)
        )
        return tile.locator("[data-value], button.value").first

    async def tiles(self) -> dict[str, float | None]:
        """Return the number behind each tile, by its name."""
        found: list[list[str | None]] = await self.page.locator(".tile").evaluate_all(
            "all => all.map((one) => [one.querySelector('h3').innerText,"
            " one.querySelector('.value').getAttribute('data-value')])"
        )
        return {str(name): None if raw is None else float(raw) for name, raw in found}

    def panel(self, title: str) -> Locator:
        """Return the panel with a heading."""
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator("section", has=heading).last

    async def values(self, inside: Locator) -> list[float]:
        """Return the numbers behind what is shown in a part of the page."""
        found = await inside.locator("[data-value]").evaluate_all(
            "all => all.map((one) => Number(one.getAttribute('data-value')))"
        )
        return [float(one) for one in found]

    async def csv(self, title: str) -> list[dict[str, str]]:
        """Save the table behind a panel; return its rows."""
        async with self.page.expect_download() as saved:
            await self.panel(title).get_by_role("button", name="CSV").click()
        path = await (await saved.value).path()
        text = Path(path).read_text("utf-8")
        return list(csv.DictReader(io.StringIO(text)))

    async def cells(self, title: str) -> list[list[str]]:
        """Return what stands in the table of a panel."""
        found: list[list[str]] = (
            await self.panel(title)
            .locator("tbody tr")
            .evaluate_all(
                "all => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
            )
        )
        return found

    async def overflow(self) -> list[str]:
        """Return what sticks out of the page to the right."""
        found: list[str] = await self.page.evaluate(_OVERFLOW)
        return found

    async def sees(self, text: str) -> None:
        """Wait until a text can be seen."""
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=WITHIN_MS)


def number(cell: str) -> float | None:
    """Return the number of a CSV cell, None of an empty one."""
    return float(cell) if cell else None
