"""Whose address a request comes from. It lives as long as the request and is never kept."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from playhead.config.file import networks_of

UNKNOWN = ""
FORWARDED_MAX = 32
"""Hops of a forwarding header that are looked at, from the nearest."""
_CACHE = 16_384


class Networks:
    """Addresses and networks (`10.0.0.0/8`) that a setting lists.

    Args:
        texts: The entries.
        setting: Its name, for the message.

    Raises:
        ConfigInvalid: An entry is neither address nor network.
    """

    def __init__(self, texts: Sequence[str], setting: str) -> None:
        self._networks = networks_of(texts, setting)
        self.hold = lru_cache(maxsize=_CACHE)(self._hold)

    def _hold(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)


class Addresses:
    """Finds the client behind trusted proxies.

    Args:
        trusted: Addresses and networks (`10.0.0.0/8`) of proxies whose headers are believed.
        header: Name of the header that names the client, lower case.

    Raises:
        ConfigInvalid: An entry of `trusted` is neither address nor network.
    """

    def __init__(self, trusted: Sequence[str], header: str) -> None:
        self.header = header.lower().encode("latin-1")
        self.trusts = Networks(trusted, "collect.trusted_proxies").hold

    def client(self, peer: str, forwarded: Sequence[bytes]) -> str:
        """Return the client's address, or an empty string when it cannot be known.

        A header counts only as far as trusted proxies wrote it: its entries are read from the
        right, and the first that is no trusted proxy is the client.
        """
        if not forwarded or not self.trusts(peer):
            return peer
        hops = b",".join(forwarded).decode("latin-1").split(",")[-FORWARDED_MAX:]
        nearest = peer
        for hop in reversed(hops):
            parsed = _parse(_bare(hop.strip()))
            if parsed is None:
                break
            nearest = str(parsed)
            if not self.trusts(nearest):
                break
        return nearest


def _bare(hop: str) -> str:
    """Return an entry without its port: `1.2.3.4:80` and `[::1]:80` occur in the field."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed.ipv4_mapped or parsed
    return parsed


@lru_cache(maxsize=_CACHE)
def prefix(address: str) -> str:
    """Return the network an address counts as: /24 of IPv4, /48 of IPv6; empty if it is none."""
    parsed = _parse(address)
    if parsed is None:
        return UNKNOWN
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False).network_address)


@lru_cache(maxsize=_CACHE)
def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


@lru_cache(maxsize=_CACHE)
def sender(address: str) -> str:
    """Return what a rate limit counts: an IPv4 address or the /64 an IPv6 subscriber is given."""
    parsed = _parse(address)
    if parsed is None:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
