"""Internal traffic: your own staff, by the network of an address or the host of a page.

Viewer ids (`collect.internal_viewers`) are not looked at here: a batch of a server may hold many
viewers, and its mark would be on all of them. The fold marks their views, one by one.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from playhead.collect.address import Networks
from playhead.config import Collect
from playhead.model.pattern import any_of

URL_MAX: Final = 2_048
"""Bytes of an Origin or Referer that are looked at."""
_CACHE: Final = 4_096


class Internal:
    """Says whether a batch, or a line of a log, comes from inside.

    Raises:
        ConfigInvalid: An entry of `collect.internal_networks` is neither address nor network.
    """

    def __init__(self, config: Collect) -> None:
        self._networks = Networks(config.internal_networks, "collect.internal_networks")
        self._hosts = any_of([host.lower() for host in config.internal_hosts])

    def address(self, address: str) -> bool:
        """Return whether an address, IPv4 or IPv6, lies in one of the internal networks."""
        return self._networks.hold(address)

    def page(self, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether the page that sends, by Origin or else Referer, is on an internal host."""
        if self._hosts is None:
            return False
        host = host_of(headers.get(b"origin", b"")[:URL_MAX])
        return self.host(host or host_of(headers.get(b"referer", b"")[:URL_MAX]))

    def host(self, host: str) -> bool:
        """Return whether a host, in small letters and without port, is an internal one."""
        return bool(self._hosts and host and self._hosts.match(host))


@lru_cache(maxsize=_CACHE)
def host_of(url: bytes) -> str:
    """Return the host of an address, small letters and no port; empty if it has none (`null`)."""
    try:
        return (urlsplit(url.decode("latin-1")).hostname or "").rstrip(".")
    except ValueError:
        return ""
