"""Text from events is text: nothing of it is run, nothing of it breaks a screen."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from e2e.browser import needed
from e2e.dashboard.conftest import missing
from e2e.dashboard.look import Look
from e2e.dashboard.stock import play
from support.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

IMAGE: Final = "<img src=x onerror=\"window.hit='image'\">"
SCRIPT: Final = "</script><script>window.hit='script'</script>"
BRACES: Final = "{@html '<b>x</b>'} ${window.hit='braces'} {{constructor}}"
BACKWARDS: Final = "\u202egnp.exe\u202c \u2067evil\u2069"
LONG: Final = "long-" * 550
SPACED: Final = "a b%2F?#&=:~!<>," + "'\""
TEXTS: Final = (IMAGE, SCRIPT, BRACES, BACKWARDS, LONG, SPACED)
ID_LENGTH: Final = 256
"""Longer ids are refused at the door."""
OF_PAGE: Final = """() => [window.hit ?? null,
  document.querySelectorAll('main img, main script, main b, main iframe').length]"""


def hostile(number: int, text: str) -> list[dict[str, Any]]:
    """Return a view that says this wherever it can say something, and fails."""
    view = f"hostile-{number}"
    id_ = f"{number} {text}"[:ID_LENGTH]
    fields = {
        "videoId": id_, "videoTitle": f"title {text}", "cdn": text, "viewerId": id_,
        "sessionId": id_, "userId": id_,
        "player": {"name": text, "version": text}, "custom": {"plan": text},
    }  # fmt: skip
    first, playing = play(view, **fields)
    error = {
        "eventType": "PLAYER_ERROR", "timestamp": playing["timestamp"] + 50, "viewId": view,
        "seq": 2, "error": {"code": text, "message": text, "details": text, "fatal": False},
    }  # fmt: skip
    return [first, playing, error]


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A server that hostile viewers visit."""
    needed(missing())
    with Server(tmp_path_factory.mktemp("hostile")) as server:
        for number, text in enumerate(TEXTS):
            answer = server.send(hostile(number, text))
            assert answer.json()["accepted"] == 3, answer.text
            server.send([{"eventType": text}, text])
        line = {"status": 200, "cache": "HIT", "bytes": 9, "ttfb_ms": 4, "url": IMAGE}
        at = play("x")[0]["timestamp"] / 1000
        rows = [line | {"timestamp": at, "pop": text, "host": text} for text in TEXTS]
        server.http.post(f"{server.url}/logs/cdn?format=json&cdn=aurora", json=rows)
        server.wait_until_stored()
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def guard(context: BrowserContext, visited: Server) -> AsyncGenerator[Look, None]:
    look = await Look.on(context, visited.url, visited.token)
    yield look
    assert look.wrong == []


async def harmless(look: Look) -> None:
    """Nothing was run or made of the texts, and no part sticks out, at a desk and on a phone."""
    assert await look.page.evaluate(OF_PAGE) == [None, 0]
    assert await look.overflow() == []
    await look.page.set_viewport_size({"width": 390, "height": 844})
    await asyncio.sleep(0.1)
    assert await look.overflow() == []
    await look.page.set_viewport_size({"width": 1400, "height": 1000})


@pytest.mark.parametrize(
    ("screen", "state"),
    [
        ("now", {}),
        ("quality", {}),
        ("quality", {"metric": "views", "by": "cdn"}),
        ("quality", {"metric": "views", "by": "custom.plan"}),
        ("audience", {}),
        ("content", {}),
        ("cdn", {}),
        ("cdn", {"by": "pop"}),
        ("cdn", {"by": "host"}),
        ("views", {}),
        ("pipes", {}),
        ("setup", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()) or "plain",
)
async def test_screens(guard: Look, screen: str, state: dict[str, str]) -> None:
    span = {} if screen in {"now", "pipes", "setup"} else {"from": "-1h"}
    await guard.open(screen, **span, **state)
    text = await guard.page.locator("main").inner_text()
    if state or screen in {"now", "content", "cdn", "views"}:
        assert IMAGE in text
        assert SCRIPT in text
    await harmless(guard)


@pytest.mark.parametrize("number", range(len(TEXTS)))
async def test_a_view_and_its_title(guard: Look, number: int) -> None:
    await guard.open(f"views/hostile-{number}")
    heading = guard.page.locator("main h1")
    shown = " ".join(f"title {TEXTS[number]}".split())
    await expect(heading).to_contain_text(shown[:200])
    await harmless(guard)
    await guard.open("content", **{"from": "-1h"})
    await guard.page.locator("tbody a", has_text=shown[:40]).first.click()
    await expect(heading).to_contain_text(shown[:200])
    await guard.settled()
    await expect(guard.panel("Retention")).to_be_visible()
    await harmless(guard)


@pytest.mark.parametrize("number", range(len(TEXTS)))
async def test_filters(guard: Look, visited: Server, number: int) -> None:
    view = visited.get(f"/v1/views/hostile-{number}")["data"]
    cdn = view["cdn"]
    assert TEXTS[number].startswith(cdn)
    await guard.open("audience", f=f"cdn:{cdn}", **{"from": "-1h"})
    params = {"filters": f"cdn:{cdn}", "from": "-1h"}
    told = visited.get("/v1/metrics/views/overall", **params)
    assert (await guard.tiles())["Views"] == told["data"]["value"] == 1
    await harmless(guard)


async def test_a_file_for_spreadsheets_holds_no_formula(guard: Look, visited: Server) -> None:
    visited.send(play("formula", videoTitle="=HYPERLINK(1)", cdn="+cmd"))
    visited.wait_until_stored()
    await guard.open("views", **{"from": "-1h"})
    rows = await guard.csv("Views of this span")
    assert {"'=HYPERLINK(1)", "'+cmd"} <= {row["Title"] for row in rows} | {
        row["CDN"] for row in rows
    }
