"""Filters on numbers and texts, everywhere filters may stand, over a real store process."""

from typing import Any

import pytest

from support.answering import Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

VIEWS = "/v1/metrics/views/overall"
ROWS: list[dict[str, Any]] = [
    {"startup_ms": 400, "rebuffer_ms": 1, "watch_ms": 100, "video_title": "The Final"},
    {"startup_ms": 1000, "rebuffer_ms": 0, "watch_ms": 100, "video_title": "a final cut"},
    {"startup_ms": 2500.5, "rebuffer_ms": 30, "watch_ms": 100, "video_title": "Über uns"},
    {"startup_ms": None, "watch_ms": 0, "seek_ms": 600, "seek_count": 2, "video_title": ""},
    {"startup_ms": 9000, "bot": True, "video_title": "final"},
]


@pytest.mark.parametrize(
    ("filters", "views"),
    [
        (["startup_ms>=1000"], 2),
        (["startup_ms>1000"], 1),
        (["startup_ms<1000"], 1),
        (["startup_ms<=1e3"], 2),
        (["startup_ms=2500.5"], 1),
        (["startup_ms!=400"], 2),
        (["startup_ms>=0"], 3),
        (["startup_ms>-1", "startup_ms<2000"], 2),
        (["startup_time>=1000"], 2),
        (["rebuffer_percentage>2"], 1),
        (["rebuffer_percentage<=2"], 2),
        (["rebuffer_frequency=0"], 3),
        (["seek_latency=300"], 1),
        (["seek_latency!=300"], 0),
        (["exits_before_video_start<1"], 4),
        (["startup_ms>=1000", "bot:true"], 1),
        (["video_title~FINAL"], 2),
        (["!video_title~final"], 2),
        (["video_title~final", "video_title~über"], 3),
        (["video_title~%"], 0),
        (["video_title~' OR 1=1 --"], 0),
        (["!video_title~final", "!video_title:"], 1),
        (["bot~tru"], 1),
        (["video_title:x>=1"], 0),
    ],
)
async def test_filters_take_the_rows_they_name(
    api: Answering, store: RunningStore, filters: list[str], views: int
) -> None:
    insert_views(store, *(view_row(**row) for row in ROWS))
    assert (await api.data(VIEWS, filters=filters))["value"] == views
    numbers = [text for text in filters if ":" not in text and "~" not in text]
    if len(numbers) == len(filters):
        assert (await api.data(VIEWS, **{"metric_filters[]": numbers}))["value"] == views


@pytest.mark.parametrize(
    "text",
    [
        "startup_ms>=nan", "startup_ms>=inf", "startup_ms>=-inf", "startup_ms>=1e999",
        "startup_ms>=", "startup_ms>=1_000", "startup_ms>=1 OR 1=1", "startup_ms>=0x10",
        "startup_ms>=٣", "startup_ms==1", "startup_ms=>1", "startup_ms><1", "!startup_ms>1",
        "startup_ms>=" + "9" * 5000, ">=1", "views>=1", "concurrent_viewers>=1", "cdn>=1",
        "started_at>=1", "version>=1", "state>=1", "cdn_ttfb>=1", "1=1", "startup_ms", "video_title~",
        "nothing~x", "startup_ms)--~x", "custom.a>1",
    ],
)  # fmt: skip
async def test_what_is_no_filter_is_refused(api: Answering, text: str) -> None:
    response = await api.get(VIEWS, filters=text)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_request"


async def test_metric_filters_hold_numbers_only(api: Answering) -> None:
    response = await api.get(VIEWS, metric_filters="country:DE")
    assert (response.status_code, "number" in response.json()["message"]) == (400, True)
    many = await api.get(VIEWS, filters=["cdn:a"] * 30, metric_filters=["startup_ms>1"] * 21)
    assert many.status_code == 400


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/v1/live", ["startup_ms>=1000", "video_title~x"]),
        ("/v1/views", ["startup_time>=1000", "!video_title~x"]),
        ("/v1/metrics/concurrent_viewers/timeseries", ["score>=1", "errors<5", "bitrate_kbps>1"]),
        ("/v1/metrics/startup_time/breakdown?group_by=cdn", ["rebuffer_percentage>2"]),
        ("/v1/metrics/startup_time/histogram", ["weighted_bitrate>100"]),
        ("/v1/metrics/cdn_ttfb/overall", ["bytes_out>=1", "cdn_ttfb>1", "cdn_error_percentage<1"]),
        ("/v1/metrics/stream_fps/overall", ["fps>=1", "stream_bitrate>1", "stream_id~x"]),
        ("/v1/cdn/kpis", ["ttfb_ms>=1", "cdn~a", "cdn_throughput>1"]),
        ("/v1/cdn/views", ["ttfb_ms>=1", "bitrate_kbps>1", "pop~f"]),
        ("/v1/streams", ["bitrate_kbps>=1", "stream_id~a"]),
        ("/v1/dimensions/cdn", ["startup_ms>=1"]),
        ("/v1/compare?metric=views", ["startup_ms>=1"]),
    ],
)
async def test_filters_work_wherever_they_may_stand(
    api: Answering, path: str, filters: list[str]
) -> None:
    bare, _, query = path.partition("?")
    more = dict(pair.split("=") for pair in query.split("&") if pair)
    response = await api.get(bare, filters=filters, **more)
    assert response.status_code == 200, response.text
    assert (await api.get(bare, filters="cdn_ttfb>=x", **more)).status_code == 400


async def test_numbers_narrow_views_and_live(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(**row) for row in ROWS))
    rows = await api.data("/v1/views", filters="startup_ms>=1000")
    assert sorted(row["startup_ms"] for row in rows) == [1000, 2500.5]
    live = await api.data("/v1/live", filters="startup_ms>=1000")
    assert sum(row["starts"] for row in live) == 2
    most = await api.data("/v1/metrics/concurrent_viewers/overall", filters="startup_ms>=1000")
    assert most["value"] == 2
