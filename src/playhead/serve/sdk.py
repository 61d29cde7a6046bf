"""`GET /sdk/{file}`: the SDK for players, from the host that takes its events.

A page of any site may load it: `<script src="https://metrics.example.org/sdk/playhead.js">`.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import NotFound
from playhead.serve import shelf

PREFIX: Final = "/sdk/"
SHARED: Final = ("cross-origin-resource-policy", "cross-origin")
"""What other addresses refuse: to be part of another site's page."""
_SCRIPT = "playhead.js"
_PARTS = "parts/"
_UNBUILT_HINT = "In the source folder, with Node: make player."
_AGE_SCRIPT = "public, max-age=3600"
_AGE_PART = "public, max-age=31536000, immutable"
_AGE_MODULE = "public, no-cache"
"""A module names its parts by their content: an old one would ask for parts that are gone."""


async def sdk(request: Request) -> Response:
    """Answer with a file of the build."""
    name = request.path_params["file"]
    folder = shelf.sdk()
    path = await asyncio.to_thread(shelf.find, folder, name)
    if path is None:
        raise await asyncio.to_thread(_missing, name)
    headers = {"access-control-allow-origin": "*", "cache-control": _age(name)}
    return await asyncio.to_thread(shelf.respond, request, path, headers)


def _missing(name: str) -> NotFound:
    if (shelf.sdk() / _SCRIPT).is_file():
        hint = "playhead.js is the one for a script tag, index.js and hls.js are modules."
        return NotFound(f"The SDK has no file '{name[:80]}'.", hint=hint)
    return NotFound("The SDK for players is not built here.", hint=_UNBUILT_HINT)


def _age(name: str) -> str:
    """Return how long a file may be kept."""
    if name.startswith(_PARTS):
        return _AGE_PART
    return _AGE_SCRIPT if name.startswith(_SCRIPT) else _AGE_MODULE
