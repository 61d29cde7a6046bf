"""`GET /docs/errors`: every error code, what happened and what to do; errors link here."""

import html
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import playhead.template.rendering  # noqa: F401 (its errors are in the tree, too)
from playhead.errors import PlayheadError

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Playhead: errors</title>
<h1>Errors</h1><p>Every error is <code>{{code, message, hint, docs}}</code>; codes are stable.</p>
<dl>{entries}</dl></html>
"""
_POLICY = "default-src 'none'; frame-ancestors 'none'"


def kinds() -> Iterator[type[PlayheadError]]:
    """Yield the error tree from the root down, the first class of each code."""
    seen: set[str] = set()
    stack: list[type[PlayheadError]] = [PlayheadError]
    while stack:
        kind = stack.pop()
        if kind.code not in seen:
            seen.add(kind.code)
            yield kind
        stack.extend(reversed(kind.__subclasses__()))


def _entry(kind: type[PlayheadError]) -> str:
    happened = html.escape(" ".join((kind.__doc__ or "").split()))
    return (
        f'<dt id="{kind.code}"><code>{kind.code}</code> (HTTP {kind.status})</dt>'
        f"<dd>{happened} {html.escape(kind.hint)}</dd>"
    )


async def errors_page(_: Request) -> Response:
    """Answer with the list."""
    page = _PAGE.format(entries="".join(_entry(kind) for kind in kinds()))
    return HTMLResponse(page, headers={"content-security-policy": _POLICY})
