"""A query that the engine cannot interrupt does not hold the store for ever."""

from pathlib import Path

import pytest

from playhead.errors import PlayheadError
from playhead.store.result import Limits
from support.running_store import running_store

UNINTERRUPTED = "SELECT hasAll(range(900000), arrayReverse(range(900000)))"


def test_a_query_that_withstands_its_kill_ends_the_process(tmp_path: Path) -> None:
    with running_store(tmp_path / "data", store__stuck_ms=500, server__shutdown_ms=1_500) as store:
        with pytest.raises(PlayheadError):
            store.client.rows(UNINTERRUPTED, limits=Limits(timeout_ms=500))
        assert store.process.wait(15) is not None
    with running_store(tmp_path / "data") as store:
        assert store.client.rows("SELECT 1").rows == [[1]]
