"""Histograms and percentiles over a real store process: known rows, known numbers."""

import pytest

from playhead.query.catalogue import catalogue
from playhead.query.filter import row_value
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

STARTUP = "/v1/metrics/startup_time/histogram"


async def test_buckets_count_every_row_that_takes_part(api: Answering, store: RunningStore) -> None:
    times = (0, 499, 500, 999.5, 1000, 7999, 25_000, None)
    insert_views(store, *(view_row(startup_ms=ms) for ms in times))
    response = await api.get(STARTUP)
    rows = {row["from"]: row["views"] for row in response.json()["data"]}
    assert rows == {
        0: 2, 500: 2, 1000: 1, 2000: 0, 3000: 0, 5000: 1, 8000: 0, 12000: 0, 20000: 1,
    }  # fmt: skip
    overall = await api.data("/v1/metrics/startup_time/overall")
    (summary,) = response.json()["meta"]["summaries"]
    assert summary["views"] == overall["views"] == 7
    assert (summary["min"], summary["max"], summary["p50"]) == (0, 25_000, overall["value"])


async def test_given_edges_are_open_at_both_ends(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(startup_ms=ms) for ms in (100, 500, 1500, 1500)))
    rows = await api.data(STARTUP, edges="500,1e3")
    assert [(row["from"], row["to"], row["views"]) for row in rows] == [
        (None, 500, 1), (500, 1000, 1), (1000, None, 2),
    ]  # fmt: skip
    assert [row["percentage"] for row in rows] == [25, 25, 50]


@pytest.mark.parametrize(
    ("scale", "edges"),
    [("linear", [1, 250.75, 500.5, 750.25]), ("log", [1, 5.6234, 31.6228, 177.828])],
)
async def test_a_number_of_buckets_is_cut_from_the_smallest_to_the_largest(
    api: Answering, store: RunningStore, scale: str, edges: list[float]
) -> None:
    insert_views(store, *(view_row(startup_ms=ms) for ms in (1, 5, 50, 1000)))
    rows = await api.data(STARTUP, buckets=4, scale=scale)
    assert [row["from"] for row in rows] == pytest.approx(edges, rel=1e-4)
    assert sum(row["views"] for row in rows) == 4


