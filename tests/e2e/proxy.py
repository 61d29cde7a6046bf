"""The server between player and media: throttles, fails and logs as the lane's rules say.

Paths: `/lib` (players), `/sdk` (our bundles), `/page` (the test's own), and for every lane
`/LANE/media/…` (the streams), `/LANE/relay/…` (handed on to a Playhead), `/LANE/order` and
`/LANE/told` (how a tab is driven that no debugger is attached to).
"""

import asyncio
import contextlib
import mimetypes
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx2

from e2e.lane import Exchange, Lane, Rule, now_ms

CHUNK: Final = 4096
TYPES: Final = {
    ".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html; charset=utf-8",
    ".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment", ".mp4": "video/mp4", ".ts": "video/mp2t",
}  # fmt: skip
OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Access-Control-Allow-Headers": "*, Content-Type, Content-Encoding, Range, CMCD-Request,"
    " CMCD-Object, CMCD-Status, CMCD-Session",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Max-Age": "600",
    "Timing-Allow-Origin": "*",
    "Cache-Control": "no-store",
}
_RELAYED: Final = (
    "content-type", "content-encoding", "user-agent", "authorization", "idempotency-key",
)  # fmt: skip


class CutError(Exception):
    """A rule cuts the connection."""


class Proxy:
    """Serves on two ports, so that the page's origin and the media's are different ones."""

    def __init__(self, folders: Mapping[str, Path], media: Path, relay: str = "") -> None:
        self._folders = dict(folders)
        self._media = media
        self._lanes: dict[str, Lane] = {}
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Task[None]] = set()
        self._relay = httpx2.AsyncClient(base_url=relay, timeout=10)
        self.page_url = self.media_url = ""

    async def start(self) -> None:
        for _ in range(2):
            self._servers.append(await asyncio.start_server(self._connected, "127.0.0.1", 0))
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        self.page_url, self.media_url = (f"http://127.0.0.1:{port}" for port in ports)

    async def stop(self) -> None:
        for lane in self._lanes.values():
            lane.clear()
        for server in self._servers:
            server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._relay.aclose()

    def lane(self) -> Lane:
        """A new lane, empty and without faults."""
        name = f"lane{len(self._lanes) + 1}"
        self._lanes[name] = Lane(name)
        return self._lanes[name]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._answered(reader, writer):
                pass
        except (CutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        url = urlsplit(target)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        exchange = Exchange(method, unquote(url.path), url.query, headers, now_ms(), body=body)
        answer = _Answer(exchange, writer)
        if method == "OPTIONS":
            await answer.short(204)
        else:
            await self._route(answer)
        return headers.get("connection", "").lower() != "close"

    async def _route(self, answer: "_Answer") -> None:
        first, _, rest = answer.exchange.path.lstrip("/").partition("/")
        if first in self._folders:
            await answer.file(self._folders[first] / rest, ())
            return
        lane = self._lanes.get(first)
        kind, _, rest = rest.partition("/")
        if lane is None or kind not in {"media", "relay", "order", "told"}:
            await answer.short(404)
            return
        if kind == "order":
            await answer.send(200, await lane.orders.get(), 0, ())
            return
        if kind == "told":
            lane.answers.put_nowait(answer.exchange.body)
            await answer.short(204)
            return
        lane.log.append(answer.exchange)
        answer.lane = lane
        rules = [rule for rule in lane.rules if rule.applies(answer.exchange.path)]
        for rule in rules:
            answer.headers |= rule.headers
            await asyncio.sleep(rule.delay_s)
        if status := next((rule.status for rule in rules if rule.status), 0):
            await answer.short(status)
        elif kind == "relay":
            await self._relayed(answer, f"/{rest}", rules)
        else:
            await answer.file(self._media / rest, rules)

    async def _relayed(self, answer: "_Answer", path: str, rules: Iterable[Rule]) -> None:
        asked = answer.exchange
        headers = {name: value for name, value in asked.headers.items() if name in _RELAYED}
        path += f"?{asked.query}" if asked.query else ""
        try:
            said = await self._relay.request(
                asked.method, path, content=asked.body, headers=headers
            )
        except httpx2.HTTPError as lost:
            raise CutError from lost
        if any(rule.cut_at == -1 for rule in rules):
            asked.status = said.status_code
            raise CutError
        if "retry-after" in said.headers:
            answer.headers["Retry-After"] = said.headers["retry-after"]
        answer.headers["Content-Type"] = said.headers.get("content-type", "application/json")
        await answer.send(said.status_code, said.content, 0, ())


class _Answer:
    """Writes one answer, as slowly as the lane wants it."""

    def __init__(self, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        self.exchange = exchange
        self.lane: Lane | None = None
        self.headers: dict[str, str] = dict(OPEN)
        self._writer = writer

    async def short(self, status: int) -> None:
        await self.send(status, b"", 0, ())

    async def file(self, path: Path, rules: Iterable[Rule]) -> None:
        if not path.is_file():
            await self.short(404)
            return
        whole = path.read_bytes()
        self.headers["Content-Type"] = (
            TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
        )
        self.headers["Accept-Ranges"] = "bytes"
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.exchange.headers.get("range", ""))
        if span is None:
            await self.send(200, whole, 0, rules)
            return
        begin = int(span[1])
        if begin >= len(whole):
            self.headers["Content-Range"] = f"bytes */{len(whole)}"
            await self.short(416)
            return
        end = min(int(span[2]) if span[2] else len(whole) - 1, len(whole) - 1)
        self.headers["Content-Range"] = f"bytes {begin}-{end}/{len(whole)}"
        await self.send(206, whole[begin : end + 1], begin, rules)

    async def send(self, status: int, body: bytes, begin: int, rules: Iterable[Rule]) -> None:
        """Head and body; `begin` is where in its file the body begins."""
        held = [rule for rule in rules if rule.held_at is not None]
        for rule in held:
            if rule.held_at == 0:
                await rule.passage()
        told = self.exchange
        told.status = status
        lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'Fault'}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if told.method != "HEAD":
            cuts = [rule.cut_at for rule in rules if rule.cut_at is not None]
            await self._paced(body, begin, held, min(cuts, default=None))
        await self._writer.drain()
        told.ended_at = now_ms()
        told.whole = True

    async def _paced(self, body: bytes, begin: int, held: list[Rule], cut_at: int | None) -> None:
        for at in range(0, len(body), CHUNK):
            piece = body[at : at + CHUNK]
            for rule in held:
                if begin + at + len(piece) > (rule.held_at or 0):
                    await rule.passage()
            if cut_at is not None and begin + at + len(piece) > cut_at:
                raise CutError
            if self.lane is not None:
                await self.lane.link.take(len(piece))
            self._writer.write(piece)
            await self._writer.drain()
            self.exchange.first_byte_at = self.exchange.first_byte_at or now_ms()
            self.exchange.sent += len(piece)
