from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta

import pytest

from playhead.clock import SystemClock
from playhead.model.view import COLUMNS, version_of
from playhead.process.fold.scores import overall_score, quality_score, smooth_score, startup_score
from playhead.simulate.history import CHUNK_ROWS, LONGEST_VIEW_MS, backfill, history_sql
from playhead.store.client import StoreClient
from playhead.store.schema import migrate
from support.running_store import running_store

ROWS = 3_000
SUM_OF = "arraySum((s, a, b) -> if(s = '{}', b - a, 0), interval_state, interval_from, interval_to)"
BROKEN = {
    "playing": SUM_OF.format("playing") + " != playing_ms",
    "stalls": SUM_OF.format("rebuffering") + " != rebuffer_ms",
    "pauses": SUM_OF.format("paused") + " != pause_ms",
    "seeks": SUM_OF.format("seeking") + " != seek_ms",
    "ad time": SUM_OF.format("ad") + " != ad_ms",
    "startup": SUM_OF.format("starting") + " != starting_ms",
    "stall count": "countEqual(interval_state, 'rebuffering') != rebuffer_count",
    "empty or negative": "arrayExists((a, b) -> b <= a, interval_from, interval_to)",
    "gaps": "arrayExists((a, b) -> a != b, arrayPopBack(interval_to), arrayPopFront(interval_from))",
    "beginning": "interval_from[1] != toUnixTimestamp64Milli(started_at)",
    "end": "interval_to[-1] != toUnixTimestamp64Milli(ended_at)",
    "day": "toDate(started_at) != first_seen_day",
    "watch": "watch_ms != starting_ms + playing_ms + rebuffer_ms + seek_ms + ad_ms",
    "watched": "abs(arraySum(watched_to_s) - arraySum(watched_from_s) - content_played_s) > 0.01",
    "longest stall": "rebuffer_max_ms > rebuffer_ms OR rebuffer_max_ms * rebuffer_count < rebuffer_ms",
    "peak": "peak_bitrate_kbps < bitrate_kbps OR isNull(peak_bitrate_kbps) != isNull(bitrate_kbps)",
    "bits": "bits_played > peak_bitrate_kbps * media_s + 0.01 OR bits_played < 0",
    "requests": "request_failed_count + request_ttfb_count > request_count",
    "latency": "request_ttfb_max_ms * request_ttfb_count < request_ttfb_ms - 0.01",
    "ads": "ad_complete_count + ad_skip_count > ad_count OR ad_error_count > warnings",
    "pre-roll": "preroll_request_ms + preroll_load_ms > preroll_startup_ms",
    "start": "aggregate_startup_ms < page_load_ms + startup_ms",
    "score": "score NOT BETWEEN 0 AND 100",
    "lengths": "length(interval_cdn) != length(interval_state)",
    "equal neighbours": "arrayExists((a, b, x, y) -> a = b AND x = y, arrayPopBack(interval_state),"
    " arrayPopFront(interval_state), arrayPopBack(interval_bitrate_kbps),"
    " arrayPopFront(interval_bitrate_kbps))",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Generator[StoreClient, None, None]:
    with running_store(tmp_path_factory.mktemp("history")) as store:
        client = StoreClient(store.location)
        migrate(client)
        yesterday = datetime.fromtimestamp(SystemClock().now_ms() / 1_000, UTC).date()
        client.command(history_sql(ROWS, yesterday - timedelta(days=2), 5))
        yield client
        client.close()


@pytest.mark.parametrize("name", BROKEN)
def test_every_view_is_consistent(client: StoreClient, name: str) -> None:
    assert client.rows(f"SELECT count() FROM views WHERE {BROKEN[name]}").dicts() == [
        {"count()": 0}
    ]


def test_views_are_many_and_differ(client: StoreClient) -> None:
    row = client.rows(
        "SELECT uniqExact(view_id) AS ids, uniqExact(country) AS countries, uniqExact(status) AS"
        " statuses, max(rebuffer_count) AS stalls FROM views"
    ).dicts()[0]
    assert row["ids"] == ROWS
    assert (row["countries"], row["statuses"]) == (11, 4)
    assert row["stalls"] > 1


def test_better_networks_show(client: StoreClient) -> None:
    rows = client.rows(
        "SELECT connection_type AS name, avg(bitrate_kbps) AS kbps, median(startup_ms) AS startup"
        " FROM views GROUP BY name"
    ).dicts()
    by_name = {row["name"]: row for row in rows}
    assert by_name["fibre"]["kbps"] > by_name["wifi"]["kbps"] > by_name["3g"]["kbps"]
    assert by_name["fibre"]["startup"] < by_name["4g"]["startup"] < by_name["3g"]["startup"]


def test_scores_are_those_of_the_fold(client: StoreClient) -> None:
    rows = client.rows(
        "SELECT *, toUnixTimestamp64Milli(ended_at) AS ended FROM views"
        " WHERE startup_ms IS NOT NULL LIMIT 200"
    ).dicts()
    for row in rows:
        startup = startup_score(row["startup_ms"])
        smooth = smooth_score(row["rebuffer_count"], row["rebuffer_ms"] / row["watch_ms"])
        quality = quality_score(row["upscale_max"], row["upscale_avg"])
        score = overall_score(row["score_success"], smooth, startup, quality)
        assert row["score"] == pytest.approx(score, rel=1e-4)
        assert row["version"] == version_of(row["ended"] + 3_600_000, row["events"])


def test_the_statement_fills_every_column() -> None:
    sql = history_sql(1, date(2026, 1, 1), 1)
    assert all(f" AS `{name}`" in sql for name in COLUMNS)


class Statements:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def command(self, sql: str, /) -> None:
        self.seen.append(sql)


@pytest.mark.parametrize("views", [1, 7, CHUNK_ROWS + 1])
def test_a_backfill_makes_exactly_the_views_asked_for(views: int) -> None:
    store, steps = Statements(), []
    until_ms = 1_795_000_000_000
    made = backfill(store, views, 3, until_ms=until_ms,
                    progress=lambda done, _: steps.append(done))  # fmt: skip
    assert (made, steps[-1]) == (views, views)
    assert len(store.seen) == len(steps) == len(set(store.seen))


def test_no_made_up_view_ends_in_the_future(client: StoreClient) -> None:
    until_ms = SystemClock().now_ms()
    backfill(client, 2_000, 2, until_ms=until_ms, seed=9)
    newest = client.rows("SELECT toUnixTimestamp64Milli(max(ended_at)) AS at FROM views").dicts()
    assert until_ms - 2 * LONGEST_VIEW_MS < newest[0]["at"] <= until_ms


def test_the_same_seed_makes_the_same_views(client: StoreClient) -> None:
    day = datetime.fromtimestamp(SystemClock().now_ms() / 1_000, UTC).date() - timedelta(days=9)
    for _ in range(2):
        client.command(history_sql(500, day, 3))
    count = client.rows(f"SELECT count() AS n FROM views FINAL WHERE first_seen_day = '{day}'")
    assert count.dicts() == [{"n": 500}]
