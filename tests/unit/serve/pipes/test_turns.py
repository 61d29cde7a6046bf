import asyncio

import msgspec
import pytest

from playhead.config import Config, Pipes, Store
from playhead.errors import StoreBusy
from playhead.serve.pipes.turns import Turns

CONFIG = Config(
    pipes=Pipes(max_concurrent_per_token=2, max_waiting_per_token=1), store=Store(max_wait_ms=50)
)


async def held(turns: Turns, token: str, until: asyncio.Event) -> None:
    async with turns.of(token):
        await until.wait()


async def test_one_token_never_takes_every_slot() -> None:
    turns, over = Turns(CONFIG), asyncio.Event()
    busy = [asyncio.create_task(held(turns, "weak", over)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusy):
        await held(turns, "weak", over)
    over.set()
    await asyncio.gather(*busy, held(turns, "other", over))


async def test_a_token_without_queries_leaves_nothing_behind() -> None:
    config = msgspec.structs.replace(CONFIG, pipes=Pipes(max_concurrent_per_token=1))
    turns, over = Turns(config), asyncio.Event()
    first, second = (asyncio.create_task(held(turns, "weak", over)) for _ in range(2))
    await asyncio.sleep(0)
    over.set()
    await asyncio.gather(first, second)
    assert turns._gates == {}
