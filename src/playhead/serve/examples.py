"""`/examples/…`: a page for each player, its library, and the film they play."""

import asyncio
import base64
import hashlib
import re
import shutil
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from playhead.config import Config
from playhead.errors import NotFound
from playhead.serve import shelf

FILM: Final = "media"
"""The folder of the film, in the data folder or beside the pages."""
_IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
_POLICY = (
    "default-src 'none'; script-src 'self'{maps}; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OFF = "The examples are not served here."
_OFF_HINT = "'playhead demo' serves them; elsewhere set server.examples to true."
_NO_FFMPEG = "The film of the examples is not made: ffmpeg is not on the PATH."
_NO_FFMPEG_HINT = (
    "On Debian: apt-get install ffmpeg; on macOS: brew install ffmpeg. Then start again."
)
_NO_FILM = "The film of the examples is not made yet."
_NO_FILM_HINT = "'playhead demo' makes it within half a minute; elsewhere: make examples."
_NO_LIBRARY = "The libraries of the players are not here."
_NO_LIBRARY_HINT = "In the source folder, with Node: make player."


class Examples:
    """The pages, where they are switched on."""

    def __init__(self, config: Config) -> None:
        self._on = config.server.examples
        self._pages = shelf.examples()
        self._films = (config.data_dir, self._pages)

    async def index(self, _: Request) -> Response:
        """`GET /examples`: the pages' addresses are relative to the folder."""
        if not self._on:
            raise NotFound(_OFF, hint=_OFF_HINT)
        return RedirectResponse("examples/")

    async def file(self, request: Request) -> Response:
        """`GET /examples/{file}`."""
        if not self._on:
            raise NotFound(_OFF, hint=_OFF_HINT)
        name = request.path_params["file"] or "index.html"
        return await asyncio.to_thread(self._answer, request, name)

    def _answer(self, request: Request, name: str) -> Response:
        path = self._find(name)
        if path is None:
            raise _missing(name)
        headers = {"cache-control": "no-cache"}
        if path.suffix == ".html":
            headers["content-security-policy"] = policy(path.read_bytes())
        return shelf.respond(request, path, headers)

    def _find(self, name: str) -> Path | None:
        if not name.startswith(f"{FILM}/"):
            return shelf.find(self._pages, name)
        found = (shelf.find(folder, name) for folder in self._films)
        return next((path for path in found if path is not None), None)


def policy(page: bytes) -> str:
    """Return what a page may load: its own server's files; of inline scripts only its import map."""
    digests = [hashlib.sha256(text).digest() for text in _IMPORT_MAP.findall(page)]
    maps = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return _POLICY.format(maps=maps)


def _missing(name: str) -> NotFound:
    """Return the sentence for what is not there: most of it has to be made first."""
    if name.startswith(f"{FILM}/"):
        if shutil.which("ffmpeg") is None:
            return NotFound(_NO_FFMPEG, hint=_NO_FFMPEG_HINT)
        return NotFound(_NO_FILM, hint=_NO_FILM_HINT)
    if name.startswith("lib/"):
        return NotFound(_NO_LIBRARY, hint=_NO_LIBRARY_HINT)
    return NotFound()
