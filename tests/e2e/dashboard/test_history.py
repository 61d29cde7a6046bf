"""Every screen over a month of much history, as pictures: what large numbers and many groups do to it.

`PLAYHEAD_BENCH_HISTORY` names a folder with the ten million views of the bench; they are copied. Without it
a small month is made.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bench.history_scenarios import KEPT_IN
from e2e.browser import needed
from e2e.dashboard.conftest import missing
from e2e.dashboard.look import Look
from e2e.dashboard.tour import DESK, PHONE, Stop, shot
from support.server import Server

VIEWS: Final = 10_000_000
FEW: Final = ("--views", "20000", "--days", "30")
MONTH: Final = {"from": "-30d"}
NAMES: Final = (
    "now",
    "quality",
    "metric",
    "failures",
    "audience",
    "content",
    "cdn",
    "views",
    "title",
    "view",
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    needed(missing())
    data = tmp_path_factory.mktemp("history") / "data"
    if kept := os.environ.get(KEPT_IN):
        shutil.copytree(
            Path(kept) / f"{VIEWS}" / "data",
            data,
            symlinks=True,  # so the engine names its databases
            ignore=shutil.ignore_patterns("run", "*.lock"),
        )
    with Server(data, env={"PLAYHEAD_PIPES__DEFAULT_PROJECT": "true"}) as running:
        if not kept:
            command = [sys.executable, "-m", "playhead", "seed", "--data", str(data), *FEW]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        yield running


@pytest.fixture(scope="module")
def stops(server: Server) -> dict[str, Stop]:
    title = server.get("/v1/dimensions/video_id", limit=1, **MONTH)["data"][0]["value"]
    view = server.get("/v1/views", limit=1, order="rebuffer_ms:desc", **{"from": "-2d"})["data"][0]
    failures = {"metric": "playback_failure_percentage", "by": "country", **MONTH}
    found = [
        Stop("now", "now", {}), Stop("quality", "quality", MONTH),
        Stop("metric", "quality", {"metric": "startup_time", **MONTH}),
        Stop("failures", "quality", failures), Stop("audience", "audience", MONTH),
        Stop("content", "content", MONTH), Stop("cdn", "cdn", MONTH), Stop("views", "views", MONTH),
        Stop("title", f"content/{title}", MONTH), Stop("view", f"views/{view['view_id']}", MONTH),
    ]  # fmt: skip
    return {stop.name: stop for stop in found}


@pytest_asyncio.fixture(params=["light", "dark", "phone"], scope="module", loop_scope="session")
async def seen(
    request: pytest.FixtureRequest, chromium: Browser, server: Server
) -> AsyncGenerator[tuple[Look, str], None]:
    size = PHONE if request.param == "phone" else DESK
    context = await chromium.new_context(
        viewport={"width": size["width"], "height": size["height"]}, locale="en-GB", timezone_id="UTC",
        color_scheme="dark" if request.param == "dark" else "light",
    )  # fmt: skip
    yield await Look.on(context, server.url, server.token), request.param
    await context.close()


@pytest.mark.parametrize("name", NAMES)
async def test_much_history_has_room(
    seen: tuple[Look, str], stops: dict[str, Stop], name: str
) -> None:
    look, how = seen
    await look.open(stops[name].screen, **stops[name].state)
    await shot(look, f"{name}-history-{how}")
    assert await look.overflow() == []
    text = await look.page.locator("main").inner_text()
    assert not [word for word in ("NaN", "undefined", "Infinity") if word in text]
    assert look.wrong == []
