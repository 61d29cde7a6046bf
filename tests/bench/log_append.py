"""Appends per second of the log and its appender: `python tests/bench/log_append.py [seconds]`.

Prints one line per body size and number of concurrent callers, on the disk that holds the
temporary folder (set TMPDIR to choose another).
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from playhead import config
from playhead.clock import SystemClock
from playhead.log.appender import Appender
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog

META = b'{"context":{"country":"DE","region":"BE","asn":3320,"device":"tv","os":"Tizen"}}'


def _body(size: int, seed: int) -> bytes:
    """Return a JSON array of heartbeat-like events, about `size` bytes long."""
    pick = random.Random(seed)
    events: list[dict[str, object]] = []
    while len(json.dumps(events)) < size:
        events.append(
            {
                "eventType": "heartbeat",
                "eventId": f"{pick.getrandbits(128):032x}",
                "sessionId": f"s-{pick.getrandbits(48):012x}",
                "viewId": f"v-{pick.getrandbits(48):012x}",
                "videoId": f"video-{pick.randrange(500)}",
                "timestamp": 1_790_000_000_000 + pick.randrange(10**7),
                "positionMs": pick.randrange(7_200_000),
                "bitrateKbps": pick.choice([800, 1600, 3200, 6400]),
                "player": {"name": "web", "version": "4.2.1"},
                "bufferMs": pick.randrange(30_000),
                "droppedFrames": pick.randrange(12),
            }
        )
    return json.dumps(events).encode()


async def _measure(size: int, callers: int, seconds: float) -> None:
    bodies = [_body(size, seed) for seed in range(200)]
    times_ms: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = config.Log(free_space_floor_bytes=0)
        log = SegmentLog(Path(folder), settings, SystemClock(), writable=True)
        appender = Appender(log, settings, SystemClock())
        until = time.perf_counter() + seconds

        async def caller(number: int) -> None:
            turn = number
            while (started := time.perf_counter()) < until:
                turn += 1
                await appender.append(Entry("bench", "key", 20, META, bodies[turn % 200]))
                times_ms.append((time.perf_counter() - started) * 1000)

        cpu = time.process_time()
        await asyncio.gather(*(caller(number) for number in range(callers)))
        cpu = time.process_time() - cpu
        await appender.close()
        log.close()
    times_ms.sort()
    print(
        f"{len(bodies[0]):>6} B  {callers:>3} callers  {len(times_ms) / seconds:>9,.0f} appends/s"
        f"  p50 {times_ms[len(times_ms) // 2]:6.2f} ms  p99 {times_ms[len(times_ms) * 99 // 100]:6.2f} ms"
        f"  {cpu / len(times_ms) * 1e6:5.1f} us CPU each",
        flush=True,
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    print(f"{os.cpu_count()} cores, disk of {tempfile.gettempdir()}")
    for size in (600, 11_000):
        for callers in (1, 10, 64):
            uvloop.run(_measure(size, callers, seconds))


if __name__ == "__main__":
    main()
