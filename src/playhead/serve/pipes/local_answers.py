"""`GET /tokens`: how `tb --local` gets the admin token of a server on the same machine."""

import asyncio
import ipaddress
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.config import Config
from playhead.config.file import networks_of
from playhead.errors import Forbidden
from playhead.observe import logger
from playhead.serve.pipes.desk import document
from playhead.serve.services import Services

PATH: Final = "/tokens"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of a proxy: behind one on this machine, every request seems to come from here."""
_OF_PAGES: Final = ("origin", "referer", "sec-fetch-site")
"""Headers that a browser sends and `tb` does not."""
_LOG = logger("local")


class LocalAnswers:
    """Hands out the admin token, to programs on this machine only, and only where that is switched on."""

    def __init__(self, services: Services) -> None:
        self._homes = services.homes()
        self._on = services.config.server.tb_local
        self._exposed = exposed(services.config) if self._on else ""
        if self._exposed:
            _LOG.error("tb_local_refused", reason=self._exposed)

    def routes(self) -> list[Route]:
        """Return the address."""
        return [Route(PATH, self.tokens, methods=["GET"])]

    async def tokens(self, request: Request) -> Response:
        """`GET /tokens`.

        Raises:
            Forbidden: It is switched off, others may reach this server, or whoever asks is not a
                program on this machine.
        """
        if not self._on:
            raise Forbidden(
                "'tb --local' is switched off here.",
                hint="Start with 'playhead up --tb-local', or set tb_local = true in [server].",
            )
        if self._exposed:
            raise Forbidden(
                f"'tb --local' is refused here: {self._exposed}.",
                hint="Use 'tb --host URL --token TOKEN', or a server for this machine alone.",
            )
        if not _is_local(request):
            _LOG.warning("tokens_refused")
            raise Forbidden(
                "The tokens are given to programs on this machine only.",
                hint="From elsewhere, use 'tb --host URL --token TOKEN'.",
            )
        secret = await asyncio.to_thread(self._homes.main.secret)
        return document(
            {"user_token": secret, "admin_token": secret, "workspace_admin_token": secret}
        )


def exposed(config: Config) -> str:
    """Return why others than programs on this machine may reach a server; "" = nothing says so.

    A proxy here that adds no header cannot be told from a program; its settings often can.
    """
    if not _is_loopback(config.server.host):
        return f"server.host is {config.server.host}, so other machines reach this server"
    if config.server.base_path:
        return "server.base_path is set, so a proxy stands before this server"
    trusted = networks_of(config.collect.trusted_proxies, "collect.trusted_proxies")
    if not all(one.is_loopback for one in trusted):
        return "collect.trusted_proxies names other machines, so a proxy stands before this server"
    return ""


def _is_local(request: Request) -> bool:
    """Return whether a program on this machine asks: no proxy, no page, no name of another host.

    A page of another site may lead its own name to this machine; then Host says that name.
    """
    if any(name in request.headers for name in (*_FORWARDED, *_OF_PAGES)):
        return False
    host = request.headers.get("host", "").rpartition("]")[0].lstrip("[")
    host = host or request.headers.get("host", "").partition(":")[0]
    return _is_loopback(host) and request.client is not None and _is_loopback(request.client.host)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
