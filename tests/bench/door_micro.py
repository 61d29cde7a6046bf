"""What one request costs at the telemetry door, without network: CPU µs through the ASGI callable."""

import asyncio
import tempfile
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from playhead.access import Tokens
from playhead.clock import SystemClock
from playhead.collect.entrance import entrance_of
from playhead.collect.telemetry import TelemetryDoor
from playhead.config import Config
from playhead.log.base import Entry

REQUESTS = 5_000
USER_AGENT = (
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    b" Chrome/140.0.0.0 Safari/537.36"
)


def event(now_ms: int, seq: int, **more: object) -> dict[str, object]:
    return {
        "eventId": f"0192a-uuid-{seq}",
        "viewerId": "user123",
        "sessionId": "session-abc",
        "viewId": "018f-aaa",
        "seq": seq,
        "eventType": "HEARTBEAT",
        "timestamp": now_ms - 100,
        "sentAt": now_ms,
        "playbackPositionSec": 12.5,
        "quality": {"bitrateKbps": 3000, "resolution": "720p", "width": 1280, "height": 720},
        "network": {"downlinkMbps": 10, "rttMs": 50, "effectiveType": "4g"},
        "device": {"browser": "Chrome", "os": "Mac", "screenWidth": 1920, "screenHeight": 1080},
        "player": {"decodedFrames": 1200, "droppedFrames": 2, "fps": 30, "bufferLengthSec": 8.2},
        **more,
    }


def small(now_ms: int, seq: int) -> dict[str, object]:
    return {
        "viewId": "018f-aaa",
        "sessionId": "session-abc",
        "seq": seq,
        "eventType": "HEARTBEAT",
        "timestamp": now_ms - 100,
        "playbackPositionSec": 12.5,
    }


async def measure(door: TelemetryDoor, body: bytes) -> float:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/telemetry",
        "query_string": b"",
        "client": ("127.0.0.1", 50_000),
        "headers": [
            (b"host", b"stats.example"),
            (b"user-agent", USER_AGENT),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"origin", b"https://tv.example"),
            (b"accept", b"*/*"),
        ],
    }
    answers: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    started_s = time.process_time()
    for _ in range(REQUESTS):
        await door(scope, receive, send)
    spent_s = time.process_time() - started_s
    assert set(answers) == {200}, set(answers)
    return spent_s / REQUESTS * 1e6


async def main() -> None:
    async def append(entry: Entry) -> int:
        return entry.events

    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Tokens(Path(folder) / "access.db", clock)
        door = TelemetryDoor(entrance_of(Config(), append, tokens, clock))
        now_ms = clock.now_ms()
        cases = {
            "5 small events": [small(now_ms, i) for i in range(5)],
            "5 events": [event(now_ms, i) for i in range(5)],
            "20 events": [event(now_ms, i) for i in range(20)],
            "20 events, unknown field": [event(now_ms, i, zone="a") for i in range(20)],
            "20 events, custom": [event(now_ms, i, custom={"a": 1}) for i in range(20)],
        }
        for name, events in cases.items():
            body = msgspec.json.encode(events)
            spent_us = min([await measure(door, body) for _ in range(3)])
            print(f"{name:28} {len(body):6} bytes {spent_us:7.1f} µs a request")
        tokens.close()


if __name__ == "__main__":
    asyncio.run(main())
