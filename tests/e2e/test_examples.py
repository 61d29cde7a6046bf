"""Each example page plays, measures and keeps to its content security policy, as the server gives it."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from e2e.browser import ARGS, CHROMIUM, media, missing, needed, unbuilt
from support.server import Server

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PLAYERS = ("html5", "hls", "dash", "shaka", "videojs")
WITHIN_S = 30.0
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A server that serves the examples, with the film in its data folder as the demo makes it."""
    needed(missing())
    needed(unbuilt())
    data = tmp_path_factory.mktemp("examples") / "data"
    shutil.copytree(media(), data / "media")
    with Server(data, env={"PLAYHEAD_SERVER__EXAMPLES": "true"}) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def camera() -> AsyncGenerator[Browser, None]:
    """A browser whose camera shows a test picture."""
    needed(missing())
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *CAMERA])
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(camera: Browser) -> AsyncGenerator[Page, None]:
    """A page that remembers what went wrong on it, what the server refused aside."""
    page = await camera.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: None if "status of 40" in said.text else wrong.append(said.text)
        if said.type == "error" else None,
    )  # fmt: skip
    yield page
    await page.close()
    assert wrong == []


async def stored(server: Server, view_id: str) -> dict[str, Any]:
    """The view as the server has it, once it has one that started."""
    end = asyncio.get_running_loop().time() + WITHIN_S
    headers = {"Authorization": f"Bearer {server.token}"}
    while asyncio.get_running_loop().time() < end:
        answer = await asyncio.to_thread(
            server.http.get, f"{server.url}/v1/views/{view_id}", headers=headers
        )
        if answer.status_code == 200 and answer.json()["data"]["startup_ms"] is not None:
            found: dict[str, Any] = answer.json()["data"]
            return found
        await asyncio.sleep(0.3)
    raise AssertionError(f"no started view {view_id}: {answer.text[:500]}")


async def until(page: Page, expression: str) -> None:
    """Wait for what is true on the page. (Playwright's own way evaluates text, which the policy forbids.)"""
    end = asyncio.get_running_loop().time() + WITHIN_S
    while not await page.evaluate(expression):
        assert asyncio.get_running_loop().time() < end, f"not within {WITHIN_S} s: {expression}"
        await asyncio.sleep(0.05)


async def play(page: Page, server: Server, name: str) -> None:
    await page.goto(f"{server.url}/examples/{name}.html")
    await until(page, "document.querySelector('video').readyState > 0")
    await page.evaluate("document.querySelector('video').play()")
    await until(page, "document.querySelector('video').currentTime > 1.5")


@pytest.mark.parametrize("name", PLAYERS)
async def test_a_player_s_page_measures_its_view(shown: Server, page: Page, name: str) -> None:
    await play(page, shown, name)
    view = await stored(shown, await page.evaluate("example.monitor.viewId"))
    assert view["video_title"].startswith("Example film")
    counted = await page.evaluate("example.counts().startupMs")
    assert view["startup_ms"] == pytest.approx(counted, abs=5)


async def test_the_table_shows_what_the_server_counts(shown: Server, page: Page) -> None:
    await play(page, shown, "html5")
    await page.fill("input[name=token]", shown.token)
    await page.click("#token button")
    row = page.locator("#panel tr", has_text="Startup").locator("td")
    await until(page, "document.querySelectorAll('#panel td')[3].textContent !== '—'")
    sdk, server = await row.all_inner_texts()
    assert server.endswith(" ms")
    assert sdk == server


async def test_cmcd_alone_makes_a_view(shown: Server, page: Page) -> None:
    await play(page, shown, "cmcd")
    view_id = (await page.inner_text("#address")).rpartition("/")[2]
    view = await stored(shown, view_id)
    assert (view["video_id"], view["errors"]) == ("film-hls", 0)


async def test_a_camera_is_a_stream_of_records(shown: Server, page: Page) -> None:
    await page.goto(f"{shown.url}/examples/publisher.html")
    await page.click("#begin")
    await until(page, "document.querySelectorAll('#panel td')[0].textContent !== '—'")
    stream = (await page.inner_text("#address")).rpartition("/")[2]
    await page.evaluate("example.monitor.flush()")
    await asyncio.to_thread(shown.wait_until_stored)
    size = await page.locator("#panel td").first.inner_text()
    found = await asyncio.to_thread(shown.get, f"/v1/streams/{stream}")
    assert found["meta"]["stream"]["resolution"] == size


async def test_the_page_says_what_it_is_made_of(shown: Server, page: Page) -> None:
    await page.goto(f"{shown.url}/examples/")
    links = await page.eval_on_selector_all(".cards a", "all => all.map((one) => one.href)")
    assert len(links) > len(PLAYERS)
    for link in links:
        await page.goto(link)
        await until(page, "document.querySelector('#snippet').textContent.includes('@playhead')")
        assert await page.inner_text("#missing") == ""
        assert "only here" not in await page.inner_text("#snippet")
