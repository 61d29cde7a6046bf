"""Every screen shows the numbers that the API gives for the same query, value by value."""

from typing import Any

import pytest

from e2e.dashboard.look import Look, number
from e2e.dashboard.stock import Stock

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

COMPLETE = ("views", "unique_viewers", "watch_time", "minutes_per_viewer")
OF_A_TITLE = {
    "Views": "views", "Viewers": "unique_viewers", "Watch time": "watch_time",
    "Startup": "startup_time", "Rebuffering": "rebuffer_percentage",
    "Failures": "playback_failure_percentage",
}  # fmt: skip
OF_TITLES = {
    "Watch time": "watch_time", "Viewers": "unique_viewers", "Completion": "completion_percentage",
    "Startup": "startup_time", "Rebuffering": "rebuffer_percentage",
    "Failures": "playback_failure_percentage", "Score": "score",
}  # fmt: skip
SEEN = {
    "Startup": "startup_time", "Rebuffering": "rebuffer_percentage",
    "Failures": "playback_failure_percentage", "Bitrate": "weighted_bitrate", "Score": "score",
}  # fmt: skip
LOGGED = {
    "Requests": "requests", "Errors": "error_percentage", "Cache hits": "cache_hit_ratio",
    "First byte p95": "ttfb_p95", "Slow": "slow_percentage", "Sent": "bytes",
}  # fmt: skip


class Asking:
    """The API, asked for one span and some filters."""

    def __init__(self, stock: Stock, *filters: str, span: dict[str, str] | None = None) -> None:
        self.server = stock.server
        self.span = span or stock.span
        self.shared: dict[str, Any] = {**self.span, "filters": list(filters)}

    def data(self, path: str, **params: Any) -> Any:
        return self.server.get(path, **self.shared, **params)["data"]

    def compared(self, metric: str) -> dict[str, Any]:
        row: dict[str, Any] = self.data("/v1/compare", metric=metric)[0]
        return row

    def groups(self, metric: str, by: str, **params: Any) -> dict[str, float | None]:
        path = f"/v1/metrics/{metric}/breakdown"
        return {row["group"]: row["value"] for row in self.data(path, group_by=by, **params)}


@pytest.fixture
def asking(stock: Stock) -> Asking:
    return Asking(stock)


def names(asking: Asking) -> dict[str, str]:
    """Return the ids of the metrics by their names."""
    listed = asking.server.get("/v1/metrics")["data"]["metrics"]
    return {metric["name"]: metric["id"] for metric in listed}


async def test_overview_of_quality(look: Look, asking: Asking) -> None:
    await look.open("quality", **asking.span)
    shown = await look.tiles()
    ids = names(asking)
    assert len(shown) == 8
    assert shown == {name: asking.compared(ids[name])["value"] for name in shown}
    drags = asking.data("/v1/insights", limit=40)
    told = {one["metric_value"] for one in drags}
    listed = await look.values(look.panel("What drags quality most"))
    assert listed
    assert set(listed) <= told


@pytest.mark.parametrize("metric", ["startup_time", "rebuffer_percentage", "views"])
async def test_page_of_a_metric(look: Look, asking: Asking, metric: str) -> None:
    await look.open("quality", metric=metric, by="cdn", **asking.span)
    whole = asking.compared(metric)
    headline = await look.values(look.page.locator("section.headline"))
    assert headline == [whole["value"], whole["compared_value"]]
    course = asking.data("/v1/compare", metric=metric, interval="auto")
    rows = await look.csv("Over time")
    buckets = [row for row in course if row.get("time")]
    assert [row["Time"] for row in rows] == [row["time"] for row in buckets]
    assert [number(list(row.values())[1]) for row in rows] == [row["value"] for row in buckets]
    befores = [row["compared_value"] for row in buckets]
    assert [number(row["Period before"]) for row in rows] == befores
    groups = await look.csv("By cdn")
    told = {row["cdn"]: number(list(row.values())[1]) for row in groups}
    assert told == asking.groups(metric, "cdn")
    assert set(await look.values(look.panel("By cdn"))) == set(told.values())


