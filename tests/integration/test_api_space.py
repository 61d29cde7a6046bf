"""`/v1/space` over a real store: what is there is named, and adds up to what `du` says."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from playhead.config import Retention
from playhead.process.retention import NOTE
from playhead.serve.space import outlook
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore, running_store

__all__ = ["api", "store"]
HOUR_MS = 3_600_000


def du(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


async def items(api: Answering) -> dict[str, Any]:
    return {one["id"]: one for one in (await api.data("/v1/space"))["items"]}


async def test_the_items_add_up_to_what_du_says(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row() for _ in range(50)))
    before = du(store.data)
    data = await api.data("/v1/space")
    assert sum(one["bytes"] for one in data["items"]) == data["data_bytes"]
    # Merges may go on between both looks.
    assert abs(data["data_bytes"] - before) < 0.2 * before


async def test_a_table_tells_its_rows_days_and_rule(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(first_seen_day="2026-01-02"), view_row())
    views = (await items(api))["playhead.views"]
    assert (views["rows"], views["oldest"], views["kind"]) == (2, "2026-01-02", "playhead")
    assert views["kept"] == "400 days after first_seen_day"
    assert views["bytes"] >= views["live_bytes"] > 0


async def test_an_answer_is_not_looked_up_twice_in_a_moment(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row())
    first = (await items(api))["playhead.views"]["rows"]
    insert_views(store, view_row())
    again = (await items(api))["playhead.views"]["rows"]
    api.clock.advance(60_000)
    assert (first, again, (await items(api))["playhead.views"]["rows"]) == (1, 1, 2)


async def test_growth_is_told_from_the_samples(api: Answering, store: RunningStore) -> None:
    sample = outlook.Sample(
        at_ms=NOW_MS - 24 * HOUR_MS,
        free_bytes=1 << 50,
        total_bytes=shutil.disk_usage(store.data).total,
        data_bytes=0,
        items={"playhead.views": 0},
    )
    outlook.write_samples(store.data, [sample])
    insert_views(store, view_row())
    app = Answering(store, store.data / "other")
    data = await app.data("/v1/space")
    await app.close()
    views = next(one for one in data["items"] if one["id"] == "playhead.views")
    (store.data / outlook.FILE).unlink()
    assert views["growth_bytes_per_day"] == views["bytes"]
    assert data["disk"]["growth_bytes_per_day"] > 0


async def test_what_went_because_of_size_is_told(api: Answering) -> None:
    api.ledger.note(
        **{NOTE: '{"playhead.events":{"rows":7,"bytes":9,"days":1,"last_day":"2026-01-02"}}'}
    )
    removed = (await api.data("/v1/space"))["removed"]
    assert removed["playhead.events"]["rows"] == 7
    assert Retention().event_bytes == 0


async def test_an_answer_without_names_is_not_held(tmp_path: Path) -> None:
    with running_store(tmp_path / "data") as first:
        app = Answering(first, tmp_path)
        first.process.kill()
        first.process.wait()
        without = await app.data("/v1/space")
        app.clock.advance(1_000)
        with running_store(tmp_path / "data"):
            again = await app.data("/v1/space")
        await app.close()
    assert (without["complete"], again["complete"]) == (False, True)


async def test_a_store_that_is_away_leaves_sizes_without_names(tmp_path: Path) -> None:
    with running_store(tmp_path / "data") as gone:
        app = Answering(gone, tmp_path)
        gone.process.kill()
        gone.process.wait()
        data = await app.data("/v1/space")
        await app.close()
    named = {one["id"] for one in data["items"]}
    assert (data["complete"], "tables" in named) == (False, True)
    assert sum(one["bytes"] for one in data["items"]) == data["data_bytes"] > 0


@pytest.mark.parametrize(
    ("kind", "property_"), [("read", None), ("admin", "shop"), ("write", None)]
)
async def test_only_an_admin_of_everything_is_told(
    api: Answering, kind: str, property_: str | None
) -> None:
    token = api.token(kind, property_)
    response = await api.get("/v1/space", token=token)
    assert response.status_code == 403
    assert "space" in response.json()["message"] or kind == "write"
