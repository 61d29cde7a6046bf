"""CDN requests in, numbers out: metrics, KPIs from both tables, the join with views."""

import random
from typing import Any

import pytest

from playhead.errors import PlayheadError
from playhead.query.catalogue import catalogue
from playhead.query.cdn import GROUPS
from playhead.query.source import BOUND_TABLES
from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.door_rows import insert_requests
from support.running_store import RunningStore

__all__ = ["api", "store"]

OF_CDN = {name for name, one in catalogue().metrics.items() if one.source == "cdn"}


@pytest.fixture(autouse=True)
def empty(store: RunningStore) -> None:
    for table in ("cdn_requests", "cdn_minutes"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")


@pytest.mark.parametrize("metric", sorted(OF_CDN))
async def test_every_measurement_of_every_form_answers(api: Answering, metric: str) -> None:
    for measurement in catalogue().metric(metric).allowed():
        for form, more in (
            ("overall", {}),
            ("timeseries", {"group_by": "asn"}),
            ("breakdown", {"group_by": "status", "order": "requests"}),
        ):
            path = f"/v1/metrics/{metric}/{form}"
            response = await api.get(path, measurement=measurement, **more)
            assert response.status_code == 200, response.text


@pytest.mark.parametrize("dimension", sorted(catalogue().dimensions_of("cdn")))
async def test_every_dimension_groups_and_filters(
    api: Answering, store: RunningStore, dimension: str
) -> None:
    insert_requests(store, {})
    path = "/v1/metrics/cdn_requests/breakdown"
    (group,) = await api.data(path, group_by=dimension)
    filtered = await api.data(path, group_by=dimension, filters=f"{dimension}:{group['group']}")
    assert filtered == [group]


async def test_rows_say_requests_and_robots_are_left_out(
    api: Answering, store: RunningStore
) -> None:
    insert_requests(store, {"status": 404}, {"bot": True}, {"internal": True})
    rows = await api.data("/v1/metrics/cdn_requests/breakdown", group_by="status")
    assert rows == [{"group": "404", "value": 1, "requests": 1}]
    robots = await api.data("/v1/metrics/cdn_requests/overall", filters="bot:true")
    assert robots == {"value": 1, "requests": 1}


@pytest.mark.parametrize(
    ("metric", "dimension", "known"),
    [
        ("views", "pop", "player_name"),
        ("cdn_requests", "player_name", "pop"),
        ("cdn_requests", "custom.plan", "owner"),
        ("stream_fps", "cdn", "stream_id"),
    ],
)
async def test_a_dimension_of_another_source_is_refused(
    api: Answering, metric: str, dimension: str, known: str
) -> None:
    response = await api.get(f"/v1/metrics/{metric}/breakdown", group_by=dimension)
    assert response.status_code == 400
    assert known in response.json()["hint"]


def some_requests(seeded: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "at": NOW_MS - 60_000 * seeded.randrange(1, 30) - seeded.randrange(60_000),
            "cdn": seeded.choice(["aurora", "monsoon"]), "pop": seeded.choice(["fra", "syd", ""]),
            "owner": seeded.choice(["a", "b"]), "status": seeded.choice([200, 206, 302, 404, 503]),
            "cache": seeded.choice(["hit", "miss", "stale", ""]), "host": "h", "country": "DE",
            "bytes_out": seeded.choice([None, 10, 1000]), "bot": seeded.random() < 0.1,
            "internal": seeded.random() < 0.1, "property": seeded.choice(["p", "q"]),
            "ttfb_ms": seeded.choice([None, 0, seeded.expovariate(1 / 100)]),
            "total_ms": seeded.choice([None, seeded.expovariate(1 / 300)]),
        }
        for _ in range(400)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"group_by": "cdn"},
        {"group_by": "none", "interval": "all"},
        {"group_by": "property,pop", "interval": "15m"},
        {"filters": ["pop:fra", "!cdn:aurora"], "interval": "5m"},
        {"filters": ["bot:true", "bot:false"], "interval": "1h"},
        {"filters": "internal:true", "timezone": "Asia/Kolkata", "interval": "1h"},
    ],
)
@pytest.mark.parametrize("bound", [None, "p"])
async def test_the_sums_by_minute_say_what_the_requests_say(
    api: Answering, store: RunningStore, asked: dict[str, Any], bound: str | None
) -> None:
    rows = some_requests(random.Random(7))
    insert_requests(store, *rows[:300])
    insert_requests(store, *rows[300:])
    token = api.token("read", bound)
    summed = await api.data("/v1/cdn/kpis", token=token, from_="-20m", **asked)
    filters = asked.get("filters", [])
    more = [filters] if isinstance(filters, str) else list(filters)
    # Every request has this host: the filter changes nothing but where the numbers come from.
    direct = {**asked, "filters": [*more, "host:h"]}
    assert summed == await api.data("/v1/cdn/kpis", token=token, from_="-20m", **direct)
    assert summed


