"""The page at `/`: the dashboard, where it is built; a source folder without Node has the plain page.

Everything it needs comes from this server, and it may load nothing else.
"""

import asyncio
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import NotFound
from playhead.serve import shelf
from playhead.serve.home import Home

_PAGE: Final = "index.html"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_AGE_PART: Final = "public, max-age=31536000, immutable"
"""Parts are named by their content."""


class Dashboard:
    """The built files, or the plain page in their place."""

    def __init__(self) -> None:
        self._folder = shelf.dashboard()
        self._plain = Home()

    def routes(self) -> list[Route]:
        """Return the page and its parts."""
        return [
            Route("/", self.page),
            Route("/icon.svg", self.icon),
            Route("/assets/{file}", self.part),
        ]

    async def page(self, request: Request) -> Response:
        """`GET /`."""
        path = await asyncio.to_thread(shelf.find, self._folder, _PAGE)
        if path is None:
            return await self._plain.page(request)
        headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
        # All addresses in it are relative: below a prefix they hold without its last slash, too.
        prefix = request.scope.get("root_path", "").strip("/")
        base = f"/{prefix}/" if prefix else ""
        return await asyncio.to_thread(shelf.respond, request, path, headers, base)

    async def icon(self, request: Request) -> Response:
        """`GET /icon.svg`."""
        return await self._file(request, Path("icon.svg"), "public, max-age=86400")

    async def part(self, request: Request) -> Response:
        """`GET /assets/{file}`."""
        return await self._file(request, Path("assets", request.path_params["file"]), _AGE_PART)

    async def _file(self, request: Request, name: Path, age: str) -> Response:
        path = await asyncio.to_thread(shelf.find, self._folder, str(name))
        if path is None:
            raise NotFound(
                "The dashboard has no such part here.",
                hint="It may have been upgraded: load the page again.",
            )
        return await asyncio.to_thread(shelf.respond, request, path, {"cache-control": age})
