"""What the server makes of the request before it: who sent it, through which proxy, by what scheme."""

from typing import Any

from starlette.requests import Request

from playhead.collect.address import Addresses
from playhead.config import Config
from playhead.serve.browser import Browser


class Seen:
    """Tells an admin how his own request looks from here, so that a proxy can be put right.

    Raises:
        ConfigInvalid: `collect.trusted_proxies` lists what is no network.
    """

    def __init__(self, config: Config) -> None:
        collect = config.collect
        self._addresses = Addresses(collect.trusted_proxies, collect.address_header)
        self._browser = Browser(config)

    def of(self, request: Request) -> dict[str, Any]:
        """Return the connection's other end, whether it is a trusted proxy, and whom it names."""
        peer = request.client.host if request.client else ""
        name = self._addresses.header
        forwarded = [value for key, value in request.scope["headers"] if key == name]
        return {
            "peer": peer,
            "peer_trusted": self._addresses.trusts(peer),
            "forwarded": bool(forwarded),
            "client": self._addresses.client(peer, forwarded),
            "scheme": "https" if self._browser.is_secure(request) else "http",
            "host": request.headers.get("host", ""),
            "base_path": request.scope.get("root_path", ""),
        }