async def test_kpis_are_rows_a_minute_owner_pop_and_cdn(
    api: Answering, store: RunningStore
) -> None:
    minute = NOW_MS - 600_000
    insert_requests(
        store,
        {"at": minute, "owner": "a", "ttfb_ms": 100, "total_ms": 400, "bytes_out": 7},
        {"at": minute + 59_999, "owner": "a", "ttfb_ms": 300, "status": 404, "cache": "miss"},
        {"at": minute + 60_000, "owner": "a"},
    )
    first, second = await api.data("/v1/cdn/kpis")
    near = pytest.approx
    assert first | {"time": ""} == {
        "time": "", "owner": "a", "pop": "fra", "cdn": "aurora", "requests": 2, "errors": 1,
        "errors_compat": 1, "error_percentage": 50, "slow": 1, "slow_percentage": 50, "hits": 1,
        "cache_hit_ratio": 50, "bytes": 7, "ttfb_p50": near(100, rel=0.01),
        "ttfb_p95": near(100, rel=0.01), "ttfb_p99": near(100, rel=0.01),
        "total_p95": near(400, rel=0.01),
    }  # fmt: skip
    assert (second["requests"], second["slow_percentage"], second["ttfb_p50"]) == (1, None, None)


async def test_sketched_quantiles_are_within_one_percent(
    api: Answering, store: RunningStore
) -> None:
    times = [random.Random(n).lognormvariate(4, 2) for n in range(1001)]
    insert_requests(store, *({"ttfb_ms": ms} for ms in times))
    (row,) = await api.data("/v1/cdn/kpis", group_by="none", interval="all")
    exact = sorted(times)
    found = [row["ttfb_p50"], row["ttfb_p95"], row["ttfb_p99"]]
    assert found == [pytest.approx(exact[n], rel=0.0101) for n in (500, 950, 990)]


async def test_a_block_repeated_under_its_token_is_summed_once(
    api: Answering, store: RunningStore
) -> None:
    for _ in range(2):
        insert_requests(store, {}, {"pop": "syd"}, block="cdn_requests:1-2")
    (row,) = await api.data("/v1/cdn/kpis", group_by="cdn", interval="all")
    assert row["requests"] == 2


async def test_a_block_that_failed_half_way_is_whole_once_repeated(
    api: Answering, store: RunningStore
) -> None:
    store.client.command("RENAME TABLE playhead.cdn_minutes TO playhead.away")
    try:
        with pytest.raises(PlayheadError):
            insert_requests(store, {}, block="cdn_requests:3-4")
    finally:
        store.client.command("RENAME TABLE playhead.away TO playhead.cdn_minutes")
    insert_requests(store, {}, block="cdn_requests:3-4")
    for group in ("cdn", "host"):
        (row,) = await api.data("/v1/cdn/kpis", group_by=group, interval="all")
        assert row["requests"] == 1, group


@pytest.mark.parametrize(
    "asked",
    [
        {"group_by": "path"}, {"group_by": "cdn,"}, {"group_by": "none,cdn"}, {"interval": "1s"},
        {"limit": "0"}, {"filters": "player_name:x"}, {"from_": "now"}, {"order": "value"},
    ],
)  # fmt: skip
async def test_kpis_asked_wrongly_are_refused(api: Answering, asked: dict[str, str]) -> None:
    assert (await api.get("/v1/cdn/kpis", **asked)).status_code == 400


@pytest.mark.parametrize("group", GROUPS)
async def test_kpis_group_by_each_of_their_groups(
    api: Answering, store: RunningStore, group: str
) -> None:
    insert_requests(store, {group: "x"} if group != "property" else {"property": "x"})
    (row,) = await api.data("/v1/cdn/kpis", group_by=group, format_="json")
    assert row[group] == "x"


async def test_kpis_are_cut_at_the_limit_and_say_so(api: Answering, store: RunningStore) -> None:
    insert_requests(store, {"pop": "a"}, {"pop": "a"}, {"pop": "b"})
    response = await api.get("/v1/cdn/kpis", group_by="pop", limit=1)
    assert [row["pop"] for row in response.json()["data"]] == ["a"]
    assert response.json()["meta"]["more"] is True


async def test_kpis_come_as_csv(api: Answering, store: RunningStore) -> None:
    insert_requests(store, {})
    response = await api.get("/v1/cdn/kpis", format_="csv", group_by="pop")
    head, row = response.text.splitlines()
    assert head.startswith("time,pop,requests,errors,")
    assert ",fra,1,0," in row


