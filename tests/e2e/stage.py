"""A page with one player, driven by a test; afterwards: what happened, and what the server says."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

import httpx2
from playwright.async_api import Browser, BrowserContext

from e2e.lane import Exchange, Lane
from e2e.proxy import Proxy
from e2e.truth import Truth
from support.server import Server

SOURCES: Final = {
    "html5": "film.mp4", "hls": "film.m3u8", "dash": "film.mpd", "shaka": "film.mpd",
    "videojs": "film.m3u8",
}  # fmt: skip
PLAYERS: Final = tuple(SOURCES)
STORED_WITHIN_S: Final = 30.0
PATIENCE_S: Final = 60.0
"""For a machine that is busy; what works takes a second."""


@dataclass
class World:
    """What all stages of a run share."""

    browser: Browser
    proxy: Proxy
    server: Server | None = None


@dataclass
class Told:
    """What a page held at its end."""

    truth: Truth
    views: list[str]
    sent: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    errors: list[Any]
    raw: dict[str, Any] = field(repr=False, default_factory=dict)


@dataclass
class Outcome:
    """What happened, and what the server says of it."""

    scene: str
    kind: str
    told: Told
    log: list[Exchange]
    row: dict[str, Any]


class Driven(Protocol):
    """What a stage needs of its page: a page of Playwright, or a `Tab`."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Run something in the page."""
        ...

    async def wait_for_function(
        self,
        expression: str,
        *,
        timeout: float = ...,  # noqa: ASYNC109
        polling: float = ...,
    ) -> Any:
        """Wait until something is true in the page."""
        ...

    async def close(self) -> None:
        """Close the page."""
        ...


class Stage:
    """One page, one player, one lane."""

    def __init__(self, world: World, kind: str, context: BrowserContext | None = None) -> None:
        self.world = world
        self.kind = kind
        self.lane: Lane = world.proxy.lane()
        self._context = context
        self._own = context is None
        self.page: Driven

    async def __aenter__(self) -> Self:
        if self._context is None:
            self._context = await self.world.browser.new_context()
        page = await self._context.new_page()
        await page.goto(f"{self.world.proxy.page_url}/page/stage.html")
        await page.wait_for_function("window.stage")
        self.page = page
        return self

    async def __aexit__(self, *_: object) -> None:
        self.lane.clear()
        await self.page.close()
        if self._own and self._context is not None:
            await self._context.close()

    def url(self, name: str | None = None) -> str:
        """The address of a stream through this lane."""
        return f"{self.world.proxy.media_url}/{self.lane.name}/media/{name or SOURCES[self.kind]}"

    @property
    def source(self) -> str:
        """The name of the player's stream."""
        return SOURCES[self.kind]

    @property
    def relay(self) -> str:
        """The Playhead as seen through this lane: its answers can be spoilt."""
        return f"{self.world.proxy.media_url}/{self.lane.name}/relay"

    async def make(self, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Make the player; `config` is the library's (a server is filled in), `None` = no library."""
        if config is not None:
            server = self.world.server
            config = {"endpoint": server.url if server else "", "video": {"id": "film"}, **config}
        await self.page.evaluate(
            "(options) => stage.make(options)", {**options, "kind": self.kind, "config": config}
        )

    async def load(self, name: str | None = None) -> None:
        await self.page.evaluate("(url) => stage.load(url)", self.url(name))

    async def do(self, call: str) -> Any:
        """Run something of the page's stage, for example `play()`."""
        return await self.page.evaluate(f"() => stage.{call}")

    async def position(self) -> float:
        """Where the playhead stands, in seconds."""
        at: float = await self.page.evaluate("() => stage.video.currentTime")
        return at

    async def until(self, expression: str, within_s: float = PATIENCE_S) -> None:
        """Wait until an expression of the page holds; `video` is the media element."""
        await self.page.wait_for_function(
            f"() => {{ const video = stage.video; return {expression}; }}",
            timeout=within_s * 1000, polling=20,
        )  # fmt: skip

    async def playing(self, position: float, within_s: float = PATIENCE_S) -> None:
        """Wait until the playhead has come so far."""
        await self.until(f"video.currentTime >= {position} && !video.seeking", within_s)

    async def told(self, *, leave: bool = False) -> Told:
        """Read everything the page knows; `leave`: and let go of the library in the same moment."""
        raw = await self.page.evaluate(
            "(leave) => { if (leave) stage.leave();"
            " return { truth: truth.read(), views: stage.views, sent: stage.sent,"
            " reports: stage.reports, errors: stage.errors }; }",
            leave,
        )
        truth = Truth.of(raw["truth"])
        return Told(truth, raw["views"], raw["sent"], raw["reports"], raw["errors"], raw["truth"])


async def view_row(
    server: Server, view_id: str, done: Callable[[dict[str, Any]], bool] = bool
) -> dict[str, Any]:
    """The view as the server tells it, once `done` says it is as expected; else as it last was."""
    until = time.monotonic() + STORED_WITHIN_S
    row: dict[str, Any] = {}
    while time.monotonic() < until:
        try:
            row = (await asyncio.to_thread(server.get, f"/v1/views/{view_id}"))["data"]
            if done(row):
                return row
        except (AssertionError, httpx2.HTTPError):
            pass
        await asyncio.sleep(0.2)
    return row


def whole(told: Told) -> Callable[[dict[str, Any]], bool]:
    """Returns whether a row has everything that was told, the goodbye too."""
    return lambda row: over(row) and row["event_count"] >= len(told.sent)


def over(row: dict[str, Any]) -> bool:
    """The client said goodbye."""
    return bool(row["clean_end"])
