"""The report from known rows: each KPI, the period before, groups, CDN logs, who sees what."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from support.answering import NOW_MS, Answering, insert_views, view_row
from support.api_fixtures import api, store
from support.door_rows import insert_requests
from support.running_store import RunningStore

__all__ = ["api", "store"]

HOUR_MS = 3_600_000
PATH = "/v1/report"
SPAN = {"from_": "-2h", "interval": "1h"}
HOSTILE = "<script>alert(1)</script>\u202e\"'&"


@pytest.fixture(autouse=True)
def empty(store: RunningStore) -> None:
    for table in ("cdn_requests", "cdn_minutes"):
        store.client.command(f"TRUNCATE TABLE playhead.{table}")


def watched(before_ms: int, **given: Any) -> dict[str, Any]:
    """A view that began so long ago and played a minute."""
    start = NOW_MS - before_ms
    plain = {"started_at": start, "intervals": [("playing", start, start + 60_000)]}
    return view_row(**(plain | {"watch_ms": 60_000, "playing_ms": 60_000} | given))


async def kpis(api: Answering, **asked: Any) -> dict[str, Any]:
    data = await api.data(PATH, **(SPAN | asked))
    return {kpi["id"]: kpi for kpi in data["kpis"]}


def value(kpi: dict[str, Any], measure: str) -> tuple[Any, Any, Any]:
    (found,) = [one for one in kpi["values"] if one["id"] == measure]
    return found["value"], found["previous"], found["change"]


async def test_views_are_compared_with_the_period_before(
    api: Answering, store: RunningStore
) -> None:
    ago = (HOUR_MS // 2, HOUR_MS, HOUR_MS + 1, 3 * HOUR_MS, 4 * HOUR_MS, 5 * HOUR_MS)
    insert_views(store, *(watched(ms) for ms in ago))
    found = await kpis(api)
    assert value(found["views"], "views") == (3, 2, 50)
    assert value(found["views"], "watch_time") == (180_000, 120_000, 50)


async def test_a_series_has_a_row_a_bucket_beside_the_one_a_period_earlier(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watched(HOUR_MS), watched(HOUR_MS + 1), watched(HOUR_MS * 3))
    rows = (await kpis(api))["views"]["series"]["rows"]
    assert [(row["value"], row["previous"]) for row in rows] == [(1, 0), (1, 1)]
    assert [row["provisional"] for row in rows] == [False, True]


async def test_a_bucket_that_the_span_cuts_says_so(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS))
    rows = (await kpis(api, from_="-90m", to="-10m"))["views"]["series"]["rows"]
    assert [row["partial"] for row in rows] == [True, True]


async def test_a_unique_view_is_a_viewer_and_a_video(api: Answering, store: RunningStore) -> None:
    insert_views(
        store,
        watched(HOUR_MS, viewer_id="a", video_id="x"), watched(HOUR_MS, viewer_id="a", video_id="x"),
        watched(HOUR_MS, viewer_id="a", video_id="y"), watched(HOUR_MS, viewer_id="b", video_id="x"),
        watched(HOUR_MS, viewer_id="", video_id="x"),
    )  # fmt: skip
    found = (await kpis(api))["unique_views"]
    assert value(found, "unique_viewers")[0] == 2
    assert value(found, "unique_views")[0] == 3
    assert value(found, "views_per_viewer")[0] == 2


async def test_a_session_lasts_from_its_first_view_to_the_end_of_its_last(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        watched(HOUR_MS, session_id="s"), watched(HOUR_MS - 240_000, session_id="s"),
        watched(HOUR_MS, session_id="s", property="q"),
        watched(HOUR_MS), watched(HOUR_MS),
    )  # fmt: skip
    found = (await kpis(api))["session_duration"]
    assert value(found, "sessions")[0] == 4
    assert value(found, "session_average")[0] == (300_000 + 3 * 60_000) / 4
    assert value(found, "session_median")[0] == pytest.approx(60_000, rel=0.01)
    ranges = {row["group"]: row["sessions"] for row in found["breakdowns"][0]["rows"]}
    assert (ranges["1 to 5 min"], ranges["5 to 15 min"]) == (3, 1)


async def test_startup_and_buffering_are_those_of_the_metrics(
    api: Answering, store: RunningStore
) -> None:
    insert_views(
        store,
        watched(HOUR_MS, startup_ms=400), watched(HOUR_MS, startup_ms=1200, rebuffer_ms=3_000, rebuffer_count=1),
        watched(HOUR_MS, startup_ms=9000), watched(HOUR_MS, exit_before_start=True, watch_ms=0),
    )  # fmt: skip
    found = await kpis(api)
    assert value(found["startup_time"], "startup_median")[0] == pytest.approx(1200, rel=0.011)
    assert value(found["startup_time"], "exits_before_video_start")[0] == 25
    assert value(found["buffering"], "rebuffer_percentage")[0] == pytest.approx(100 * 3 / 180)
    assert [row["views"] for row in found["startup_time"]["breakdowns"][0]["rows"]] == [
        1, 0, 1, 0, 0, 1, 0,
    ]  # fmt: skip
    assert [row["views"] for row in found["buffering"]["breakdowns"][0]["rows"]] == [
        2, 0, 0, 0, 1, 0,
    ]  # fmt: skip


async def test_the_report_says_what_the_metrics_say(api: Answering, store: RunningStore) -> None:
    given = ({"country": c, "rebuffer_ms": 10 * n, "startup_ms": 100 * n, "score": 50 + n,
              "bitrate_kbps": 800 * n, "bitrate_weight_ms": 5} for n, c in enumerate("abcab"))  # fmt: skip
    insert_views(store, *(watched(HOUR_MS, **one) for one in given))
    rows = (await kpis(api))["geography"]["breakdowns"][0]["rows"]
    for metric, measure in (
        ("views", "views"), ("watch_time", "watch_time"), ("startup_time", "startup_median"),
        ("rebuffer_percentage", "rebuffer_percentage"), ("weighted_bitrate", "weighted_bitrate"),
    ):  # fmt: skip
        path = f"/v1/metrics/{metric}/breakdown"
        expected = await api.data(path, from_="-2h", group_by="country")
        near = {row["group"]: pytest.approx(row["value"], rel=0.011) for row in expected}
        assert {row["group"]: row[measure] for row in rows} == near, metric


async def test_beyond_the_limit_all_others_are_one_group(
    api: Answering, store: RunningStore
) -> None:
    some = ("DE", "DE", "DE", "FR", "FR", "US", "")
    insert_views(store, *(watched(HOUR_MS, country=one, startup_ms=500) for one in some))
    found = (await kpis(api, limit=2))["geography"]
    rows = found["breakdowns"][0]["rows"]
    assert [(row["group"], row["other"], row["views"]) for row in rows] == [
        ("DE", False, 3), ("FR", False, 2), ("other", True, 2),
    ]  # fmt: skip
    assert rows[2]["startup_median"] == pytest.approx(500, rel=0.011)
    assert sum(row["value"] for row in found["series"]["rows"]) == len(some)


async def test_largest_groups_head_geography_and_devices(
    api: Answering, store: RunningStore
) -> None:
    rows = [watched(HOUR_MS, country=c, device_class="tv") for c in ("DE", "DE", "FR", "")]
    insert_views(store, *rows)
    found = await kpis(api)
    first = found["geography"]["values"][0]
    assert (first["group"], first["value"]) == ("DE", 50)
    assert value(found["geography"], "countries")[0] == 2
    assert [one["by"] for one in found["devices"]["breakdowns"]] == [
        "device_class", "os", "browser", "player_name",
    ]  # fmt: skip


async def test_cdn_logs_stand_beside_what_the_players_saw(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watched(HOUR_MS, cdn="aurora"), watched(HOUR_MS, cdn="monsoon"))
    insert_requests(
        store, {"cdn": "aurora"}, {"cdn": "aurora", "status": 500, "cache": "miss"},
        {"cdn": "silent", "ttfb_ms": 80}, {"cdn": "aurora", "at": NOW_MS - 3 * HOUR_MS},
    )  # fmt: skip
    found = (await kpis(api))["cdn"]
    assert value(found, "requests") == (3, 1, 200)
    rows = {row["group"]: row for row in found["breakdowns"][0]["rows"]}
    assert (rows["aurora"]["requests"], rows["aurora"]["error_percentage"]) == (2, 50)
    assert (rows["silent"]["views"], rows["silent"]["requests"]) == (0, 1)
    assert rows["monsoon"]["requests"] is None


async def test_without_logs_there_are_no_numbers_of_requests(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watched(HOUR_MS, cdn="aurora"))
    found = (await kpis(api))["cdn"]
    assert "requests" not in {one["id"] for one in found["values"]}
    assert "requests" not in found["breakdowns"][0]["rows"][0]


async def test_logs_are_left_out_where_a_filter_is_not_theirs(
    api: Answering, store: RunningStore
) -> None:
    insert_views(store, watched(HOUR_MS, cdn="aurora", player_name="p"))
    insert_requests(store, {})
    data = await api.data(PATH, **SPAN, filters="player_name:p")
    assert len(data["notes"]) == 1
    assert "requests" not in {one["id"] for one in data["kpis"][-1]["values"]}


async def test_one_video_and_filters_narrow_everything(api: Answering, store: RunningStore) -> None:
    insert_views(
        store, watched(HOUR_MS, video_id="x", country="DE"), watched(HOUR_MS, video_id="x"),
        watched(HOUR_MS, video_id="y", country="DE"),
    )  # fmt: skip
    assert value((await kpis(api, video_id="x"))["views"], "views")[0] == 2
    both = await kpis(api, video_id="x", filters="country:DE")
    assert value(both["session_duration"], "sessions")[0] == 1


async def test_a_token_of_a_property_sees_nothing_else(api: Answering, store: RunningStore) -> None:
    rows = [watched(HOUR_MS, property=name, country=name, cdn="c") for name in ("p", "q", "q")]
    insert_views(store, *rows)
    insert_requests(store, {"property": "q", "cdn": "c"})
    found = await kpis(api, token=api.token("read", "p"))
    assert value(found["views"], "views")[0] == 1
    assert [row["group"] for row in found["geography"]["breakdowns"][0]["rows"]] == ["p"]
    assert "requests" not in {one["id"] for one in found["cdn"]["values"]}


async def test_robots_are_left_out(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS), watched(HOUR_MS, bot=True))
    assert value((await kpis(api))["views"], "views")[0] == 1
    assert value((await kpis(api, filters="bot:true"))["views"], "views")[0] == 1


async def test_as_csv_it_is_a_row_a_number(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS, country="DE"))
    text = (await api.get(PATH, **SPAN, format_="csv")).text
    lines = text.splitlines()
    assert lines[0] == "kpi,measure,by,group,value,unit,change"
    assert "views,views,,,1,views," in lines
    assert "geography,views,country,DE,1,views," in lines


@pytest.mark.parametrize(
    "asked",
    [
        {"interval": "1s"}, {"limit": "0"}, {"limit": "51"}, {"filters": "nothing:1"}, {"group_by": "country"},
        {"from_": "now"}, {"from_": "-7d", "interval": "1m"}, {"format_": "pdf"},
    ],
)  # fmt: skip
async def test_asked_wrongly_it_is_refused(api: Answering, asked: dict[str, str]) -> None:
    assert (await api.get(PATH, **asked)).status_code == 400


async def test_too_many_buckets_name_their_own_limit(api: Answering) -> None:
    response = await api.get(PATH, from_="-60d", interval="1h")
    assert response.status_code == 400
    assert response.json()["hint"].endswith("query.max_report_buckets.")


async def test_without_views_there_is_still_an_answer(api: Answering, store: RunningStore) -> None:
    found = await kpis(api)
    assert [kpi["values"][0]["value"] for kpi in found.values()] == [
        0, 0, None, None, None, None, None, 0,
    ]  # fmt: skip
    page = (await api.get(PATH, **SPAN, format_="html")).text
    assert "Nobody watched in this time" in page


class _Page(HTMLParser):
    """What a browser would make of the page: tags in order, and all texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.addresses += [v or "" for name, v in found.items() if name in {"src", "href"}]
        assert not {"style", "onload", "onclick"} & set(found)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


