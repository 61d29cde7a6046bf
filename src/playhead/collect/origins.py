"""Which pages may send: cross-origin answers for players on other sites."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

Headers = list[tuple[bytes, bytes]]
HEADERS: Final = b"content-type, content-encoding, authorization, x-playhead-key"
MAX_AGE_S: Final = 7_200
"""How long a browser remembers a preflight: the most that Chromium honours."""
_ASKED_MAX: Final = 1_024
_ORIGIN_MAX: Final = 512
_ASKED = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]*")
_EXPOSED: Final = (b"access-control-expose-headers", b"retry-after")


class Origins:
    """The pages of `collect.allowed_origins`: `*`, an origin, or one with stars in it.

    No credentials are ever allowed, so `*` is as safe as a list.

    Args:
        allowed: The patterns.
        of_keys: Returns the patterns of all keys that have some of their own. A preflight does not
            say which key the request will bring, so pages of any of them may ask and read answers;
            whether a page may send with the key it brings, `of_key` says.
    """

    def __init__(
        self, allowed: Sequence[str], of_keys: Callable[[], tuple[str, ...]] = tuple
    ) -> None:
        self._any = "*" in allowed
        self._patterns = tuple(pattern.rstrip("/").lower() for pattern in allowed)
        self._known = lru_cache(maxsize=4_096)(self._matches)
        self._of_keys = of_keys

    def allows(self, origin: bytes | None) -> bool:
        """Return whether pages of an origin may send; what is no page (no Origin) always may."""
        if origin is None or self._any:
            return True
        # What is remembered is short: strangers choose it.
        return len(origin) <= _ORIGIN_MAX and self._known(origin)

    def _matches(self, origin: bytes) -> bool:
        text = origin.decode("latin-1").lower()
        return any(fnmatchcase(text, pattern) for pattern in self._patterns)

    def _may_read(self, origin: bytes | None) -> bool:
        if self.allows(origin):
            return True
        patterns = self._of_keys()
        return bool(patterns) and of_key(patterns).allows(origin)

    def headers(self, origin: bytes | None) -> Headers:
        """Return what every answer to a page of this origin carries, errors included."""
        if self._any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None or not self._may_read(origin):
            return [(b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin"), _EXPOSED]

    def preflight(
        self, request: Mapping[bytes, bytes], methods: Sequence[str] = ("POST",)
    ) -> Headers:
        """Return the headers of the answer to a preflight; without leave if it is refused."""
        origin = request.get(b"origin")
        if not self._may_read(origin):
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


@lru_cache(maxsize=1_024)
def of_key(allowed: tuple[str, ...]) -> Origins:
    """Return the pages that a key's own list names."""
    return Origins(allowed)
