"""Simulated viewers told to a server at once."""

import asyncio
import time

import httpx2

from playhead.simulate.sdk import Timed

LANES = 8
"""Batches of a view go through one connection, so they stay in order."""


async def deliver(url: str, batches: list[Timed]) -> int:
    """Send everything at once; `sentAt` is the time of sending, so no clock looks wrong."""
    accepted = 0
    async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:

        async def lane(mine: list[Timed]) -> None:
            nonlocal accepted
            for timed in mine:
                body = timed.batch.body(int(time.time() * 1000))
                answer = await client.post(
                    f"{url}/telemetry", content=body, headers=timed.batch.headers
                )
                told = answer.json()
                assert told["rejected"] == []
                accepted += told["accepted"]

        lanes: list[list[Timed]] = [[] for _ in range(LANES)]
        for timed in batches:
            lanes[hash(timed.batch.view_id) % LANES].append(timed)
        await asyncio.gather(*map(lane, lanes))
    return accepted