async def test_spread_of_a_metric(look: Look, asking: Asking) -> None:
    await look.open("quality", metric="startup_time", **asking.span)
    body = asking.server.get("/v1/metrics/startup_time/histogram", **asking.span)
    rows = await look.csv("Spread")
    steps = [(step["from"], step["to"], step["views"]) for step in body["data"]]
    assert [
        (number(row["from (ms)"]), number(row["to"]), int(row["views"])) for row in rows
    ] == steps
    ranks = await look.values(look.page.get_by_label("Percentiles"))
    summary = body["meta"]["summaries"][0]
    names = ("min", "p5", "p25", "p50", "p75", "p90", "p95", "p99", "max", "avg")
    assert ranks == [summary[name] for name in names]


async def test_audience(look: Look, asking: Asking) -> None:
    await look.open("audience", **asking.span)
    ids = names(asking)
    shown = await look.tiles()
    assert [ids[name] for name in shown] == list(COMPLETE)
    assert shown == {name: asking.compared(ids[name])["value"] for name in shown}
    for title, by in (("Countries", "country"), ("Devices", "device_class"), ("Browsers", "browser"),
                      ("Operating systems", "os"), ("Players", "player_name")):  # fmt: skip
        rows = await look.csv(title)
        told = {row[by]: number(row["Views (views)"]) for row in rows}
        assert told == asking.groups("views", by, limit=300 if by == "country" else 100)
    new = asking.compared("new_viewers")["value"]
    everybody = asking.compared("unique_viewers")["value"]
    said = await look.values(look.panel("New and returning viewers"))
    assert said[:2] == [new, everybody - new]


async def test_titles(look: Look, asking: Asking) -> None:
    await look.open("content", **asking.span)
    rows = {row["Video id"]: row for row in await look.csv("Titles")}
    titles = asking.data("/v1/dimensions/video_id", limit=100)
    assert {(id_, row["Title"], int(row["Views"])) for id_, row in rows.items()} == {
        (one["value"], one["title"] or one["value"], one["views"]) for one in titles
    }
    for name, metric in OF_TITLES.items():
        told = asking.groups(metric, "video_id", order="views:desc", limit=100)
        assert {id_: number(row[name]) for id_, row in rows.items()} == {
            id_: told.get(id_) for id_ in rows
        }


async def test_one_title(look: Look, stock: Stock) -> None:
    video = stock.titles[0]
    asking = Asking(stock, f"video_id:{video}")
    await look.open(f"content/{video}", **stock.span)
    shown = await look.tiles()
    told = {name: asking.compared(metric)["value"] for name, metric in OF_A_TITLE.items()}
    assert {name: shown[name] for name in told} == told
    body = stock.server.get(f"/v1/retention/{video}", **stock.span)
    rows = await look.csv("Retention")
    points = [
        (one["start_s"], one["views"], one["absolute"], one["rewatches"]) for one in body["data"]
    ]
    assert [
        (number(row["From s"]), int(row["Views"]), number(row["Absolute"]),
         number(row["Watched again"])) for row in rows
    ] == points  # fmt: skip
    summary = body["meta"]["retention"]
    facts = {
        "Average watched": "average_view_duration_s", "Completed": "completion_rate",
        "Average share viewed": "average_percentage_viewed", "Still there at 30 s": "intro_retention",
    }  # fmt: skip
    assert {name: shown[name] for name in facts} == {
        name: summary[field] for name, field in facts.items()
    }


