"""Sums of a day do not count any more once a viewer's views were deleted from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.model import view
from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of
from playhead.store.purge import MASKED_SQL, delete_sql, purge_some
from playhead.store.rollup import CURRENT, Rollups
from playhead.store.rollup_carry import carry_over, counting
from support.answering import view_row
from support.rolled import DAY_MS, START_MS, TODAY
from support.running_store import RunningStore, running_store

LAYOUT = layout_of(catalogue())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path / "store") as running:
        yield running


def current(store: RunningStore) -> list[Any]:
    sql = f"SELECT count() FROM ({CURRENT})"
    return store.client.rows(sql, {"layout": LAYOUT.digest()}).rows[0]


def test_a_day_that_somebody_was_deleted_from_is_read_from_its_views(store: RunningStore) -> None:
    rows = [
        view_row(view_id=f"{day}-{n}", started_at=START_MS + day * DAY_MS, viewer_id=f"u{n}",
                 ended_at=START_MS + day * DAY_MS + 1_000)
        for day in range(2) for n in range(3)
    ]  # fmt: skip
    body = msgspec.json.Encoder().encode_lines(
        [[row[name] for name in view.COLUMNS] for row in rows]
    )
    name = "views:1"
    store.client.insert("views", view.COLUMNS, body, token=name)
    rollups = Rollups(store.client, LAYOUT, values_max=100, settled=False)
    rollups.make(TODAY, days_max=9)
    assert current(store) == [2]
    counted = counting(store.client)
    [(partition,)] = store.client.rows(
        "SELECT DISTINCT _partition_id FROM playhead.views WHERE view_id = '0-1'"
    ).rows
    store.client.command(delete_sql("playhead.views", partition, "view_id = '0-1'"))
    assert current(store) == [0]
    carry_over(store.client, counted, except_days=[partition])
    assert current(store) == [1]
    rollups.make(TODAY, days_max=9)
    assert current(store) == [2]
    assert purge_some(store.client) == 1
    assert store.client.rows(MASKED_SQL).rows == []
    assert store.client.rows("SELECT count() FROM playhead.views").rows == [[5]]
