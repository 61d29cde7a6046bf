"""The sending side in a real browser: a camera (the browser's test picture) and a connection."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from e2e.browser import ARGS, BUNDLE, CHROMIUM, ROOT, missing, needed, unbuilt
from e2e.proxy import Proxy
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxy(server: Server) -> AsyncGenerator[Proxy, None]:
    folders = {"page": ROOT / "tests/e2e/page", "sdk": BUNDLE}
    running = Proxy(folders, BUNDLE, relay=server.url)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(proxy: Proxy) -> AsyncGenerator[Page, None]:
    needed(missing() or unbuilt())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS + CAMERA)
        opened = await browser.new_page()
        await opened.goto(f"{proxy.page_url}/page/publisher.html")
        await opened.wait_for_function("window.publisher")
        yield opened
        await browser.close()


async def measure(page: Page, kind: str, **config: Any) -> None:
    await page.evaluate(
        "([kind, config]) => publisher.measure(kind, config)", [kind, {"flushMs": 1000, **config}]
    )


async def records(page: Page, count: int) -> list[dict[str, Any]]:
    """The records of the page, once there are so many."""
    await page.wait_for_function(f"publisher.said.records.length >= {count}", timeout=30_000)
    found: list[dict[str, Any]] = await page.evaluate("publisher.said.records")
    assert await page.evaluate("publisher.said.faults") == []
    return found


async def stored(server: Server, stream: str, count: int) -> dict[str, Any]:
    """The stream as the server tells it, once it has so many records."""
    row: dict[str, Any] = {}
    until = time.monotonic() + 20
    while time.monotonic() < until:
        rows = (await asyncio.to_thread(server.get, "/v1/streams"))["data"]
        row = next((one for one in rows if one["stream_id"] == stream), {})
        if row.get("records", 0) >= count:
            break
        await asyncio.sleep(0.2)
    return row


async def test_a_camera_is_measured_each_second(page: Page, server: Server) -> None:
    await measure(page, "camera", streamId="camera", endpoint=server.url)
    await records(page, 4)
    await page.evaluate("publisher.monitor.destroy()")
    told = await page.evaluate("publisher.said.records")
    row = await stored(server, "camera", len(told))
    assert (row["records"], row["resolution"], row["per_frame"]) == (len(told), "640x480", False)
    assert row["fps"] == pytest.approx(20, abs=2)


async def test_a_camera_is_measured_frame_by_frame(page: Page, server: Server) -> None:
    await measure(page, "camera", streamId="frames", endpoint=server.url, perFrame=True)
    await records(page, 60)
    await page.evaluate("publisher.monitor.destroy()")
    told = await page.evaluate("publisher.said.records")
    row = await stored(server, "frames", len(told))
    assert (row["records"], row["per_frame"]) == (len(told), True)
    assert row["fps"] == pytest.approx(20, abs=2)


async def test_what_a_connection_sends_is_what_the_browser_counts(
    page: Page, server: Server
) -> None:
    await measure(page, "connection", streamId="peer", endpoint=server.url)
    told = await records(page, 3)
    before = await page.evaluate("publisher.truth()")
    told = await records(page, len(told) + 5)
    after = await page.evaluate("publisher.truth()")
    seconds = (after["timestamp"] - before["timestamp"]) / 1000
    kbps = (after["bytesSent"] - before["bytesSent"]) * 8 / 1000 / seconds
    fps = (after["framesEncoded"] - before["framesEncoded"]) / seconds
    last = told[-5:]
    assert sum(one["bitrateKbps"] for one in last) / 5 == pytest.approx(kbps, rel=0.25)
    assert sum(one["fps"] for one in last) / 5 == pytest.approx(fps, abs=2)
    assert last[-1]["resolution"] == f"{after['frameWidth']}x{after['frameHeight']}"
    await page.evaluate("publisher.monitor.destroy()")
    row = await stored(server, "peer", len(told))
    assert row["bitrate_kbps"] > 0


async def test_a_batch_whose_answer_was_lost_counts_once(
    page: Page, proxy: Proxy, server: Server
) -> None:
    lane = proxy.lane()
    lost = lane.fault("/v0/events", times=1, cut_at=-1)
    endpoint = f"{proxy.page_url}/{lane.name}/relay/v0/events?name=stream_frames"
    await measure(page, "camera", streamId="lost", endpoint=endpoint, backoffMs=200)
    await records(page, 5)
    await page.evaluate("publisher.monitor.destroy()")
    told = await page.evaluate("publisher.said.records")
    row = await stored(server, "lost", len(told))
    assert lost.hits == 1
    assert row["records"] == len(told)


async def test_destroy_lets_go_and_leaves_the_camera_on(page: Page, server: Server) -> None:
    await measure(page, "camera", streamId="gone", endpoint=server.url)
    await records(page, 1)
    await page.evaluate("publisher.monitor.destroy()")
    count = await page.evaluate("publisher.said.records.length")
    await asyncio.sleep(2.5)
    assert await page.evaluate("publisher.said.records.length") == count
    assert await page.evaluate("publisher.stream.getVideoTracks()[0].readyState") == "live"
