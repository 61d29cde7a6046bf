"""The values of dimensions over a real store process."""

from typing import Any

import pytest

from playhead.query.catalogue import catalogue
from support.answering import Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]


async def test_values_come_with_their_views_most_first(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(cdn=cdn) for cdn in "abbccc"), view_row(cdn="d", bot=True))
    rows = await api.data("/v1/dimensions/cdn")
    assert rows == [
        {"value": "c", "views": 3}, {"value": "b", "views": 2}, {"value": "a", "views": 1},
    ]  # fmt: skip
    response = (await api.get("/v1/dimensions/cdn", limit=1)).json()
    assert (response["data"], response["meta"]["more"]) == (rows[:1], True)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "film"}, ["a Film", "film 1", "Film 2"]),
        ({"q": "FILM", "match": "prefix"}, ["film 1", "Film 2"]),
        ({"q": "ä"}, ["Ärger"]),
        ({"q": "%"}, ["100%"]),
        ({"q": "' OR 1=1 --"}, []),
        ({"q": "\\"}, []),
        ({"q": "NaN"}, []),
        ({"q": "x" * 10_000}, []),
        ({"q": ""}, ["", "100%", "a Film", "film 1", "Film 2", "Ärger"]),
    ],
)
async def test_values_are_searched_in_any_case(
    api: Answering, store: RunningStore, asked: dict[str, str], found: list[str]
) -> None:
    titles = ["film 1", "Film 2", "a Film", "Ärger", "100%", ""]
    insert_views(store, *(view_row(video_title=title) for title in titles))
    rows = await api.data("/v1/dimensions/video_title", **asked)
    assert sorted(row["value"] for row in rows) == sorted(found)


async def test_a_video_has_its_newest_title_and_is_found_by_it(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        view_row(
            video_id="v1", video_title="Old name", started_at=view_row()["started_at"] - 1_000
        ),
        view_row(video_id="v1", video_title="New name"),
        view_row(video_id="v2", video_title=""),
    )
    rows = await api.data("/v1/dimensions/video_id")
    assert [(row["value"], row["title"]) for row in rows] == [("v1", "New name"), ("v2", "")]
    assert [row["value"] for row in await api.data("/v1/dimensions/video_id", q="new n")] == ["v1"]


async def test_custom_keys_are_listed_and_have_values(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        view_row(custom={"plan": "gold", "ab": "1"}),
        view_row(custom={"plan": "free"}),
        view_row(custom={"secret": "x"}, property="other"),
    )
    mine = api.token("read", "default")
    listed = await api.data("/v1/dimensions", token=mine)
    assert [(row["id"], row["views"]) for row in listed if row["views"]] == [
        ("custom.plan", 2), ("custom.ab", 1),
    ]  # fmt: skip
    assert {row["id"] for row in listed} >= set(catalogue().dimensions)
    values = await api.data("/v1/dimensions/custom.plan", filters="custom.ab:1")
    assert values == [{"value": "gold", "views": 1}]
    assert (await api.get("/v1/dimensions", limit=1)).json()["meta"]["more"] is True


@pytest.mark.parametrize("source", ["views", "renditions", "requests", "cdn", "frames"])
async def test_every_dimension_of_every_source_answers(api: Answering, source: str) -> None:
    for name in catalogue().dimensions_of(source):  # type: ignore[arg-type]
        response = await api.get(f"/v1/dimensions/{name}", source=source, q="x")
        assert response.status_code == 200, response.text
        assert response.json()["meta"]["source"] == source


async def test_a_dimension_of_no_views_is_of_its_own_rows(api: Answering) -> None:
    assert (await api.get("/v1/dimensions/pop")).json()["meta"]["source"] == "cdn"
    assert (await api.get("/v1/dimensions/stream_id")).json()["meta"]["source"] == "frames"


async def test_csv_and_ndjson_hold_the_rows(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(cdn="=1+1"))
    assert (await api.get("/v1/dimensions/cdn", format="csv")).text == "value,views\r\n'=1+1,1\r\n"
    text = (await api.get("/v1/dimensions/cdn", format="ndjson")).text
    assert text == '{"value":"=1+1","views":1}\n'


@pytest.mark.parametrize("name", ["nothing", "custom.", "custom.a'b", "view_key", "cdn; DROP"])
async def test_an_unknown_dimension_is_not_found(api: Answering, name: str) -> None:
    response = await api.get(f"/v1/dimensions/{name}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "1001"}, {"limit": "1e999"}, {"match": "regex"}, {"source": "cdn' --"},
        {"source": "frames"}, {"group_by": "cdn"}, {"filters": "nothing:x"}, {"from_": "inf"},
        {"q": ["a", "b"]},
    ],
)  # fmt: skip
async def test_what_is_no_question_for_values_is_refused(
    api: Answering, asked: dict[str, Any]
) -> None:
    response = await api.get("/v1/dimensions/country", **asked)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["/v1/dimensions", "/v1/dimensions/cdn", "/v1/compare"])
async def test_nobody_reads_without_a_token(api: Answering, path: str) -> None:
    response = await api.get(path, token="")
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