async def test_a_view_shows_its_requests(api: Answering, store: RunningStore) -> None:
    start = NOW_MS - 600_000
    insert_views(store, view_row(view_id="v", session_id="s", property="p"))
    mine = [
        {"view_id": "v", "at": start - 5_000, "pop": "syd", "bytes_out": 3, "bitrate_kbps": 900},
        {"session_id": "s", "at": start + 1_000},
        {"session_id": "s", "at": start - 1},
        {"session_id": "s", "at": start + 1_000, "view_id": "another"},
        {"session_id": "other", "at": start + 1_000},
    ]
    theirs = {"view_id": "v", "at": start, "property": "q"}
    insert_requests(store, *({"property": "p"} | one for one in mine), theirs)
    view = await api.data("/v1/views/v")
    assert [(one["pop"], one["bytes_out"]) for one in view["requests"]] == [
        ("syd", 3),
        ("fra", None),
    ]
    assert {one["pop"]: one["requests"] for one in view["cdn_kpis"]} == {"syd": 1, "fra": 1}


async def test_a_view_counts_for_the_pop_that_sent_most_of_it(
    api: Answering, store: RunningStore
) -> None:
    start = NOW_MS - 600_000
    insert_views(
        store,
        view_row(view_id="a", watch_ms=100, rebuffer_ms=10, startup_ms=300),
        view_row(view_id="b", watch_ms=100, startup_ms=500, bitrate_kbps=800, bitrate_weight_ms=1),
        view_row(view_id="c", session_id="s", watch_ms=50, startup_ms=900),
        view_row(view_id="d", property="q"),
        view_row(view_id="e", bot=True),
    )
    insert_requests(
        store,
        {"view_id": "a", "pop": "fra", "bytes_out": 100}, {"view_id": "a", "pop": "syd", "bytes_out": 1},
        {"view_id": "a", "pop": "syd", "bytes_out": 1},
        {"view_id": "b", "pop": "fra", "bytes_out": 1},
        {"session_id": "s", "at": start + 5, "pop": "syd", "status": 404},
        {"view_id": "d", "pop": "fra"}, {"view_id": "e", "pop": "fra"}, {"pop": "nyc"},
    )  # fmt: skip
    rows = {row["group"]: row for row in await api.data("/v1/cdn/views")}
    names = ("views", "rebuffer_percentage", "startup_ms", "bitrate_kbps", "requests")
    assert {pop: tuple(row[name] for name in names) for pop, row in rows.items()} == {
        "fra": (2, 5, 400, 800, 4), "syd": (1, 0, 900, None, 3), "nyc": (0, None, None, None, 1),
    }  # fmt: skip
    assert rows["syd"]["error_percentage"] == pytest.approx(100 / 3)


@pytest.mark.parametrize("dimension", sorted(catalogue().dimensions_of("cdn")))
async def test_views_by_every_dimension_of_requests(
    api: Answering, store: RunningStore, dimension: str
) -> None:
    insert_views(store, view_row(view_id="a"))
    insert_requests(store, {"view_id": "a"})
    (row,) = await api.data("/v1/cdn/views", group_by=dimension)
    assert (row["views"], row["requests"]) == (1, 1)


async def test_a_token_of_a_property_sees_nothing_else(api: Answering, store: RunningStore) -> None:
    insert_views(store, view_row(property="p", view_id="a"), view_row(property="q", view_id="b"))
    insert_requests(
        store, {"property": "p", "view_id": "a"}, {"property": "q", "view_id": "b"},
        {"property": "q", "view_id": "a", "pop": "syd"},
    )  # fmt: skip
    token = api.token("read", "p")
    both = ["property:p", "property:q"]
    for path, asked in (
        ("/v1/metrics/cdn_requests/breakdown", {"group_by": "property"}),
        ("/v1/cdn/kpis", {"group_by": "property"}),
        ("/v1/cdn/kpis", {"group_by": "property,host"}),
        ("/v1/cdn/views", {"group_by": "property"}),
    ):
        rows = await api.data(path, token=token, filters=both, **asked)
        assert [(row.get("group", row.get("property")), row["requests"]) for row in rows] == [
            ("p", 1)
        ]
    view = await api.data("/v1/views/a", token=token)
    assert [one["pop"] for one in view["requests"]] == ["fra"]


def test_every_table_with_a_property_is_bound(store: RunningStore) -> None:
    found = store.client.rows(
        "SELECT concat('playhead.', table) FROM system.columns "
        "WHERE database = 'playhead' AND name = 'property' AND table NOT LIKE '%\\\\_fill'"
    )
    assert {row[0] for row in found.rows} == set(BOUND_TABLES)
