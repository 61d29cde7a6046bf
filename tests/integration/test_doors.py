"""The doors behind a real HTTP server, with the log's own appender: what clients in the field do."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec
import pytest
import uvicorn

from playhead.access import Tokens
from playhead.clock import SystemClock
from playhead.collect.door import Receive, Scope, Send
from playhead.collect.doors import doors
from playhead.collect.refusals import Refusals
from playhead.config import Collect, Config
from playhead.log.appender import Appender
from playhead.log.base import Record
from playhead.log.memory import MemoryLog
from playhead.model.event import Event, Meta
from playhead.model.telemetry import decode

EXAMPLE = """
{"eventId": "uuid", "viewerId": "user123", "sessionId": "session-abc", "eventType": "PLAY", "timestamp": 1765837003411, "playbackPositionSec": 12.5,
 "quality": {"bitrateKbps": 3000, "resolution": "720p", "width": 1280, "height": 720},
 "buffering": {"startedAt": 1765837003000, "endedAt": 1765837003411, "durationMs": 411},
 "network": {"downlinkMbps": 10, "rttMs": 50, "effectiveType": "4g"},
 "device": {"browser": "Chrome", "os": "Mac", "screenWidth": 1920, "screenHeight": 1080},
 "player": {"decodedFrames": 1200, "droppedFrames": 2, "fps": 30, "bufferLengthSec": 8.2},
 "engagement": {"totalWatchTime": 5000, "totalPauseTime": 0, "interactionCount": 3},
 "error": {"type": "networkError", "details": "fragLoadError", "fatal": false}}
"""


class Place:
    """A running server, its log and its tokens."""

    def __init__(self, url: str, log: MemoryLog, tokens: Tokens) -> None:
        self.url = url
        self.log = log
        self.tokens = tokens
        self.client = httpx2.AsyncClient(base_url=url)

    def records(self) -> list[Record]:
        found = self.log.read(0, max_records=1_000, max_bytes=1 << 30)
        return [record for record in found if record.events]

    def meta(self) -> Meta:
        return msgspec.json.decode(self.records()[-1].meta, type=Meta)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    config = Config(collect=Collect(body_timeout_ms=200, max_body_bytes=100_000))
    clock = SystemClock()
    log = MemoryLog(config.log, clock)
    appender = Appender(log, config.log, clock)
    tokens = Tokens(tmp_path / "access.db", clock)
    paths = doors(config, appender.append, tokens, clock, Refusals())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await paths[scope["path"]](scope, receive, send)

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_level="error", proxy_headers=False)
    )
    serving = asyncio.create_task(server.serve([listening]))
    made = Place(f"http://127.0.0.1:{listening.getsockname()[1]}", log, tokens)
    yield made
    await made.client.aclose()
    server.should_exit = True
    await serving
    await appender.close()
    tokens.close()
    listening.close()


def now(text: str = EXAMPLE) -> str:
    """The example as a client sends it today."""
    return text.replace("1765837003", str(SystemClock().now_ms())[:-3])


@pytest.mark.parametrize("path", ["/telemetry", "/v1/telemetry"])
async def test_the_published_example_is_taken_as_it_is(place: Place, path: str) -> None:
    text = now()
    got = await place.client.post(path, content=text, headers={"Content-Type": "application/json"})
    assert (got.status_code, got.json()) == (200, {"ok": True, "accepted": 1, "rejected": []})
    record = place.records()[0]
    assert (record.door, record.key, record.events) == ("telemetry", "session-abc", 1)
    event = decode(record.body)[0]
    assert isinstance(event, Event)
    assert msgspec.to_builtins(event) == msgspec.json.decode(text) | {
        "error": {"type": "networkError", "details": "fragLoadError"}
    }
    context = place.meta().context
    assert (context.browser, context.os) == ("Chrome", "macOS")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://tv.example"},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
    ],
)
async def test_a_beacon_or_any_client_sends_a_batch(place: Place, headers: dict[str, str]) -> None:
    got = await place.client.post("/telemetry", content=f"[{now()},{now()}]", headers=headers)
    assert got.json()["accepted"] == 2
    assert got.headers["access-control-allow-origin"] == "*"


async def test_a_retried_batch_with_fields_nobody_knows_is_kept_whole(place: Place) -> None:
    event = msgspec.json.decode(now()) | {"_retryCount": 2, "pageId": {"a": [1]}}
    got = await place.client.post("/telemetry", json=[event])
    assert got.json()["rejected"] == []
    assert msgspec.json.decode(place.records()[0].body) == [event]


async def test_a_packed_body_is_stored_unpacked(place: Place) -> None:
    packed = gzip.compress(f"[{now()}]".encode())
    got = await place.client.post(
        "/telemetry", content=packed, headers={"Content-Encoding": "gzip"}
    )
    assert got.json()["accepted"] == 1
    assert place.records()[0].body.startswith(b"[")


async def test_a_page_asks_before_it_sends(place: Place) -> None:
    got = await place.client.options(
        "/telemetry",
        headers={
            "Origin": "https://tv.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-playhead-key",
        },
    )
    assert (got.status_code, got.content) == (204, b"")
    assert got.headers["access-control-allow-origin"] == "*"
    assert "x-playhead-key" in got.headers["access-control-allow-headers"]


async def test_a_key_decides_the_property(place: Place) -> None:
    _, secret = place.tokens.create("write", "page", "kids")
    assert (await place.client.post(f"/telemetry?key={secret}", content=now())).is_success
    assert place.meta().context.property == "kids"
    refused = await place.client.post("/telemetry?key=wrong", content=now())
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_a_body_that_never_ends_is_closed(place: Place) -> None:
    port = int(place.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n[")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body_timeout" in answer
    assert place.records() == []
    writer.close()
    await writer.wait_closed()


async def test_a_body_too_large_is_refused_before_it_is_sent(place: Place) -> None:
    port = int(place.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 413 ")
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_leaves_midway_stores_nothing(place: Place) -> None:
    port = int(place.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n[")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await place.client.post("/telemetry", content=now())).is_success
    assert len(place.records()) == 1
