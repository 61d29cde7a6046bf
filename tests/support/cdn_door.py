"""The CDN log door without a network, and what it wrote."""

import asyncio
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import astuple

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.entrance import entrance_of
from playhead.collect.logs.door import CdnLogDoor
from playhead.config import Collect, Config
from playhead.log.base import Entry
from playhead.model.cdn_request import COLUMNS, CdnRequest
from playhead.model.event import Meta, Refusal

NOW = 1_765_837_003_500
_DEFAULTS = astuple(CdnRequest(at=0))


class Sent(msgspec.Struct):
    """An answer, and the entries behind it."""

    status: int
    body: Any
    entries: list[Entry]

    def metas(self) -> list[Meta]:
        return [msgspec.json.decode(entry.meta, type=Meta) for entry in self.entries]

    def lines(self) -> list[Any]:
        """Each line in the log: a row as a list, a refused line as text."""
        bodies = [entry.body for entry in self.entries]
        return [msgspec.json.decode(line) for body in bodies for line in body.split(b"\n")]

    def rows(self) -> list[dict[str, Any]]:
        """The rows by column; those left out have their default."""
        found = [line for line in self.lines() if isinstance(line, list)]
        whole = [[*row, *_DEFAULTS[len(row) :]] for row in found]
        return [dict(zip(COLUMNS, row, strict=True)) for row in whole]

    def refused(self) -> list[Refusal]:
        return [one for meta in self.metas() for one in meta.refused]


class Doorstep:
    """A door with settings, and a way to knock."""

    def __init__(self, *, now_ms: int = NOW, **collect: Any) -> None:
        self._entries: list[Entry] = []
        config = Config(collect=msgspec.convert(collect, Collect))
        clock = ManualClock(now_ms)
        with tempfile.TemporaryDirectory() as folder:
            tokens = Tokens(Path(folder) / "access.db", clock)
            self.door = CdnLogDoor(entrance_of(config, self._append, tokens, clock))
            tokens.close()

    async def _append(self, *entries: Entry) -> int:
        self._entries.extend(entries)
        return 0

    def send(self, body: bytes, query: str = "", **headers: bytes) -> Sent:
        return asyncio.run(self.knock(body, query, **headers))

    async def knock(self, body: bytes, query: str = "", **headers: bytes) -> Sent:
        self._entries.clear()
        sent = Sent(0, None, [])

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                sent.status = message["status"]
            elif message.get("body"):
                sent.body = msgspec.json.decode(message["body"])

        scope = {
            "type": "http",
            "method": "POST",
            "client": ("127.0.0.1", 1),
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), text) for name, text in headers.items()],
        }
        await self.door(scope, receive, send)
        sent.entries = list(self._entries)
        return sent
