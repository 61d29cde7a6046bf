"""`/mcp`: who asks is looked at first, then the protocol answers."""

from importlib import import_module
from typing import Final, Protocol

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead.errors import NotFound
from playhead.observe import logger
from playhead.serve.admission import Admission, secret_of
from playhead.serve.mcp.tools import Tools
from playhead.serve.pipes.desk import PipeDesk
from playhead.serve.services import Services

PATH: Final = "/mcp"
_SERVER: Final = "playhead.serve.mcp.server"
_LOG = logger("mcp")


class Serving(Protocol):
    """What answers in the words of the protocol."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...

    def stop(self) -> None:
        """End what runs beside the requests."""
        ...


class McpAnswers:
    """The address of the MCP server, as an ASGI application."""

    def __init__(self, desk: PipeDesk, services: Services, admission: Admission) -> None:
        self._desk = desk
        self._admission = admission
        self._tools = Tools(desk, services)
        self._serving: Serving | None = None

    def routes(self) -> list[Route]:
        """Return the address."""
        return [Route(PATH, self), Route(f"{PATH}/", self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Unauthenticated: No token, or one that is not known; a session's cookie is no token.
            NotFound: The protocol's package is not installed.
        """
        request = Request(scope, receive)
        grant = self._admission.holder_of(secret_of(request)).grant
        request.state.grant = grant
        request.state.home = self._desk.workspaces.of(grant.workspace)
        if self._serving is None:
            self._serving = self._loaded()
        await self._serving.serve(scope, receive, send)

    def stop(self) -> None:
        """End what runs beside the requests."""
        if self._serving is not None:
            self._serving.stop()

    def _loaded(self) -> Serving:
        """Return the protocol; its package is large, and loaded by the first who asks for it."""
        try:
            module = import_module(_SERVER)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types", "pydantic"}:
                raise
            raise NotFound(
                "The MCP server is not installed here.",
                hint="Install it with: pip install 'playhead[mcp]', and start Playhead again.",
            ) from error
        _LOG.info("mcp_loaded")
        found: Serving = module.Protocol(self._tools)
        return found
