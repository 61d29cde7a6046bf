"""Comparisons over a real store process: known rows, known numbers."""

from typing import Any

import pytest

from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PATH = "/v1/compare"


def began(ago_ms: int, **given: Any) -> dict[str, Any]:
    return view_row(started_at=NOW_MS - ago_ms, **given)


async def test_a_period_stands_beside_the_one_before(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(began(ago, startup_ms=ms) for ago, ms in [
        (600_000, 300), (900_000, 500), (HOUR_MS + 600_000, 100),
    ]))  # fmt: skip
    response = await api.get(PATH, metric="startup_time", measurement="avg", from_="-1h")
    assert response.json()["data"] == [{
        "value": 400, "views": 2, "compared_value": 100, "compared_views": 1,
        "change": 300, "change_percentage": 300, "p_value": None,
    }]  # fmt: skip
    meta = response.json()["meta"]
    assert (meta["compare_to"], meta["test"]) == (meta["from"], None)


@pytest.mark.parametrize(
    ("named", "ago_ms"), [("previous_day", DAY_MS), ("previous_week", 7 * DAY_MS)]
)
async def test_a_named_period_lies_that_far_back(
    api: Answering, store: RunningStore, named: str, ago_ms: int
) -> None:
    insert_views(store, began(ago_ms + 600_000), began(ago_ms - 600_000))
    (row,) = await api.data(PATH, metric="views", from_="-1h", compare=named)
    assert (row["value"], row["compared_value"], row["change_percentage"]) == (0, 1, -100)


async def test_the_other_period_may_be_given(api: Answering, store: RunningStore) -> None:
    insert_views(store, began(600_000), *(began(5 * HOUR_MS + 1) for _ in range(3)))
    (row,) = await api.data(
        PATH, metric="views", from_="-1h", compare_from="-6h", compare_to="-5h"
    )  # fmt: skip
    assert (row["value"], row["compared_value"], row["change"]) == (1, 3, -2)


async def test_shares_are_tested_and_nothing_else(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        *(began(120_000 + n, exit_before_start=n < 30, watch_ms=9) for n in range(100)),
        *(began(HOUR_MS + 120_000 + n, exit_before_start=n < 15, watch_ms=9) for n in range(100)),
    )
    (row,) = await api.data(PATH, metric="exits_before_video_start", from_="-1h")
    # z = 0.15 / sqrt(0.225 x 0.775 x 0.02) = 2.5401
    assert (row["change"], row["p_value"]) == (pytest.approx(15), pytest.approx(0.01108, abs=1e-4))
    (row,) = await api.data(PATH, metric="rebuffer_percentage", from_="-1h")
    assert row["p_value"] is None
    same = {"metric": "exits_before_video_start", "from_": "-1h", "compare_to": "now"}
    (row,) = await api.data(PATH, **same, compare_from="-2h")
    assert row["p_value"] is None, "rows of both periods are no two samples"


async def test_groups_of_two_periods_are_paired(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        *(began(600_000, cdn=cdn, watch_ms=10) for cdn in "aab"),
        began(HOUR_MS + 600_000, cdn="a", watch_ms=5),
        began(HOUR_MS + 600_000, cdn="gone", watch_ms=5),
    )
    rows = await api.data(PATH, metric="watch_time", from_="-1h", group_by="cdn")
    assert [(r["group"], r["value"], r["compared_value"], r["change_percentage"]) for r in rows] == [
        ("a", 20, 5, 300), ("b", 10, 0, None),
    ]  # fmt: skip
    first = await api.data(PATH, metric="watch_time", from_="-1h", group_by="cdn", limit=1)
    assert first == rows[:1]


async def test_values_are_compared_with_the_first(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        *(began(600_000, cdn=cdn, startup_ms=ms) for cdn, ms in [
            ("a", 100), ("b", 150), ("b", 250), ("c", 9),
        ]),
    )  # fmt: skip
    rows = await api.data(PATH, metric="startup_time", group_by="cdn", values="a,b,none")
    assert [(r["group"], r["value"], r["views"], r["compared_value"], r["change"]) for r in rows] == [
        ("a", 100, 1, None, None), ("b", 200, 2, 100, 100), ("none", None, 0, 100, None),
    ]  # fmt: skip
    params = {"metric": "startup_time", "group_by": "cdn", "values[]": ["c", "x,y"]}
    assert [row["group"] for row in await api.data(PATH, **params)] == ["c", "x,y"]


async def test_series_of_two_periods_are_aligned(api: Answering, store: RunningStore) -> None:
    insert_views(store, began(600_000), began(DAY_MS + HOUR_MS + 600_000))
    rows = await api.data(
        PATH, metric="views", from_="-2h", compare="previous_day", interval="1h"
    )  # fmt: skip
    assert [(row["value"], row["compared_value"]) for row in rows] == [(0, 1), (1, 0)]
    assert all(row["time"] > row["compared_time"] for row in rows)