async def test_cdns(look: Look, asking: Asking) -> None:
    await look.open("cdn", **asking.span)
    rows = {row["CDN"]: row for row in await look.csv("Side by side by CDN")}
    for name, metric in SEEN.items():
        told = asking.groups(metric, "cdn", order="views:desc", limit=30)
        assert {cdn: number(row[name]) for cdn, row in rows.items()} == told
    logs = asking.data("/v1/cdn/kpis", interval="all", group_by="cdn", limit=50)
    assert {one["cdn"] for one in logs} == {"aurora", "cirrus", "monsoon"}
    for one in logs:
        row = rows[one["cdn"]]
        assert {name: number(row[name]) for name in LOGGED} == {
            name: one[field] for name, field in LOGGED.items()
        }
    course = asking.data("/v1/metrics/cdn_error_percentage/timeseries", group_by="cdn", limit=5)
    drawn = await look.csv("Errors in logs")
    assert [(row["Time"], row["cdn"], number(list(row.values())[2])) for row in drawn] == [
        (row["time"], row["group"], row["value"]) for row in course if not row["other"]
    ]


async def test_views(look: Look, stock: Stock) -> None:
    order = "rebuffer_ms:desc"
    await look.open("views", order=order, **stock.recent)
    rows = await look.csv("Views of this span")
    asking = Asking(stock, span=stock.recent)
    told = asking.data("/v1/views", order=order, limit=50)
    fields = {
        "Started": "started_at", "Status": "status", "CDN": "cdn", "Country": "country",
        "Viewer": "viewer_id",
    }  # fmt: skip
    numbers = {
        "Watched": "watch_ms", "Startup": "startup_ms", "Rebuffering": "rebuffer_ms",
        "Bitrate": "bitrate_kbps", "Errors": "errors", "Score": "score",
    }  # fmt: skip
    assert len(rows) == len(told) == 50
    for row, view in zip(rows, told, strict=True):
        assert {name: row[name] for name in fields} == {n: view[f] for n, f in fields.items()}
        assert {name: number(row[name]) for name in numbers} == {
            name: view[field] for name, field in numbers.items()
        }
    assert len(await look.cells("Views of this span")) == len(rows)


async def test_one_view(look: Look, stock: Stock) -> None:
    worst = Asking(stock, span=stock.recent).data("/v1/views", order="rebuffer_ms:desc", limit=1)[0]
    await look.open(f"views/{worst['view_id']}", **stock.recent)
    view = stock.server.get(f"/v1/views/{worst['view_id']}")["data"]
    fields = {
        "Startup": "startup_ms", "Watched": "watch_ms", "Rebuffering": "rebuffer_ms",
        "Seeks": "seek_count", "Bitrate": "bitrate_kbps", "Errors": "errors", "Score": "score",
    }  # fmt: skip
    shown = await look.tiles()
    assert shown == {name: view[field] for name, field in fields.items()}
    intervals = await look.csv("Timeline")
    assert [(row["State"], row["From"], row["To"]) for row in intervals] == [
        (one["state"], one["from"], one["to"]) for one in view["intervals"]
    ]
    events = await look.csv("Events")
    assert [(row["Time"], row["Kind"], number(row["Playhead s"])) for row in events] == [
        (one["at"], one["kind"], one.get("position_s")) for one in view["events"]
    ]
    assert view["causes"]
    why = await look.page.get_by_role("region", name="Why").inner_text()
    assert [one["sentence"] for one in view["causes"] if one["sentence"] not in why] == []


async def test_set_up(look: Look, stock: Stock) -> None:
    await look.open("setup")
    shown = await look.tiles()
    events = stock.server.status()["events"]
    fields = {
        "Events in": "in", "Stored": "stored", "Duplicates": "duplicates",
        "Quarantined": "quarantined",
    }  # fmt: skip
    assert {name: shown[name] for name in fields} == {n: events[f] for n, f in fields.items()}
    await look.sees("The books balance")
    refused = await look.csv("Refused lately")
    told = stock.server.status()["refusals"]
    assert [(row["Door"], row["Reason"], row["What happened"]) for row in refused] == [
        (one["door"], one["code"], one["message"]) for one in told
    ]
    tokens = await look.csv("Tokens")
    listed = stock.server.http.get(
        f"{stock.server.url}/v0/tokens", headers={"Authorization": f"Bearer {stock.server.token}"}
    )
    assert {row["Name"] for row in tokens} == {one["name"] for one in listed.json()["tokens"]}
