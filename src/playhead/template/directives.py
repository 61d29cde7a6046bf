"""What a template says about how it is run: comments in the SQL, options of the query."""

import re
from typing import Any

from playhead.template.context import Context
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import TemplateInvalid, TemplateRefused
from playhead.template.types import SHOWN_CHARS, required, text_of, unnamed
from playhead.template.values import Raw

THREADS_MAX = 1_024
TTLS_S = {"5s": 5, "1m": 60, "5m": 300, "30m": 1_800, "1h": 3_600}
ACTIVATED = ("analyzer", "parallel_replicas", "optimize_aggregation_in_order")
DISABLED = ("analyzer",)

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa1-\ud7ff\ue000-\U0010ffff]|[\u2028\u2029\ufeff]")
_THREADS = re.compile(r"[0-9]{1,9}")


def comment(name: str, value: object) -> Raw:
    """Return a comment of one line: what would end the line becomes a blank."""
    return Raw(f"-- {name} {_plain(str(value))}\n")


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text[:SHOWN_CHARS])


def max_threads(context: Context, threads: Any) -> Raw:
    """Ask for at most so many threads."""
    text = _given(context, threads)
    if text is None:
        return comment("max_threads", 0)
    if _THREADS.fullmatch(text) is None or not 1 <= int(text) <= THREADS_MAX:
        raise TemplateRefused(
            f"max_threads() takes a number from 1 to {THREADS_MAX}, not '{text[:SHOWN_CHARS]}'."
        )
    context.asked.max_threads = int(text)
    return comment("max_threads", text)


def backend_hint(context: Context, hint: Any) -> Raw:
    """Keep a hint for the backend. There is one backend here, so it changes nothing."""
    text = _plain(_given(context, hint) or "")
    context.asked.backend_hint = text
    return comment("backend_hint", text)


def cache_ttl(context: Context, ttl: Any) -> Raw:
    """Let answers be kept for a while."""
    text = _one_of("cache_ttl", _given(context, ttl), tuple(TTLS_S))
    if text:
        context.asked.cache_ttl_s = TTLS_S[text]
    return comment("cache_ttl", text)


def activate(context: Context, feature: Any) -> Raw:
    """Switch a feature of the engine on."""
    text = _one_of("activate", _given(context, feature), ACTIVATED)
    if text:
        context.asked.activate.append(text)
    return comment("activate", text)


def disable(context: Context, feature: Any) -> Raw:
    """Switch a feature of the engine off."""
    text = _one_of("disable", _given(context, feature), DISABLED)
    if text:
        context.asked.disable.append(text)
    return comment("disable", text)


def _given(context: Context, x: Any) -> str | None:
    """Return the text of the argument; None for an absent parameter in check mode."""
    value = unnamed(x)[0]
    if value is None and not context.checking:
        raise required(context)
    return None if value is None or isinstance(value, Placeholder) else text_of(value)


def _one_of(function: str, text: str | None, allowed: tuple[str, ...]) -> str:
    if text is not None and text not in allowed:
        raise TemplateInvalid(
            f"{function}() does not know '{text[:SHOWN_CHARS]}'.",
            hint=f"It takes {', '.join(allowed)}.",
        )
    return text or ""
