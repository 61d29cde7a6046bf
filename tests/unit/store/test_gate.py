import asyncio

import pytest

from playhead.errors import StoreBusy
from playhead.store.gate import Gate


async def test_only_so_many_run_at_once() -> None:
    gate = Gate("read", slots=2, waiting_max=10, wait_ms=10_000)
    most = 0

    async def one() -> None:
        nonlocal most
        async with gate.enter():
            most = max(most, gate.running)
            await asyncio.sleep(0)

    await asyncio.gather(*(one() for _ in range(9)))
    assert (most, gate.running, gate.waiting) == (2, 0, 0)


async def test_a_full_queue_refuses_at_once() -> None:
    gate = Gate("read", slots=1, waiting_max=0, wait_ms=10_000)
    async with gate.enter():
        with pytest.raises(StoreBusy, match="waiting"):
            async with gate.enter():
                pass
    assert gate.waiting == 0


async def test_a_wait_ends_and_leaves_the_slot_free() -> None:
    gate = Gate("read", slots=1, waiting_max=1, wait_ms=1)
    async with gate.enter():
        with pytest.raises(StoreBusy, match="came free"):
            async with gate.enter():
                pass
    async with gate.enter():
        assert gate.running == 1
