"""The pages that may send with a write key: a list of origins, checked when the key is made."""

import re
from collections.abc import Sequence
from typing import Final

from playhead.errors import InvalidRequest

ORIGINS_MAX: Final = 50
"""Origins of one key."""
ORIGIN_CHARS_MAX: Final = 253
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9*.\-\[\]:_]+", re.IGNORECASE)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return origins as they are kept: without a slash at the end, each once.

    Raises:
        InvalidRequest: One is no origin (`https://tv.example`, `https://*.tv.example`), or too many.
    """
    kept = tuple(dict.fromkeys(one.strip().rstrip("/").lower() for one in origins))
    if len(kept) > ORIGINS_MAX:
        raise InvalidRequest(f"A key has at most {ORIGINS_MAX} origins.")
    for one in kept:
        if len(one) > ORIGIN_CHARS_MAX or not _ORIGIN.fullmatch(one):
            shown = one[:ORIGIN_CHARS_MAX]
            raise InvalidRequest(
                f"'{shown}' is no origin: scheme and host, as in https://tv.example."
            )
    return kept
