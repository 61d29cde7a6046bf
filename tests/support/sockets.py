"""A client that does not keep to HTTP: bytes on a socket, and what came back."""

import json
import socket
import time
from types import TracebackType
from typing import Any, NamedTuple, Self

PATIENCE_S = 20.0


class Told(NamedTuple):
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: Any


class Line:
    """A connection to a server; every wait has an end."""

    def __init__(self, port: int, *, receive_bytes: int = 0, source: str = "") -> None:
        self._socket = socket.socket()
        if source:  # any address of 127.0.0.0/8 is this machine
            self._socket.bind((source, 0))
        if receive_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(("127.0.0.1", port))
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def say(self, data: bytes) -> bool:
        """Send; return whether the server still took it."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def drip(self, data: bytes, every_s: float) -> None:
        """Send byte by byte until all is sent or the server has closed."""
        for number in range(len(data)):
            if not self.say(data[number : number + 1]):
                return
            time.sleep(every_s)

    def answer(self) -> Told:
        """Read one answer with a JSON body of known length."""
        head, _, rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", 0))
        while len(rest) < length:
            rest += self._more()
        self._left = rest[length:]
        body = json.loads(rest[:length]) if length else None
        return Told(int(lines[0].split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Wait until the server has closed, throwing away what it still sends."""
        try:
            while self._socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def _until(self, mark: bytes) -> bytes:
        data = self._left
        while mark not in data:
            data += self._more()
        return data

    def _more(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise AssertionError("the server closed without (the whole of) an answer")
        return data