async def test_a_log_scale_keeps_what_is_not_positive_below(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *(view_row(rebuffer_ms=ms, watch_ms=9) for ms in (0, 0, 10, 1000)))
    rows = await api.data("/v1/metrics/rebuffer_duration/histogram", buckets=2, scale="log")
    assert [(row["from"], row["to"], row["views"]) for row in rows] == [
        (None, 10, 2), (10, 100, 1), (100, None, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [{"buckets": 10}, {"buckets": 10, "scale": "log"}, {}])
async def test_values_that_are_all_the_same_or_none_make_a_histogram(
    api: Answering, store: RunningStore, asked: dict[str, str]
) -> None:
    assert sum(row["views"] for row in await api.data(STARTUP, **asked)) == 0
    insert_views(store, *(view_row(startup_ms=7) for _ in range(3)))
    assert sum(row["views"] for row in await api.data(STARTUP, **asked)) == 3


async def test_groups_have_their_own_buckets_and_small_ones_go_together(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *(view_row(cdn=cdn, startup_ms=9) for cdn in "aaabbc"))
    response = await api.get(STARTUP, group_by="cdn", limit=2, edges="5")
    rows = response.json()["data"]
    assert {(row["group"], row["other"]): row["views"] for row in rows if row["from"]} == {
        ("a", False): 3, ("b", False): 2, ("other", True): 1,
    }  # fmt: skip
    assert [one["views"] for one in response.json()["meta"]["summaries"]] == [3, 2, 1]


async def test_a_ratio_is_spread_over_each_rows_own(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        view_row(rebuffer_ms=1, watch_ms=100),
        view_row(rebuffer_ms=30, watch_ms=100),
        view_row(),
    )
    rows = await api.data("/v1/metrics/rebuffer_percentage/histogram", edges="10")
    assert [row["views"] for row in rows] == [1, 1]


async def test_a_histogram_heeds_filters_property_and_hidden_rows(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        view_row(startup_ms=1, property="a", cdn="x"),
        view_row(startup_ms=1, property="b"),
        view_row(startup_ms=1, property="a", bot=True),
    )
    bound = await api.data(STARTUP, token=api.token("read", "a"))
    filtered = await api.data(STARTUP, filters="cdn:x")
    assert sum(row["views"] for row in bound) == sum(row["views"] for row in filtered) == 1


async def test_csv_holds_a_row_a_bucket(api: Answering) -> None:
    text = (await api.get(STARTUP, edges="500", format="csv")).text
    assert text.splitlines() == ["from,to,views,percentage", ",500.0,0,", "500.0,,0,"]


@pytest.mark.parametrize(
    "asked",
    [
        {"edges": "nan"}, {"edges": "1,inf"}, {"edges": "1e999"}, {"edges": "2,1"}, {"edges": "1,1"},
        {"edges": "1;DROP TABLE playhead.views"}, {"edges": ",".join(map(str, range(200)))},
        {"buckets": "0"}, {"buckets": "201"}, {"buckets": "-1"}, {"buckets": "4", "scale": "cube"},
        {"scale": "log"}, {"steps": "startup') --"}, {"buckets": "4", "edges": "1"},
        {"group_by": "cdn,host"}, {"limit": "51"}, {"interval": "1h"}, {"measurement": "p95"},
    ],
)  # fmt: skip
async def test_what_is_no_histogram_is_refused(api: Answering, asked: dict[str, str]) -> None:
    response = await api.get(STARTUP, **asked)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_request"


@pytest.mark.parametrize("metric", ["views", "unique_viewers", "concurrent_viewers"])
async def test_what_counts_rows_has_no_histogram(api: Answering, metric: str) -> None:
    response = await api.get(f"/v1/metrics/{metric}/histogram")
    assert (response.status_code, "no histogram" in response.json()["message"]) == (400, True)


@pytest.mark.parametrize("name", ["p50", "p1", "p75", "p90", "p99", "p99.9"])
async def test_any_percentile_may_be_asked_for(
    api: Answering, store: RunningStore, name: str
) -> None:
    insert_views(store, *(view_row(startup_ms=n) for n in range(1001)))
    data = await api.data("/v1/metrics/startup_time/overall", measurement=name)
    assert data["value"] == pytest.approx(float(name[1:]) * 10)


@pytest.mark.parametrize("name", ["p0", "p100", "p5.5", "p", "p95)", "P95", "p٩"])
async def test_other_percentiles_are_refused(api: Answering, name: str) -> None:
    response = await api.get("/v1/metrics/startup_time/overall", measurement=name)
    assert response.status_code == 400
    metric = await api.get("/v1/metrics/views/overall", measurement="p95")
    assert metric.status_code == 400


async def test_a_span_is_of_the_metrics_own_moment(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 3 * 3_600_000
    insert_views(
        store,
        view_row(started_at=start, startup_ms=5, intervals=[("playing", start, NOW_MS - 600_000)]),
    )
    ended = await api.data(STARTUP, from_="-1h")
    began = await api.data("/v1/metrics/watch_time/histogram", from_="-1h")
    assert (sum(r["views"] for r in ended), sum(r["views"] for r in began)) == (1, 0)


@pytest.mark.parametrize("metric", sorted(catalogue().metrics))
async def test_every_metric_has_a_histogram_or_says_why_not(api: Answering, metric: str) -> None:
    one = catalogue().metric(metric)
    wanted = 200 if row_value(one) else 400
    response = await api.get(f"/v1/metrics/{metric}/histogram", group_by="property")
    assert response.status_code == wanted, response.text
    path = f"/v1/metrics/{metric}/overall"
    assert (await api.get(path, filters=f"{metric}>=1")).status_code == wanted
