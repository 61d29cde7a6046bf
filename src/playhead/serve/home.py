"""The page at `/`: what this is, and the live numbers for whoever has a token. No other resource."""

import base64
import hashlib
import re
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


class Home:
    """One file; its inline style and script are allowed by their hashes, and nothing else is."""

    def __init__(self) -> None:
        self._html = files("playhead.serve").joinpath("home.html").read_text("utf-8")
        self._policy = (
            "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'none'; script-src {self._hash('script')}; "
            f"style-src {self._hash('style')}"
        )

    async def page(self, _: Request) -> Response:
        """`GET /`."""
        headers = {"content-security-policy": self._policy, "cache-control": "no-cache"}
        return HTMLResponse(self._html, headers=headers)

    def _hash(self, tag: str) -> str:
        found = re.search(rf"<{tag}>(.*?)</{tag}>", self._html, re.DOTALL)
        text = found[1] if found else ""
        digest = hashlib.sha256(text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"
