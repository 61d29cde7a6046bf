"""A client of pages that the server keeps on a shelf, without the rest of the server."""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from playhead.errors import PlayheadError
from playhead.serve import shelf
from playhead.serve.answer import failure


def shelf_client(
    routes: Callable[[], Iterable[BaseRoute]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> httpx2.AsyncClient:
    """Return a client of the routes made while the built pages lie in `folder`."""
    monkeypatch.setattr(shelf, "dashboard", lambda: folder)

    async def told(_: object, error: Exception) -> object:
        assert isinstance(error, PlayheadError)
        return failure(error)

    app = Starlette(routes=list(routes()), exception_handlers={PlayheadError: told})  # type: ignore[dict-item]
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x")
