"""Live numbers: within two seconds of an event, through a restart, as the API has them."""

import asyncio
import time
from collections.abc import Generator
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, expect

from e2e.browser import needed
from e2e.dashboard.conftest import missing
from e2e.dashboard.look import Look
from e2e.dashboard.stock import play
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

LIVE_WITHIN_S: Final = 2.0
BACK_WITHIN_MS: Final = 40_000
TILES: Final = {
    "Concurrent viewers": "concurrent_viewers", "Starting up": "starting_up",
    "Rebuffering": "rebuffering_percentage", "Bitrate": "bitrate_kbps",
}  # fmt: skip
COLUMNS: Final = {
    "Viewers": "concurrent_viewers", "Starting up": "starting_up", "Rebuffering": "rebuffering",
    "Starts": "starts", "Failures": "failures",
}  # fmt: skip


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A server that these tests fill and restart as they like."""
    needed(missing())
    with Server(tmp_path_factory.mktemp("lone")) as server:
        yield server


async def now(context: BrowserContext, server: Server) -> Look:
    look = await Look.on(context, server.url, server.token)
    await look.open("now")
    return look


async def starts(look: Look) -> float:
    return (await look.tiles())["Starts, 30 min"] or 0


async def moved(look: Look, server: Server, view_id: str) -> float:
    """Send a view; return after how many seconds the page counts it."""
    before = await starts(look)
    began = time.monotonic()
    answer = await asyncio.to_thread(server.send, play(view_id, cdn=f"cdn-{view_id}"))
    assert answer.status_code == 200
    tile = look.tile("Starts, 30 min")
    await expect(tile).to_have_attribute("data-value", str(int(before) + 1), timeout=BACK_WITHIN_MS)
    return time.monotonic() - began


async def test_a_number_moves_within_two_seconds_of_its_event(
    context: BrowserContext, lone: Server
) -> None:
    look = await now(context, lone)
    took = [await moved(look, lone, f"first-{number}") for number in range(6)]
    print(f"seconds from the event to the page: {sorted(round(one, 2) for one in took)}")
    # Most of them: a machine that is busy with something else may take its time once.
    assert sorted(took)[len(took) // 2] < LIVE_WITHIN_S
    assert look.wrong == []


async def test_what_is_live_is_what_the_api_says(context: BrowserContext, lone: Server) -> None:
    look = await now(context, lone)
    await asyncio.to_thread(lone.send, play("same", bitrateKbps=3000))
    wrong: Any = "nothing was compared"
    for _ in range(20):
        rows = (await asyncio.to_thread(lone.get, "/v1/live", minutes=30))["data"]
        shown = await look.tiles()
        told = {name: rows[-1][field] for name, field in TILES.items()}
        told["Starts, 30 min"] = sum(row["starts"] for row in rows)
        told["Failures, 30 min"] = sum(row["failures"] for row in rows)
        wrong = {name: (shown[name], value) for name, value in told.items() if shown[name] != value}
        if not wrong:
            break
        await asyncio.sleep(0.3)
    assert not wrong
    saved = {row["Time"]: row for row in await look.csv("Concurrent viewers")}
    over = [row for row in rows[:-2] if row["time"] in saved]
    assert len(over) > 300
    for row in over:
        assert {name: int(saved[row["time"]][name]) for name in COLUMNS} == {
            name: row[field] for name, field in COLUMNS.items()
        }


async def test_filters_hold_for_live_numbers(context: BrowserContext, lone: Server) -> None:
    look = await now(context, lone)
    await asyncio.to_thread(lone.send, play("alone", cdn="solitary"))
    await look.open("now", f="cdn:solitary")
    await expect(look.tile("Starts, 30 min")).to_have_attribute("data-value", "1")


async def test_a_restart_is_told_and_survived(context: BrowserContext, lone: Server) -> None:
    look = await now(context, lone)
    await moved(look, lone, "before")
    await asyncio.to_thread(lone.stop)
    await look.sees("The server does not answer")
    await asyncio.to_thread(lone.start)
    await expect(look.page.get_by_text("Newest event")).to_be_visible(timeout=BACK_WITHIN_MS)
    await moved(look, lone, "after")


async def test_a_screen_without_stream_survives_a_restart(
    context: BrowserContext, lone: Server
) -> None:
    look = await Look.on(context, lone.url, lone.token)
    await look.open("setup")
    before = (await look.tiles())["Events in"] or 0
    await asyncio.to_thread(lone.stop)
    await look.sees("Not up to date")
    await asyncio.to_thread(lone.start)
    await asyncio.to_thread(lone.send, play("newcomer"))
    tile = look.tile("Events in")
    await expect(tile).to_have_attribute("data-value", str(int(before) + 2), timeout=BACK_WITHIN_MS)
    await expect(look.page.get_by_text("Not up to date")).to_have_count(0)


async def test_a_page_opened_while_the_server_is_away_waits_for_it(
    context: BrowserContext, lone: Server
) -> None:
    look = await now(context, lone)
    await look.page.route("**/v1/session", lambda route: route.abort())
    await look.page.reload()
    await look.sees("The server cannot be reached")
    await look.page.unroute("**/v1/session")
    await expect(look.page.get_by_role("heading", name="Now")).to_be_visible(timeout=BACK_WITHIN_MS)
