"""The one listening socket."""

import errno
import socket

from playhead.errors import StartupError

BACKLOG = 4_096
"""Connections that wait while the web process restarts."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket.

    Raises:
        StartupError: The address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        hint = "Give --host an address of this machine, or 0.0.0.0 for all of them."
        if error.errno == errno.EADDRINUSE:
            hint = "Stop what uses it, or choose another with --port."
        raise StartupError(
            f"Port {port} on {host} cannot be used: {error.strerror}.", hint=hint
        ) from error
    return listener
