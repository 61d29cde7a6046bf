import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from playhead.store.wire import URL_CHARS_MAX, Reply, Wire

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(folder: Path, handler: Handler) -> AsyncIterator[Wire]:
    path = str(folder / "s")
    talks: list[asyncio.Future[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = asyncio.get_running_loop().create_future()
        talks.append(over)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set_result(None)

    async with await asyncio.start_unix_server(talk, path):
        wire = Wire(path, connections_max=2, keep_s=20.0)
        yield wire
        await wire.close()
        await asyncio.gather(*talks)


async def post(wire: Wire, *, timeout_s: float = 5.0, **arguments: str) -> Reply:
    return await wire.post(arguments, b"SELECT 1", {}, timeout_s=timeout_s, connect_s=2.0)


async def requested(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(8)


async def test_a_connection_is_used_again_and_values_arrive_as_they_are(tmp_path: Path) -> None:
    seen: list[list[bytes]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append([])
        while not reader.at_eof():
            seen[-1].append(await requested(reader))
            writer.write(b"HTTP/1.1 200 OK\r\nX-Told: a\r\ntransfer-encoding: chunked\r\n\r\n")
            writer.write(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")

    async with served(tmp_path, handler) as wire:
        first = await post(wire, param_a="ä &=+\n")
        second = await post(wire)
    assert (first.content, second.headers["x-told"]) == (b"abc", "a")
    assert [len(one) for one in seen] == [2]
    assert seen[0][0].startswith(b"POST /?param_a=%C3%A4+%26%3D%2B%0A HTTP/1.1\r\n")


async def test_who_stops_waiting_ends_the_connection(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await requested(reader)
        await reader.read()
        ended.set()

    async with served(tmp_path, handler) as wire:
        asking = asyncio.create_task(post(wire))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait_for(ended.wait(), 5)
        ended.clear()
        with pytest.raises(httpx2.ReadTimeout):
            await post(wire, timeout_s=0.05)
        await asyncio.wait_for(ended.wait(), 5)
    assert asking.cancelled()


async def test_an_answer_cut_short_is_an_error_and_the_next_request_has_its_own(
    tmp_path: Path,
) -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", b"no HTTP\r\n\r\n"])

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await requested(reader)
        writer.write(next(answers, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nc"))

    async with served(tmp_path, handler) as wire:
        for _ in range(2):
            with pytest.raises(httpx2.RemoteProtocolError):
                await post(wire)
        assert (await post(wire)).content == b"c"


async def test_no_store_and_too_long_an_address_are_told_apart(tmp_path: Path) -> None:
    wire = Wire(str(tmp_path / "none"), connections_max=1, keep_s=20.0)
    with pytest.raises(httpx2.ConnectError):
        await post(wire)
    with pytest.raises(httpx2.InvalidURL):
        await post(wire, a="x" * URL_CHARS_MAX)


async def test_who_waits_too_long_for_a_connection_is_told(tmp_path: Path) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(tmp_path, handler) as wire:
        busy = [asyncio.create_task(post(wire)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(httpx2.PoolTimeout):
            await post(wire, timeout_s=0.05)
        for one in busy:
            one.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
