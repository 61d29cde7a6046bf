"""How many statements run at once, how many may wait, and how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playhead.errors import StoreBusy


class Gate:
    """A bounded number of slots with a bounded queue before it, first come first served."""

    def __init__(self, name: str, *, slots: int, waiting_max: int, wait_ms: int) -> None:
        self.name = name
        self.waiting = 0
        self.running = 0
        self._slots = asyncio.Semaphore(slots)
        self._waiting_max = waiting_max
        self._wait_ms = wait_ms

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a slot while the block runs.

        Raises:
            StoreBusy: The queue is full, or the wait was longer than allowed.
        """
        if self._slots.locked():
            await self._wait()
        else:
            await self._slots.acquire()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._slots.release()

    async def _wait(self) -> None:
        if self.waiting >= self._waiting_max:
            raise StoreBusy(f"{self.waiting} {self.name} statements are already waiting.")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_ms / 1000):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreBusy(f"No {self.name} slot came free in {self._wait_ms} ms.") from None
        finally:
            self.waiting -= 1
