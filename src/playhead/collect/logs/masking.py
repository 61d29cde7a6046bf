"""Masking: no client address in what is kept of a line that could not be read."""

import re
from typing import Final

_NO_IPV4: Final = "0.0.0.0"  # noqa: S104 (written into texts, bound to nowhere)
_COLON = r"(?::|%3[Aa])"
# Colons in doubt are an address: a masked time of day hurts nobody. Times (two colons) and the
# common log format (three) stay, an address of IPv6 has seven, or two side by side.
_IPV6 = re.compile(
    rf"[0-9A-Fa-f]{{0,4}}(?:{_COLON}[0-9A-Fa-f]{{1,4}}){{0,7}}{_COLON}{{2}}"
    rf"(?:[0-9A-Fa-f]{{1,4}}(?:{_COLON}[0-9A-Fa-f]{{1,4}}){{0,7}})?(?:\.\d{{1,3}}){{0,3}}"
    rf"|[0-9A-Fa-f]{{1,4}}(?:{_COLON}[0-9A-Fa-f]{{1,4}}){{5,7}}(?:\.\d{{1,3}}){{0,3}}"
)
_IPV4 = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)")


def masked(text: str) -> str:
    """Return a text with `0.0.0.0` or `::` in place of every address, so that it still reads."""
    if ":" in text or "%3" in text:
        text = _IPV6.sub("::", text)
    return _IPV4.sub(_NO_IPV4, text)
