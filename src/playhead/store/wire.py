"""Requests over the store's socket with little work each: the connections of httpx2 without its client.

Of a short query's time in the asking process, most was making and taking apart what only a client of
the open network needs: cookies, redirects, proxies, authentication.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

import httpcore2
import httpx2
import msgspec

URL_CHARS_MAX: Final = 65_536
_REMEMBERED_CHARS: Final = 200
"""Longer values differ from request to request: how they are written is not remembered."""
_NAMED: Final = (
    "ConnectError", "ConnectTimeout", "LocalProtocolError", "PoolTimeout", "ReadError",
    "ReadTimeout", "RemoteProtocolError", "WriteError", "WriteTimeout",
)  # fmt: skip
_SAME: Final[dict[type[Exception], type[httpx2.TransportError]]] = {
    getattr(httpcore2, name): getattr(httpx2, name) for name in _NAMED
}
"""Both name their errors alike; callers know those of httpx2."""


class Reply(msgspec.Struct):
    """An answer of the store, whole; names of headers in small letters."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")


class Wire:
    """Connections to one socket; a request that is cancelled or late ends its connection.

    The store sees that and ends the query.
    """

    def __init__(self, path: str, *, connections_max: int, keep_s: float) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            uds=path,
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=keep_s,
        )

    async def post(
        self,
        arguments: Mapping[str, str],
        content: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        connect_s: float,
    ) -> Reply:
        """Return the answer to a POST.

        Args:
            arguments: Of the address.
            content: The body.
            headers: Besides host and length.
            timeout_s: The longest silence of the store, and the longest wait for a connection.
            connect_s: The longest wait for the store to take a connection.

        Raises:
            httpx2.HTTPError: As a client of httpx2 would.
            httpx2.InvalidURL: The address is longer than 64 KiB.
        """
        address = httpcore2.URL(scheme=b"http", host=b"store", target=_target(arguments))
        sent = [(b"host", b"store"), (b"content-length", str(len(content)).encode())]
        sent += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        waits = {"connect": connect_s, "read": timeout_s, "write": timeout_s, "pool": timeout_s}
        try:
            response = await self._pool.request(
                "POST", address, headers=sent, content=content, extensions={"timeout": waits}
            )
        except tuple(_SAME) as error:
            raise _SAME[type(error)](str(error)) from error
        told = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
        return Reply(response.status, told, response.content)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def _target(arguments: Mapping[str, str]) -> bytes:
    address = "/?" + "&".join(
        [
            _remembered(name, value) if len(value) <= _REMEMBERED_CHARS else _written(name, value)
            for name, value in arguments.items()
        ]
    )
    if len(address) > URL_CHARS_MAX:
        raise httpx2.InvalidURL("URL too long")
    return address.encode()


def _written(name: str, value: str) -> str:
    return f"{quote_plus(name)}={quote_plus(value)}"


_remembered = lru_cache(2_048)(_written)
