"""What drags the metrics, told by values and pairs."""

from pathlib import Path
from typing import Any

import pytest

from playhead.query.insights import DEFAULT_METRICS, NOT_CAUSES
from support.answering import Answering, answering, insert_views, view_row
from support.api_fixtures import api, store
from support.running_store import RunningStore

__all__ = ["api", "store"]
PATH = "/v1/insights"


def views(count: int, **given: Any) -> list[dict[str, Any]]:
    given = {"watch_ms": 100_000.0, "playing_ms": 100_000.0, "startup_ms": 1000.0} | given
    return [view_row(**given) for _ in range(count)]


def named(row: dict[str, Any]) -> tuple[str, str, str | None, str | None]:
    return row["dimension"], row["value"], row["dimension_2"], row["value_2"]


async def test_what_drags_the_metric_comes_first(api: Answering, store: RunningStore) -> None:
    slow = views(20, cdn="slow", startup_ms=4000.0)
    insert_views(store, *slow, *views(30, cdn="fast"), *views(50, cdn="far", startup_ms=2000.0))
    first, *_, last = await api.data(
        PATH, metric="startup_time", dimensions="cdn", min_views="1", measurement="avg"
    )
    assert first == {
        "metric": "startup_time", "measurement": "avg", "unit": "ms", "better": "lower",
        "dimension": "cdn", "value": "slow", "dimension_2": None, "value_2": None,
        "negative_impact": 475, "relative_impact": pytest.approx(475 / 2100), "metric_value": 4000,
        "overall": 2100, "without": 1625, "views": 20, "share": 0.2,
        "total_watch_time_ms": 2_000_000,
    }  # fmt: skip
    assert (last["value"], last["negative_impact"]) == ("fast", pytest.approx(2100 - 180_000 / 70))


async def test_less_of_what_is_good_drags_too(api: Answering, store: RunningStore) -> None:
    insert_views(store, *views(50, os="A", score=40.0), *views(50, os="B", score=80.0))
    first, second = await api.data(PATH, metric="score", dimensions="os")
    assert (first["value"], first["negative_impact"]) == ("A", 20)
    assert second["negative_impact"] == -20


async def test_values_with_few_views_are_left_out(api: Answering, store: RunningStore) -> None:
    insert_views(store, *views(49, os="few", startup_ms=9.0), *views(60, os="many"))
    asked = {"metric": "startup_time", "dimensions": "os"}
    assert [row["value"] for row in await api.data(PATH, **asked)] == ["many"]
    assert len(await api.data(PATH, **asked, min_views="49")) == 2
    insert_views(store, *views(5, os="few", startup_ms=None))  # they take no part
    assert [row["value"] for row in await api.data(PATH, **asked)] == ["many"]


async def test_views_count_that_take_part(api: Answering, store: RunningStore) -> None:
    unstarted = views(50, os="A", startup_ms=None)
    insert_views(store, *unstarted, *views(50, os="A"), *views(50, os="B"))
    rows = await api.data(PATH, metric="startup_time", dimensions="os", noise="true")
    assert {row["value"]: (row["views"], row["share"]) for row in rows} == {
        "A": (50, 0.5), "B": (50, 0.5),
    }  # fmt: skip


async def test_a_value_that_all_views_have_says_nothing(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *views(60, os="A", cdn="x"))
    assert await api.data(PATH, metric="startup_time", dimensions="os,cdn") == []


async def test_a_pair_is_shown_that_holds_the_drag_of_both(
    api: Answering, store: RunningStore
) -> None:
    rows_in = [
        one for cdn in "ab" for country in ("DE", "FR")
        for one in views(
            60, cdn=cdn, country=country,
            startup_ms=5000.0 if (cdn, country) == ("a", "DE") else 1000.0,
        )
    ]  # fmt: skip
    insert_views(store, *rows_in)
    asked = {"metric": "startup_time", "dimensions": "cdn,country"}
    rows = await api.data(PATH, **asked)
    pairs = [row for row in rows if row["dimension_2"]]
    assert [named(row) for row in pairs] == [("cdn", "a", "country", "DE")]
    assert (pairs[0]["views"], pairs[0]["negative_impact"]) == (60, 1000)
    alone = await api.data(PATH, **asked, pairs="false")
    assert len(alone) == 4


async def test_a_pair_is_made_of_values_with_enough_views(
    api: Answering, store: RunningStore
) -> None:
    small = [one for n in range(5) for one in views(10, cdn=f"t{n}", country="FR")]
    large = [
        one for cdn in "ab" for country in ("DE", "FR")
        for one in views(
            60, cdn=cdn, country=country,
            startup_ms=5000.0 if (cdn, country) == ("b", "FR") else 1000.0,
        )
    ]  # fmt: skip
    insert_views(store, *small, *large)
    rows = await api.data(PATH, metric="startup_time", dimensions="cdn,country")
    pairs = [row for row in rows if row["dimension_2"]]
    assert [named(row) for row in pairs] == [("cdn", "b", "country", "FR")]
    assert (pairs[0]["views"], pairs[0]["metric_value"]) == (60, 5000)


