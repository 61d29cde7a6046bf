"""Views in, numbers out: every metric over a real store process."""

import pytest

from playhead.query.catalogue import catalogue
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]

OF_VIEWS = {name for name, metric in catalogue().metrics.items() if metric.source == "views"}


@pytest.mark.parametrize("metric", sorted(OF_VIEWS))
async def test_every_measurement_of_every_form_answers(api: Answering, metric: str) -> None:
    for measurement in catalogue().metric(metric).allowed():
        for form, more in (
            ("overall", {}),
            ("timeseries", {"interval": "1h"}),
            ("timeseries", {"group_by": "asn"}),
            ("breakdown", {"group_by": "custom.plan"}),
        ):
            path = f"/v1/metrics/{metric}/{form}"
            response = await api.get(path, measurement=measurement, **more)
            assert response.status_code == 200, response.text


@pytest.mark.parametrize("dimension", sorted(catalogue().dimensions))
async def test_every_dimension_groups_and_filters(
    api: Answering, store: RunningStore, dimension: str
) -> None:
    insert_views(store, view_row())
    path = "/v1/metrics/views/breakdown"
    (group,) = await api.data(path, group_by=dimension)
    filtered = await api.data(path, group_by=dimension, filters=f"{dimension}:{group['group']}")
    assert filtered == [group]


async def test_breakdown_adds_up_to_the_whole(api: Answering, store: RunningStore) -> None:
    rows = [view_row(cdn=cdn, watch_ms=n * 10) for n, cdn in enumerate(["a", "b", "a", ""])]
    insert_views(store, *rows)
    for metric in ("views", "watch_time"):
        whole = await api.data(f"/v1/metrics/{metric}/overall")
        parts = await api.data(f"/v1/metrics/{metric}/breakdown", group_by="cdn")
        assert sum(part["value"] for part in parts) == whole["value"]


async def test_only_the_newest_version_of_a_view_counts(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, view_row(view_id="v", version=1, watch_ms=1, final=False))
    insert_views(store, view_row(view_id="v", version=2, watch_ms=5))
    assert await api.data("/v1/metrics/watch_time/overall") == {"value": 5, "views": 1}


async def test_robots_count_only_when_asked_for(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(), view_row(bot=True), view_row(internal=True))
    assert (await api.data("/v1/metrics/views/overall"))["value"] == 1
    asked = await api.data("/v1/metrics/views/overall", filters=["bot:true", "bot:false"])
    assert asked["value"] == 2


async def test_filters_of_one_dimension_or_and_of_different_ones_and(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        view_row(cdn="a", country="DE", custom={"plan": "x:y"}),
        view_row(cdn="b", country="DE"),
        view_row(cdn="b", country="FR"),
    )
    expected = {
        ("cdn:a", "cdn:b"): 3,
        ("cdn:b", "country:DE"): 1,
        ("!cdn:a",): 2,
        ("!cdn:a", "!country:FR"): 1,
        ("custom.plan:x:y",): 1,
        ("custom.plan:",): 2,
        ("country:de",): 0,
    }
    for filters, views in expected.items():
        data = await api.data("/v1/metrics/views/overall", filters=list(filters))
        assert data["value"] == views, filters


async def test_series_has_every_bucket_and_puts_small_groups_together(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *(view_row(cdn=cdn) for cdn in "aaabbc"))
    rows = await api.data(
        "/v1/metrics/views/timeseries", from_="-2h", interval="1h", group_by="cdn", limit=2
    )
    values = {(row["group"], row["other"]): row["value"] for row in rows if row["views"]}
    assert values == {("a", False): 3, ("b", False): 2, ("other", True): 1}
    assert len(rows) == 6


async def test_breakdown_order_and_limit(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(view_row(cdn=c, startup_ms=t) for c, t in [("a", 9), ("b", 1), ("b", 1)]))
    path = "/v1/metrics/startup_time/breakdown"
    by_views = await api.get(path, group_by="cdn", order="views", limit=1)
    assert [row["group"] for row in by_views.json()["data"]] == ["b"]
    assert by_views.json()["meta"]["more"] is True
    by_value = await api.data(path, group_by="cdn", order="value:asc")
    assert [row["group"] for row in by_value] == ["b", "a"]


async def test_a_view_counts_where_it_starts_or_ends(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 3 * 3_600_000
    insert_views(
        store,
        view_row(started_at=start, startup_ms=5, intervals=[("playing", start, start + 7_200_000)]),
    )
    views = await api.data("/v1/metrics/views/timeseries", from_="-4h", interval="1h")
    startup = await api.data("/v1/metrics/startup_time/timeseries", from_="-4h", interval="1h")
    assert [row["value"] for row in views] == [0, 1, 0, 0]
    assert [row["value"] for row in startup] == [None, None, None, 5]


async def test_meta_says_what_was_measured(api: Answering) -> None:
    response = await api.get("/v1/metrics/startup_time/timeseries", timezone="Europe/Berlin")
    meta = response.json()["meta"]
    assert meta["unit"] == "ms"
    assert meta["measurement"] == "median"
    assert meta["timezone"] == "Europe/Berlin"
    assert meta["interval"] == "15m"
    assert meta["freshness_ms"] == 0
    assert meta["provisional"] is True
    assert meta["to"].endswith("Z")


async def test_days_follow_the_timezone_across_the_clock_change(
    api: Answering, store: RunningStore
) -> None:
    # Rows of that year are beyond the retention: only the shape of the buckets is looked at.
    rows = await api.data(
        "/v1/metrics/views/timeseries",
        from_="2026-03-28", to="2026-03-31", interval="1d", timezone="Europe/Berlin",
    )  # fmt: skip
    times = [row["time"] for row in rows]
    assert times == [
        "2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z",
    ]  # fmt: skip
