"""The lock of a data folder's builds: whoever changes what is live holds it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playhead.build.manifest import FOLDER, LOCK_FILE
from playhead.clock import Clock
from playhead.errors import DataDirBusy
from playhead.log.lock import WriterLock

LOOK_EVERY_S: Final = 0.2
"""How often one that waits looks whether the other has ended."""


@asynccontextmanager
async def locked(data_dir: Path, clock: Clock, wait_s: float) -> AsyncGenerator[None, None]:
    """Hold the lock.

    Raises:
        DataDirBusy: Another has held it for longer than `wait_s`.
    """
    lock = await _taken(data_dir / FOLDER / LOCK_FILE, clock, wait_s)
    try:
        yield
    finally:
        lock.release()


async def _taken(path: Path, clock: Clock, wait_s: float) -> WriterLock:
    until_s = clock.monotonic_s() + wait_s
    while True:
        try:
            return WriterLock(path)
        except DataDirBusy:
            if clock.monotonic_s() >= until_s:
                raise
            await asyncio.sleep(LOOK_EVERY_S)
