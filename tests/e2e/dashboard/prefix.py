"""A proxy that serves a Playhead below a path, as a web server in front of it would."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Prefix:
    """Takes requests below `prefix`, hands them on without it, and passes bytes on as they come."""

    def __init__(self, prefix: str, port: int) -> None:
        self._prefix = prefix
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}{self._prefix}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._handed_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    async def _handed_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, version = head[0].split(" ")
        path = target.partition("?")[0]
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            writer.write(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        inside = target.removeprefix(self._prefix)
        inside = inside if inside.startswith("/") else f"/{inside}"
        kept = [line for line in head[1:-2] if not line.lower().startswith("connection:")]
        lines = [f"{method} {inside} {version}", *kept, "Connection: close", "", ""]
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            up_writer.write("\r\n".join(lines).encode("latin-1"))
            request = asyncio.create_task(_passed(reader, up_writer))
            await _passed(up_reader, writer)
            request.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await request
        finally:
            up_writer.close()


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
