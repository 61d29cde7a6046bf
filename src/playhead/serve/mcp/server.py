"""The protocol itself, by the SDK of its makers; loaded when the first assistant asks."""

import asyncio
from typing import Any, Final

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from playhead import __version__
from playhead.access import Grant
from playhead.errors import PlayheadError, Unauthenticated
from playhead.serve.mcp.tools import Tools

INSTRUCTIONS: Final = (
    "Endpoints of a Playhead project are tools. list_resources names what there is, describe gives"
    " columns and parameters, query runs one SELECT. Results are CSV unless 'format' says otherwise."
)
BODY_BYTES_MAX: Final = 1_048_576


class Protocol:
    """Serves the protocol without sessions: every request brings its token and stands alone."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        server: Server[Any] = Server(
            "playhead",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=BODY_BYTES_MAX
        )
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of somebody who is known."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._ready.wait()
        await self._manager.handle_request(scope, receive, send)

    def stop(self) -> None:
        """End what runs beside the requests."""
        self._stop.set()

    async def _run(self) -> None:
        async with self._manager.run():
            self._ready.set()
            await self._stop.wait()

    async def _list(
        self, ctx: ServerRequestContext[Any], _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        request, grant = _asker(ctx)
        return types.ListToolsResult(
            tools=[
                types.Tool(name=one.name, description=one.description, input_schema=one.schema)
                for one in await self._tools.listed(request, grant)
            ]
        )

    async def _call(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        request, grant = _asker(ctx)
        try:
            text = await self._tools.call(request, grant, params.name, params.arguments or {})
        except PlayheadError as error:
            said = f"{error.message} {error.hint}".strip()
            return types.CallToolResult(
                content=[types.TextContent(type="text", text=said)], is_error=True
            )
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


def _asker(ctx: ServerRequestContext[Any]) -> tuple[Request, Grant]:
    """Return the request and who sent it; what it waits for is the protocol's own affair."""
    request = ctx.request
    grant = getattr(request.state, "grant", None) if isinstance(request, Request) else None
    if not isinstance(request, Request) or not isinstance(grant, Grant):
        raise Unauthenticated
    return Request(request.scope, _never), grant


async def _never() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}
