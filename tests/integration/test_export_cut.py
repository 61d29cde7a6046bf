"""A broken export over a real connection: the client's own library reports it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import httpx2
import pytest
import uvicorn
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Asgi

from playhead.errors import StoreUnavailable
from playhead.query.export import ExportQuestion
from playhead.query.scope import Scope
from playhead.query.span import Span
from playhead.serve.export_answers import Export
from support.server import free_port

QUESTION = ExportQuestion(span=Span(0, 1), scope=Scope(), columns=("n",), form="ndjson")


async def pieces() -> AsyncGenerator[bytes, None]:
    yield b'{"n":2}\n'
    raise StoreUnavailable


async def pending() -> Message:
    return {"type": "http.request"}


async def app(scope: Asgi, receive: Receive, send: Send) -> None:
    await Export(b'{"n":1}\n', pieces(), QUESTION)(scope, receive, send)


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (it offers no event)
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_the_client_sees_that_it_is_cut() -> None:
    seen = bytearray()

    async def read(url: str) -> None:
        async with httpx2.AsyncClient() as client, client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                seen.extend(chunk)

    async with listening() as url:
        with pytest.raises(httpx2.RemoteProtocolError):
            await read(url)
    assert seen.startswith(b'{"n":1}\n{"n":2}\n')
    assert b'"code":"store_unavailable"' in seen


async def test_who_asks_for_the_head_alone_has_no_file_made() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    rest = pieces()
    scope = {"type": "http", "method": "HEAD", "asgi": {"spec_version": "2.4"}}
    await Export(b'{"n":1}\n', rest, QUESTION)(scope, pending, send)
    assert b"".join(one.get("body", b"") for one in sent) == b""
    assert await anext(rest, None) is None
