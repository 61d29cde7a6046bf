"""Waiting for the worker: one look at its ledger serves all who wait."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from playhead.errors import PlayheadError

LOOK_EVERY_S: Final = 0.05
WAITING_MAX: Final = 10_000
"""Requests that wait at one time; the others are told at once that it is not known."""


class Progress:
    """Tells when everything up to an offset is in the store.

    Args:
        position: Returns the next offset the worker will store; called in a thread.
        wait_ms: How long a caller waits at most.
    """

    def __init__(self, position: Callable[[], int], *, wait_ms: int) -> None:
        self._position = position
        self._wait_s = wait_ms / 1_000
        self._seen = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._looking: asyncio.Task[None] | None = None

    async def stored(self, offset: int) -> bool:
        """Wait until the record at `offset` is in the store; return False if that took too long."""
        if offset < self._seen:
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[done] = offset
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(self._wait_s):
                await done
        except TimeoutError:
            return False
        finally:
            del self._waiting[done]
        return True

    async def _look(self) -> None:
        """Look at the ledger while somebody waits."""
        while self._waiting:
            with suppress(PlayheadError):  # not readable now; whoever waits has a time limit
                self._seen = await asyncio.to_thread(self._position)
            for done, offset in self._waiting.items():
                if offset < self._seen and not done.done():
                    done.set_result(None)
            await asyncio.sleep(LOOK_EVERY_S)