async def test_series_of_values_have_every_bucket(api: Answering, store: RunningStore) -> None:
    insert_views(store, began(600_000, cdn="a"), began(HOUR_MS + 600_000, cdn="b"))
    asked = {"metric": "views", "from_": "-2h", "interval": "1h", "group_by": "cdn"}
    rows = await api.data(PATH, **asked, values="a,b,c")
    assert [(row["group"], row["value"], row["compared_value"]) for row in rows] == [
        ("a", 0, None), ("a", 1, None), ("b", 1, 0), ("b", 0, 1), ("c", 0, 0), ("c", 0, 1),
    ]  # fmt: skip


async def test_viewers_at_once_may_be_compared(api: Answering, store: RunningStore) -> None:
    insert_views(store, began(600_000), began(600_000), began(HOUR_MS + 600_000))
    (row,) = await api.data(PATH, metric="concurrent_viewers", from_="-1h")
    assert (row["value"], row["compared_value"], row["change"]) == (2, 1, 1)


async def test_a_comparison_heeds_filters_and_property(api: Answering, store: RunningStore) -> None:
    rows = [began(ago, property=p) for ago in (600_000, HOUR_MS + 600_000) for p in "ab"]
    insert_views(store, *rows, began(600_000, property="a", bot=True))
    (row,) = await api.data(PATH, metric="views", from_="-1h", token=api.token("read", "a"))
    assert (row["value"], row["compared_value"]) == (1, 1)
    (row,) = await api.data(PATH, metric="views", from_="-1h", filters="property:none")
    assert (row["value"], row["compared_value"]) == (0, 0)


async def test_csv_has_a_row_a_group(api: Answering, store: RunningStore) -> None:
    insert_views(store, began(600_000, cdn="a"))
    response = await api.get(PATH, metric="views", group_by="cdn", values="a,b", format="csv")
    assert response.text.splitlines()[1:] == ["a,1,1,,,,,", "b,0,0,1,1,-1,-100.0,"]


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"compare": "yesterday"}, {"compare": "previous_day", "compare_from": "-1d"},
        {"compare_from": "-2d"}, {"compare_from": "-1d", "compare_to": "-2d"}, {"values": "a,b"},
        {"group_by": "cdn", "values": "a"}, {"group_by": "cdn", "values": "a,a"},
        {"group_by": "cdn", "values": ""}, {"group_by": "cdn", "interval": "1h"},
        {"group_by": "cdn", "values": "a,b", "compare": "previous_day"},
        {"group_by": "cdn", "values": ",".join(map(str, range(51)))},
        {"compare_from": "1e999", "compare_to": "nan"}, {"interval": "1h; DROP"},
        {"measurement": "p0"}, {"limit": "0"}, {"from_": "1970-01-02", "to_": "1970-02-01"},
        {"nonsense": "1"}, {"metric": ["views", "ads"], "measurement": "count"},
        {"metric": ["views", "media_request_throughput"]},
    ],
)  # fmt: skip
async def test_what_is_no_comparison_is_refused(api: Answering, asked: dict[str, Any]) -> None:
    named = {"metric": "views"} | asked if asked else {}
    response = await api.get(PATH, **named)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_request"


async def test_an_unknown_metric_is_not_found(api: Answering) -> None:
    response = await api.get(PATH, metric="views' OR 1=1")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/v1/compare?metric=views&group_by=cdn", "/v1/dimensions/cdn", "/v1/dimensions",
     "/v1/metrics/startup_time/histogram?edges=1"],
)  # fmt: skip
async def test_parquet_is_made_of_rows_and_of_none(
    api: Answering, store: RunningStore, path: str
) -> None:
    bare, _, query = path.partition("?")
    more = dict(pair.split("=") for pair in query.split("&") if pair)
    for rows in ([], [began(600_000)]):
        if rows:
            insert_views(store, *rows)
        body = (await api.get(bare, format="parquet", **more)).content
        assert body[:4] == body[-4:] == b"PAR1"


async def test_several_metrics_are_compared_in_one_answer(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *(began(ago, startup_ms=300) for ago in (600_000, HOUR_MS + 600_000)))
    response = await api.get(PATH, metric=["startup_time", "views"], from_="-1h")
    alone = [await api.data(PATH, metric=name, from_="-1h") for name in ("startup_time", "views")]
    said = response.json()
    assert said["data"] == [
        {"metric": name, **row}
        for name, (row,) in zip(("startup_time", "views"), alone, strict=True)
    ]
    assert [one["unit"] for one in said["meta"]["metrics"]] == ["ms", "views"]
