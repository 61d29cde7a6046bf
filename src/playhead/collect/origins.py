"""Which pages may send: cross-origin answers for players on other sites."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

Headers = list[tuple[bytes, bytes]]
HEADERS: Final = b"content-type, content-encoding, authorization, x-playhead-key"
MAX_AGE_S: Final = 7_200
"""How long a browser remembers a preflight: the most that Chromium honours."""
_ASKED_MAX: Final = 1_024
_ASKED = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]*")
_EXPOSED: Final = (b"access-control-expose-headers", b"retry-after")


class Origins:
    """The pages of `collect.allowed_origins`: `*`, an origin, or one with stars in it.

    No credentials are ever allowed, so `*` is as safe as a list.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._any = "*" in allowed
        self._patterns = tuple(pattern.rstrip("/").lower() for pattern in allowed)
        self.allows = lru_cache(maxsize=4_096)(self._allows)

    def _allows(self, origin: bytes | None) -> bool:
        if origin is None or self._any:
            return True
        text = origin.decode("latin-1").lower()
        return any(fnmatchcase(text, pattern) for pattern in self._patterns)

    def headers(self, origin: bytes | None) -> Headers:
        """Return what every answer to a page of this origin carries, errors included."""
        if self._any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None or not self.allows(origin):
            return [(b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin"), _EXPOSED]

    def preflight(
        self, request: Mapping[bytes, bytes], methods: Sequence[str] = ("POST",)
    ) -> Headers:
        """Return the headers of the answer to a preflight; without leave if it is refused."""
        origin = request.get(b"origin")
        if not self.allows(origin):
            return self.headers(origin)
        asked = request.get(b"access-control-request-headers", b"")
        if not asked or len(asked) > _ASKED_MAX or not _ASKED.fullmatch(asked):
            asked = HEADERS
        vary = (
            b"Access-Control-Request-Headers"
            if self._any
            else b"Origin, Access-Control-Request-Headers"
        )
        return [
            (b"access-control-allow-origin", b"*" if self._any else origin or b"*"),
            (b"access-control-allow-methods", ", ".join((*methods, "OPTIONS")).encode()),
            (b"access-control-allow-headers", asked),
            (b"access-control-max-age", b"%d" % MAX_AGE_S),
            (b"vary", vary),
        ]
