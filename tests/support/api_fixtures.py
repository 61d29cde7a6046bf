"""Fixtures of the tests over the API: a store a module, an app and an empty table a test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from support.answering import Answering, answering
from support.running_store import RunningStore, running_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningStore, None, None]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
async def api(store: RunningStore, tmp_path: Path) -> AsyncGenerator[Answering, None]:
    async with answering(store, tmp_path) as app:
        yield app
