"""Views as files: any number, any form, whole or visibly not."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support import parquet
from support.answering import NOW_MS, Answering, answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]
MANY = 3_000


@pytest.fixture
async def small(store: RunningStore, tmp_path: Path) -> AsyncIterator[Answering]:
    """An app whose exports may be neither long nor many."""
    limits: dict[str, Any] = {"max_export_rows": 10, "max_exports": 1, "max_result_bytes": 1_000}
    async with answering(store, tmp_path, **limits) as app:
        yield app


async def test_an_export_holds_more_views_than_any_page(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *[view_row(view_id=f"v{n}") for n in range(MANY)])
    lines = (await api.get("/v1/views/export")).text.splitlines()
    assert {json.loads(line)["view_id"] for line in lines} == {f"v{n}" for n in range(MANY)}


async def test_every_form_says_the_same_as_the_page(
    api: Answering, store: RunningStore, tmp_path: Path
) -> None:
    insert_views(store, view_row(view_id="v1", custom={"plan": "gold"}, startup_ms=700))
    (row,) = await api.data("/v1/views")
    line = (await api.get("/v1/views/export", format="ndjson")).text
    assert json.loads(line) == row
    (cells,) = csv.DictReader(io.StringIO((await api.get("/v1/views", format="csv")).text))
    text = (await api.get("/v1/views/export", format="csv")).text
    (exported,) = csv.DictReader(io.StringIO(text))
    assert exported == cells
    paged = (await api.get("/v1/views", format="parquet")).content
    whole = (await api.get("/v1/views/export", format="parquet")).content
    assert parquet.read(whole, tmp_path) == parquet.read(paged, tmp_path)


async def test_columns_are_chosen_lists_among_them(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 600_000
    playing = ("playing", start, start + 60_000, 3_000)
    insert_views(
        store, view_row(intervals=[playing], watched_from_s=[0.0], watched_to_s=[9.5], cdn="=a")
    )
    asked = {"columns": "cdn,watched,intervals", "from_": "-1h"}
    row = json.loads((await api.get("/v1/views/export", **asked)).text)
    assert list(row) == ["cdn", "watched", "intervals"]
    assert row["watched"] == [{"from_s": 0, "to_s": 9.5}]
    assert (row["intervals"][0]["state"], row["intervals"][0]["bitrate_kbps"]) == ("playing", 3_000)
    text = (await api.get("/v1/views/export", format="csv", **asked)).text
    (cells,) = csv.DictReader(io.StringIO(text))
    assert cells["cdn"] == "'=a"
    assert json.loads(cells["intervals"]) == row["intervals"]


async def test_a_token_exports_its_property_alone(api: Answering, store: RunningStore) -> None:
    insert_views(store, *[view_row(view_id=name, property=name) for name in ("a", "b")])
    insert_views(store, view_row(view_id="robot", property="a", bot=True))
    token = api.token("read", "a")
    for form in ("ndjson", "csv"):
        text = (await api.get("/v1/views/export", token=token, columns="view_id", format=form)).text
        assert "a" in text.split("view_id")[-1]
        assert '"b"' not in text
        assert "robot" not in text
    assert (await api.get("/v1/views/export", token=api.token("write"))).status_code == 403


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"columns": "state"}, "columns"),
        ({"format": "json"}, "not one JSON document"),
        ({"limit": 1}, "not known"),
    ],
)
async def test_what_cannot_be_exported_is_refused(
    api: Answering, asked: dict[str, str], said: str
) -> None:
    response = await api.get("/v1/views/export", **asked)
    assert response.status_code == 400
    assert said in response.json()["message"]


async def test_nothing_to_export_is_an_empty_file(api: Answering, tmp_path: Path) -> None:
    assert (await api.get("/v1/views/export")).content == b""
    text = (await api.get("/v1/views/export", format="csv", columns="view_id,cdn")).text
    assert text.strip() == '"view_id","cdn"'
    body = (await api.get("/v1/views/export", format="parquet", columns="errors")).content
    assert parquet.read(body, tmp_path) == ({"errors": "Nullable(Int64)"}, [])


async def test_beyond_a_limit_it_says_so(small: Answering, store: RunningStore) -> None:
    insert_views(store, *[view_row(view_id=f"{n:0100}") for n in range(20)])
    response = await small.get("/v1/views/export")
    assert (response.status_code, response.json()["code"]) == (413, "result_too_large")
    assert "max_export_rows" in response.json()["hint"]
    response = await small.get("/v1/views/export", format="parquet")
    assert "Parquet" in response.json()["message"]


async def test_exports_beyond_those_at_once_are_told_to_wait(
    small: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row())
    answers = await asyncio.gather(*[small.get("/v1/views/export") for _ in range(3)])
    assert sorted(one.status_code for one in answers) == [200, 503, 503]
    assert (await small.get("/v1/views/export")).status_code == 200
