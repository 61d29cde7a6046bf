"""Parquet of the answers: the same rows, in types that do not hang on the rows."""

from pathlib import Path

import pytest

from support import parquet
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]


async def test_views_come_as_parquet_with_every_type(
    api: Answering, store: RunningStore, tmp_path: Path
) -> None:
    insert_views(store, view_row(view_id="v'\\{1}", custom={"plan": "gold"}, startup_ms=700))
    response = await api.get("/v1/views", format="parquet")
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    types, (row,) = parquet.read(response.content, tmp_path)
    assert (row["view_id"], row["custom"], row["startup_ms"]) == ("v'\\{1}", '{"plan":"gold"}', 700)
    assert "DateTime64" in types["started_at"]
    assert types["startup_ms"] == "Nullable(Float64)"


@pytest.mark.parametrize("rows", [0, 1])
async def test_types_do_not_hang_on_the_rows(
    api: Answering, store: RunningStore, tmp_path: Path, rows: int
) -> None:
    insert_views(store, *[view_row(started_at=NOW_MS - 600_000) for _ in range(rows)])
    response = await api.get("/v1/metrics/views/breakdown", group_by="cdn", format="parquet")
    types, found = parquet.read(response.content, tmp_path)
    assert types == {
        "group": "Nullable(String)", "value": "Nullable(Float64)", "views": "Nullable(Float64)",
    }  # fmt: skip
    assert len(found) == rows


async def test_faults_are_told_as_in_any_other_form(api: Answering) -> None:
    response = await api.get("/v1/views", token="", format="parquet")
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
