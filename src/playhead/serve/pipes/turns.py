"""Turns: how many queries of one token run at once, so that one token never takes every slot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playhead.config import Config
from playhead.store.gate import Gate


class Turns:
    """A gate a token, kept while the token has queries under way."""

    def __init__(self, config: Config) -> None:
        self._slots = config.pipes.max_concurrent_per_token
        self._waiting_max = config.pipes.max_waiting_per_token
        self._wait_ms = config.store.max_wait_ms
        self._gates: dict[str, Gate] = {}

    @asynccontextmanager
    async def of(self, token: str) -> AsyncIterator[None]:
        """Hold one of the token's turns while the block runs.

        Raises:
            StoreBusy: As many of its queries as allowed wait, or the wait was longer than allowed.
        """
        gate = self._gates.get(token) or Gate(
            "token's", slots=self._slots, waiting_max=self._waiting_max, wait_ms=self._wait_ms
        )
        self._gates[token] = gate
        try:
            async with gate.enter():
                yield
        finally:
            if not gate.running and not gate.waiting:
                self._gates.pop(token, None)
