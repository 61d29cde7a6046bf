"""What the API says of itself: `/openapi.json`, `/docs` and `/docs/errors`.

`/docs` shows the document by Swagger UI, which comes along: it is built with the dashboard. The page loads nothing
from other hosts, and may not.
"""

import asyncio
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.config import Config
from playhead.errors import NotFound
from playhead.serve import shelf
from playhead.serve.errors_page import errors_page
from playhead.serve.openapi.answers import operations
from playhead.serve.openapi.document import OpenApi
from playhead.serve.openapi.doors import OPERATIONS as DOORS

_FOLDER: Final = "docs"
_PAGE: Final = "index.html"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Reference:
    """The document, the page and its parts."""

    def __init__(self, config: Config) -> None:
        self._openapi = OpenApi((*DOORS, *operations(config)), config)
        self._folder = shelf.dashboard() / _FOLDER

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/openapi.json", self._openapi.document),
            Route("/docs", self.page),
            Route("/docs/errors", errors_page),
            Route("/docs/{file}", self.part),
        ]

    async def page(self, request: Request) -> Response:
        """`GET /docs`."""
        return await self._file(request, _PAGE)

    async def part(self, request: Request) -> Response:
        """`GET /docs/{file}`."""
        return await self._file(request, request.path_params["file"])

    async def _file(self, request: Request, name: str) -> Response:
        path = await asyncio.to_thread(shelf.find, self._folder, name)
        if path is None:
            raise NotFound(
                "There is no such page here.",
                hint="/openapi.json is the API's reference for tools; /docs is built by 'make dashboard'.",
            )
        return await asyncio.to_thread(_sent, request, path)


def _sent(request: Request, path: Path) -> Response:
    # Parts bear no version in their names: they are asked for again, and are 304 as a rule.
    headers = {"cache-control": "no-cache"}
    if path.suffix == ".html":
        headers["content-security-policy"] = _POLICY
    return shelf.respond(request, path, headers)
