"""A browser nobody debugs: its tabs are really hidden, and really closed.

Playwright keeps every page visible. Here tabs are opened, shown and closed over HTTP alone, and a
tab asks for what it is to do.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from e2e.browser import ARGS, CHROMIUM
from e2e.lane import Lane

STARTED_WITHIN_S = 20.0
ANSWERED_WITHIN_S = 30.0


class Window:
    """A Chromium of its own with one window; tabs are known by their ids."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="playhead-window-", ignore_cleanup_errors=True
        )
        command = [
            str(CHROMIUM), *ARGS, "--remote-debugging-port=0",
            f"--user-data-dir={self._folder.name}", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._http = httpx2.AsyncClient(timeout=10)

    async def __aenter__(self) -> Self:
        told = Path(self._folder.name) / "DevToolsActivePort"
        until = time.monotonic() + STARTED_WITHIN_S
        while not (told.exists() and told.read_text().strip()):
            assert time.monotonic() < until, "Chromium did not start"
            await asyncio.sleep(0.05)
        self._url = f"http://127.0.0.1:{told.read_text().splitlines()[0]}/json"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 15)
        self._folder.cleanup()

    async def open(self, url: str) -> str:
        """A tab in front of the others."""
        answer = await self._http.put(f"{self._url}/new?{url}")
        return str(answer.json()["id"])

    async def show(self, tab: str) -> None:
        """Bring a tab to the front: the one before is hidden."""
        await self._http.get(f"{self._url}/activate/{tab}")

    async def close(self, tab: str) -> None:
        """Close a tab as its viewer does."""
        await self._http.get(f"{self._url}/close/{tab}")


class Tab:
    """What a stage needs of a page, by orders over the lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._count = 0

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Run a function of the page and return what it returns."""
        self._count += 1
        order = {"id": self._count, "code": f"({expression})({json.dumps(arg)})"}
        self._lane.orders.put_nowait(json.dumps(order).encode())
        said = json.loads(await asyncio.wait_for(self._lane.answers.get(), ANSWERED_WITHIN_S))
        assert said["id"] == self._count
        assert "error" not in said, said["error"]
        return said.get("value")

    async def wait_for_function(
        self,
        expression: str,
        *,
        timeout: float = 15_000,  # noqa: ASYNC109
        polling: float = 50,
    ) -> None:
        """Ask until the page says yes."""
        until = time.monotonic() + timeout / 1000
        while not await self.evaluate(f"() => Boolean(({expression})())"):
            assert time.monotonic() < until, f"never came true: {expression}"
            await asyncio.sleep(polling / 1000)

    async def close(self) -> None:
        """Its window closes it."""
