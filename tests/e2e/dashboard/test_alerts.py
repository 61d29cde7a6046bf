"""What the watchdog finds is on the page, in its own words, and nothing else is made of them."""

import json
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect

from e2e.dashboard.look import Look
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
HOSTILE = "<img src=x onerror=alert(1)> and a_very_long_name_without_any_space_" + "x" * 80
ALERTS: list[dict[str, Any]] = [
    {"id": "lag", "severity": "critical", "since": "2026-01-01T00:00:00.000Z",
     "sentence": "Answers are 12 min behind.", "remedy": HOSTILE},
    {"id": "dropped", "severity": "warning", "since": "2026-01-01T00:00:00.000Z",
     "sentence": "38 % were dropped.", "remedy": "Look at the reasons."},
]  # fmt: skip


async def alarmed(route: Route) -> None:
    """Answer as the server does, with alerts."""
    answer = await route.fetch()
    body = json.loads(await answer.body())
    body["data"]["alerts"] = ALERTS
    await route.fulfill(response=answer, body=json.dumps(body))


async def test_alerts_are_shown_and_fit_a_phone(look: Look) -> None:
    await look.page.route("**/v1/status", alarmed)
    await look.page.set_viewport_size({"width": 390, "height": 844})
    await look.open("setup")
    shown = look.page.get_by_role("status", name="Alerts").locator("li")
    await expect(shown).to_have_count(2)
    await expect(shown.first).to_contain_text("Critical: Answers are 12 min behind.")
    await expect(shown.first).to_contain_text("<img src=x")
    assert await look.overflow() == []


async def test_a_server_that_does_well_says_so(context: BrowserContext, blank: Server) -> None:
    look = await Look.on(context, blank.url, blank.token)
    await look.open("setup")
    fine = look.page.get_by_text("The watchdog finds nothing out of order.")
    alerts = blank.status()["alerts"]
    await expect(fine).to_have_count(0 if alerts else 1)
    assert look.wrong == []
