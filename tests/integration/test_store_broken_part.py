"""A part that cannot be read: whoever asks is told to come again, for a start sets it aside."""

import signal
from pathlib import Path

import pytest

from playhead.errors import StoreUnavailable
from support.running_store import running_store

TABLE = "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a SETTINGS min_bytes_for_wide_part = 0"


def test_a_query_on_a_broken_part_is_told_later_and_no_path(tmp_path: Path) -> None:
    with running_store(tmp_path / "data") as store:
        store.client.command(TABLE)
        store.client.command("INSERT INTO t SELECT number, toString(number) FROM numbers(1000)")
        (path,) = store.client.rows("SELECT path FROM system.parts WHERE table = 't'").rows[0]
        assert store.end(signal.SIGTERM) == 0
    with running_store(tmp_path / "data") as store:
        for file in Path(str(path)).glob("b.*mrk*"):
            file.write_bytes(b"")
        with pytest.raises(StoreUnavailable) as refused:
            store.client.rows("SELECT sum(length(b)) FROM t")
        assert str(tmp_path) not in refused.value.message
        assert store.client.rows("SELECT 1").rows == [[1]]
