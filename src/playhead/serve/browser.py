"""What a request says of the browser it comes from: whose page sent it, and whether by https."""

from urllib.parse import urlsplit

from starlette.requests import Request

from playhead.collect.address import Networks
from playhead.config import Config


class Browser:
    """Reads the headers of browsers, and those of trusted proxies before us.

    Raises:
        ConfigInvalid: `collect.trusted_proxies` lists what is no network.
    """

    def __init__(self, config: Config) -> None:
        self._trusts = Networks(config.collect.trusted_proxies, "collect.trusted_proxies").hold

    def is_ours(self, request: Request) -> bool | None:
        """Return whether a page of this server sent the request; None where no browser tells.

        `Sec-Fetch-Site` cannot be set by a page. It is not sent to plain http of another machine;
        there `Origin` must be the host the request went to.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site.lower() == "same-origin"
        origin = request.headers.get("origin")
        if origin is None:
            return None
        hosts = {request.headers.get("host", "").lower(), self._told(request, "x-forwarded-host")}
        try:
            return urlsplit(origin.lower()).netloc in hosts - {""}
        except ValueError:
            return False

    def is_secure(self, request: Request) -> bool:
        """Return whether the browser's own connection is https."""
        return request.url.scheme == "https" or self._told(request, "x-forwarded-proto") == "https"

    def _told(self, request: Request, header: str) -> str:
        """Return what a trusted proxy says of the browser's connection; empty without one."""
        if request.client is None or not self._trusts(request.client.host):
            return ""
        return request.headers.get(header, "").partition(",")[0].strip().lower()
