"""The blocking HTTP transport over a Unix socket.

httpcore2 leaves the socket of a refused connection to the garbage collector, which Python reports
as a leak; a store that is being restarted refuses many. So each new connection is tried first.
"""

import socket
from collections.abc import Iterable

import httpcore2
import httpx2


class UnixTransport(httpx2.HTTPTransport):
    """Sends requests to a Unix socket, with a pool of connections."""

    def __init__(self, path: str, limits: httpx2.Limits) -> None:
        self._pool = httpcore2.ConnectionPool(
            uds=path,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Trying(),
        )


class _Trying(httpcore2.SyncBackend):
    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.settimeout(timeout)
            try:
                trial.connect(path)
            except OSError as error:
                raise httpcore2.ConnectError(str(error)) from error
        return super().connect_unix_socket(path, timeout, socket_options)
