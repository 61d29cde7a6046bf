"""A process that appends until it is killed: `python log_writing.py FOLDER RUN`.

Prints one line per acknowledged batch: its offset and its text.
"""

import asyncio
import os
import sys
from pathlib import Path

from playhead import config
from playhead.clock import SystemClock
from playhead.log.appender import Appender
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog

SETTINGS = config.Log(
    free_space_floor_bytes=0, segment_bytes=100_000, idle_tick_ms=3_600_000, retention_bytes=1 << 40
)
CALLERS = 16


async def main(folder: Path, run: str) -> None:
    clock = SystemClock()
    log = SegmentLog(folder, SETTINGS, clock, writable=True)
    appender = Appender(log, SETTINGS, clock)

    async def caller(number: int) -> None:
        turn = 0
        while True:
            text = f"{run}/{number}/{turn}"
            entry = Entry("telemetry", text, 1, b"{}", f"{text} ".encode() * (turn % 40 + 1))
            offset = await appender.append(entry)
            os.write(1, f"{offset} {text}\n".encode())  # one write: a kill cannot cut the line
            turn += 1

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