async def test_a_hostile_name_stays_text(api: Answering, store: RunningStore) -> None:
    named = dict.fromkeys(("video_title", "country", "cdn", "player_name", "browser"), HOSTILE)
    insert_views(store, watched(HOUR_MS, **named), watched(HOUR_MS, **named, device_class=HOSTILE))
    insert_requests(store, {"cdn": HOSTILE})
    answer = await api.get(PATH, **SPAN, format_="html", filters=f"country:{HOSTILE}")
    page = _Page()
    page.feed(answer.text)
    assert "script" not in page.tags
    assert "\u202e" not in answer.text
    assert any("<script>alert(1)</script>\ufffd" in text for text in page.texts)


async def test_the_page_stands_alone(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS, country="DE", cdn="c", video_title="Cup final"))
    answer = await api.get(PATH, **SPAN, format_="html")
    page = _Page()
    page.feed(answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert all(one.startswith("#") for one in page.addresses)
    assert page.tags.count("section") == 8
    assert page.tags.count("table") >= page.tags.count("figure") >= 5


async def test_every_address_within_the_page_exists(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS))
    text = (await api.get(PATH, **SPAN, format_="html")).text
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids


async def test_the_tile_of_unique_views_shows_them(api: Answering, store: RunningStore) -> None:
    insert_views(store, watched(HOUR_MS, video_id="a"), watched(HOUR_MS, video_id="b"))
    text = (await api.get(PATH, **SPAN, format_="html")).text
    tile = text[text.index('href="#unique_views"') :].partition("</a>")[0]
    assert '<span class="value">2</span>' in tile
    assert '<span class="what">Unique views</span>' in tile


async def test_a_browser_gets_the_page(api: Answering, store: RunningStore) -> None:
    headers = {"authorization": f"Bearer {api.admin}", "accept": "text/html,*/*"}
    answer = await api.http.get(PATH, headers=headers)
    assert answer.headers["content-type"].startswith("text/html")
    assert (await api.http.get(PATH)).status_code == 401