async def test_a_pair_that_is_one_of_its_parts_is_not(api: Answering, store: RunningStore) -> None:
    bad = views(60, browser="Safari", os="iOS", startup_ms=5000.0)
    insert_views(store, *bad, *views(60, browser="Chrome", os="Android"))
    rows = await api.data(PATH, metric="startup_time", dimensions="browser,os")
    assert [row for row in rows if row["dimension_2"]] == []
    assert {named(row)[:2] for row in rows[:2]} == {("browser", "Safari"), ("os", "iOS")}


async def test_metrics_are_ranked_by_their_share(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        *views(50, cdn="a", rebuffer_ms=10_000.0),
        *views(50, cdn="b", startup_ms=1100.0),
    )
    rows = await api.data(PATH, dimensions="cdn")
    assert (rows[0]["metric"], rows[0]["value"]) == ("rebuffer_percentage", "a")
    assert {row["metric"] for row in rows} <= set(DEFAULT_METRICS)


async def test_a_median_is_averaged_unless_asked_for(api: Answering, store: RunningStore) -> None:
    insert_views(store, *views(50, os="A"), *views(50, os="B"))
    rows = await api.data(PATH, metric="startup_time", dimensions="os", noise="true")
    assert {row["measurement"] for row in rows} == {"avg"}
    assert (await api.get(PATH, metric="startup_time", measurement="median")).status_code == 400


async def test_every_dimension_may_be_asked_and_causes_are_by_default(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, *views(60, os="A"), *views(60, os="B"))
    meta = (await api.get(PATH)).json()["meta"]
    assert meta["metrics"] == list(DEFAULT_METRICS)
    assert not NOT_CAUSES & set(meta["dimensions"])
    names = ",".join([*sorted(NOT_CAUSES), "bot", "custom.any"])
    assert (await api.get(PATH, dimensions=names)).status_code == 200


async def test_no_views_have_no_insights(api: Answering) -> None:
    assert await api.data(PATH) == []


async def test_a_token_and_filters_narrow_the_views(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        *views(50, property="p", os="A", country="DE"),
        *views(50, property="q", os="B", country="DE"),
        *views(60, property="q", os="C", country="DE"),
        *views(60, property="q", os="C", country="FR"),
    )
    asked = {"metric": "startup_time", "dimensions": "os", "noise": "true"}
    asked["token"] = api.token("read", "q")
    assert {row["value"]: row["views"] for row in await api.data(PATH, **asked)} == {
        "B": 50, "C": 120,
    }  # fmt: skip
    narrowed = await api.data(PATH, **asked, filters="country:DE")
    assert {row["value"]: row["views"] for row in narrowed} == {"B": 50, "C": 60}


async def test_the_list_is_cut_and_says_so(api: Answering, store: RunningStore) -> None:
    insert_views(store, *(one for n in range(5) for one in views(50, os=f"o{n}")))
    asked = {"metric": "startup_time", "dimensions": "os", "noise": "true"}
    response = (await api.get(PATH, **asked, limit="3")).json()
    assert (len(response["data"]), response["meta"]["more"]) == (3, True)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"metric": "unique_viewers"}, 400),
        ({"metric": "concurrent_viewers"}, 400),
        ({"metric": "cdn_requests"}, 400),
        ({"metric": "none"}, 404),
        ({"metric": "views,watch_time", "measurement": "sum"}, 400),
        ({"dimensions": "none"}, 400),
        ({"dimensions": ",".join(f"custom.k{n}" for n in range(41))}, 400),
        ({"min_views": "0"}, 400),
        ({"pairs": "maybe"}, 400),
        ({"noise": "2"}, 400),
        ({"group_by": "os"}, 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    api: Answering, asked: dict[str, str], status: int
) -> None:
    assert (await api.get(PATH, **asked)).status_code == status


async def test_of_very_many_views_a_sample_is_told_for_all(
    store: RunningStore, tmp_path: Path
) -> None:
    async with answering(store, tmp_path, max_insight_views=1_000) as api:
        slow, fast = views(2_000, cdn="slow", startup_ms=4000.0), views(4_000, cdn="fast")
        insert_views(store, *slow, *fast)
        asked = {"metric": "views", "dimensions": "cdn"}
        answer = (await api.get(PATH, **asked)).json()
        counted = {row["value"]: row["views"] for row in answer["data"]}
        assert (answer["meta"]["sample"], set(counted)) == (6, {"slow", "fast"})
        assert counted["slow"] == pytest.approx(2_000, rel=0.3)
        [row, *_] = await api.data(PATH, metric="startup_time", dimensions="cdn", measurement="avg")
        assert (row["value"], row["metric_value"]) == ("slow", 4000)
        assert row["total_watch_time_ms"] == pytest.approx(2_000 * 100_000, rel=0.3)
