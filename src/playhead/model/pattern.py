"""Texts with stars in them, as settings list them: `*` stands for any text, all else for itself."""

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

_LISTS: Final = 64
"""Lists kept ready; a server has a handful."""


def any_of(texts: Sequence[str]) -> re.Pattern[str] | None:
    """Return what matches one of the texts, capitals counting; None where there are none.

    Matching takes no longer for a hostile text: what a star took is never given back.
    """
    return _compiled(tuple(texts)) if texts else None


@lru_cache(maxsize=_LISTS)
def _compiled(texts: tuple[str, ...]) -> re.Pattern[str]:
    plain = (text.replace("[", "[[]").replace("?", "[?]") for text in texts)
    return re.compile("|".join(translate(text) for text in plain))
