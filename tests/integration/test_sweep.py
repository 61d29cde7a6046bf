"""Rows of other tables that name a viewer: all of them go, or it is said that some are left."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from playhead.errors import Conflict
from playhead.privacy import sweep as module
from playhead.privacy.sweep import sweep
from playhead.privacy.tables import Found
from playhead.privacy.viewer import Viewer
from playhead.store.client import AsyncStoreClient
from support.running_store import running_store

TABLE = Found("playhead", "plays", "viewer = {viewer:String}", ("viewer", "n"))


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStoreClient]:
    with running_store(tmp_path) as running:
        client = AsyncStoreClient(running.location)
        await client.command("CREATE DATABASE IF NOT EXISTS playhead")
        await client.command(
            "CREATE TABLE playhead.plays (viewer String, n UInt8) ENGINE = MergeTree ORDER BY n"
        )
        await client.command(
            "INSERT INTO playhead.plays SELECT if(number < 3, 'anna', 'ben'), number FROM numbers(5)"
        )
        yield client
        await client.close()


async def left(store: AsyncStoreClient) -> list[int]:
    return [row[0] for row in (await store.rows("SELECT n FROM playhead.plays ORDER BY n")).rows]


async def test_rows_that_name_a_viewer_go(store: AsyncStoreClient) -> None:
    assert await sweep(store, Viewer("anna"), [TABLE]) == {"playhead.plays": 3}
    assert await left(store) == [3, 4]


async def test_what_one_call_does_not_take_is_said(
    store: AsyncStoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_PER_STATEMENT", 1)
    monkeypatch.setattr(module, "ROUNDS_MAX", 2)
    with pytest.raises(Conflict, match="2 of them are gone"):
        await sweep(store, Viewer("anna"), [TABLE])
    assert await sweep(store, Viewer("anna"), [TABLE]) == {"playhead.plays": 1}
    assert await left(store) == [3, 4]
