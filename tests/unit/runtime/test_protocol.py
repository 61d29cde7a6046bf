import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest
from uvicorn.server import ServerState

from playhead.config import Config, Limits
from playhead.runtime import protocol
from playhead.runtime.connections import Connections
from playhead.runtime.protocol import Connection, ServerConfig

BODY = b"a" * (16 << 20)
"""More than the buffers of both ends hold."""


async def application(_: Any, __: Any, send: Any) -> None:
    headers = [(b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


class Watched(Connection):
    """Says when it was ended and when it was lost."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ended, self.lost = asyncio.Event(), asyncio.Event()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


async def _slowly(limits: Limits, *, reads: bool) -> tuple[int, int]:
    """Ask, be slow until the server ends the connection; return bytes received, connections open."""
    connections = Connections(Config(), 100_000)
    config = ServerConfig(
        application,
        connections=connections,
        limits=limits,
        ws="none",
        timeout_keep_alive=0,
        log_config=None,
    )
    made = Watched(config, ServerState(), {})
    server = await asyncio.get_running_loop().create_server(lambda: made, "127.0.0.1", 0)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        await asyncio.to_thread(client.connect, server.sockets[0].getsockname())
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await made.ended.wait()
        if not reads:
            await made.lost.wait()
        await asyncio.sleep(0.05)  # an end that comes too early has come by now
        got = await asyncio.to_thread(_all_of, client)
    await made.lost.wait()
    server.close()
    return got, connections.count


def _all_of(client: socket.socket) -> int:
    got = 0
    with suppress(ConnectionResetError):
        while piece := client.recv(1 << 20):
            got += len(piece)
    return got


async def test_an_idle_connection_that_still_takes_its_answer_gets_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "LINGER_S", 0.0)
    got, _ = await asyncio.wait_for(_slowly(Limits(), reads=True), 60)
    assert got > len(BODY)


async def test_one_that_takes_nothing_more_is_let_go() -> None:
    limits = Limits(send_stalled_ms=100)
    got, left = await asyncio.wait_for(_slowly(limits, reads=False), 60)
    assert got < len(BODY)
    assert left == 0
