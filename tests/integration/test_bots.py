"""Robots and staff over HTTP: marked at the door or in the fold, kept, left out until asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from playhead.clock import SystemClock
from support.server import Server

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
VIEWS_PER_MINUTE = 3
ENV = {
    "PLAYHEAD_COLLECT__BOT_VIEWS_PER_MINUTE": str(VIEWS_PER_MINUTE),
    "PLAYHEAD_COLLECT__INTERNAL_NETWORKS": '["192.0.2.0/24", "2001:db8:5::/48"]',
    "PLAYHEAD_COLLECT__INTERNAL_HOSTS": '["localhost", "*.staging.example"]',
    "PLAYHEAD_COLLECT__INTERNAL_VIEWERS": '["qa-*"]',
}
HURRIED = VIEWS_PER_MINUTE + 2
PEOPLE = {"person": 1, "relayed": HURRIED}
BOTS = {"crawler": 1, "curl": 1, "webdriver": 1, "hurried": HURRIED}
STAFF = {"network": 1, "network6": 1, "page": 1, "viewer": 1}
EVENTS = 3
FILTERS: list[tuple[tuple[str, ...], dict[str, int]]] = [
    ((), PEOPLE),
    (("bot:false",), PEOPLE),
    (("!bot:true",), PEOPLE),
    (("bot:true",), BOTS),
    (("internal:true",), STAFF),
    (("bot:true", "bot:false"), PEOPLE | BOTS),
    (("bot:true", "bot:false", "internal:true", "internal:false"), PEOPLE | BOTS | STAFF),
]


def a_view(video: str, number: int = 0, **fields: Any) -> list[dict[str, Any]]:
    """A view that began a minute ago and goes on."""
    now = SystemClock().now_ms()
    base = {
        "viewId": f"{video}-{number}", "videoId": video, "viewerId": f"{video}-{number}",
        "heartbeatIntervalMs": 300_000,
    } | fields  # fmt: skip
    return [
        base | {"eventType": kind, "timestamp": now - ago, "seq": seq, "playbackPositionSec": at}
        for seq, (kind, ago, at) in enumerate(
            [("PLAY", 60_000, 0), ("PLAYING", 60_000, 0), ("HEARTBEAT", 30_000, 30)]
        )
    ]


def send(server: Server, events: Sequence[dict[str, Any]], address: str, **headers: str) -> None:
    sent = {"user-agent": BROWSER, "x-forwarded-for": address} | headers
    assert server.send(events, headers=sent).status_code == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("bots") / "data", env=ENV) as running:
        send(running, a_view("person"), "198.51.100.1")
        send(running, a_view("crawler"), "198.51.100.2", **{"user-agent": CRAWLER})
        send(running, a_view("curl"), "198.51.100.3", **{"user-agent": "curl/8.5.0"})
        send(running, a_view("webdriver", custom={"webdriver": True}), "198.51.100.4")
        hurried = [a_view("hurried", n) for n in range(HURRIED)]
        for events in (*(h[:2] for h in hurried), *(h[2:] for h in hurried)):
            send(running, events, "198.51.100.5")
        for n in range(HURRIED):  # what this machine sends for others is not judged
            assert running.send(a_view("relayed", n)).status_code == 200
        send(running, a_view("network"), "192.0.2.77")
        send(running, a_view("network6"), "2001:db8:5::1")
        send(running, a_view("page"), "198.51.100.6", origin="https://a.staging.example")
        send(running, a_view("viewer", viewerId="qa-1"), "198.51.100.7")
        running.wait_until_stored()
        yield running


@pytest.fixture(params=FILTERS, ids=lambda one: "&".join(one[0]) or "none")
def filtered(request: pytest.FixtureRequest) -> tuple[tuple[str, ...], dict[str, int]]:
    found: tuple[tuple[str, ...], dict[str, int]] = request.param
    return found


Filtered = tuple[tuple[str, ...], dict[str, int]]


def ask(server: Server, path: str, filters: tuple[str, ...], **params: Any) -> Any:
    return server.get(path, **params, **({"filters": list(filters)} if filters else {}))["data"]


def test_the_list_of_views(server: Server, filtered: Filtered) -> None:
    filters, expected = filtered
    found: dict[str, int] = {}
    for row in ask(server, "/v1/views", filters):
        found[row["video_id"]] = found.get(row["video_id"], 0) + 1
    assert found == expected


@pytest.mark.parametrize("metric", ["views", "unique_viewers", "concurrent_viewers", "watch_time"])
def test_one_number(server: Server, filtered: Filtered, metric: str) -> None:
    filters, expected = filtered
    data = ask(server, f"/v1/metrics/{metric}/overall", filters)
    assert data["views"] == sum(expected.values())


def test_unique_viewers_are_counted_without_them(server: Server, filtered: Filtered) -> None:
    filters, expected = filtered
    data = ask(server, "/v1/metrics/unique_viewers/overall", filters)
    assert data["value"] == sum(expected.values())


@pytest.mark.parametrize("metric", ["views", "concurrent_viewers"])
def test_a_breakdown(server: Server, filtered: Filtered, metric: str) -> None:
    filters, expected = filtered
    rows = ask(server, f"/v1/metrics/{metric}/breakdown", filters, group_by="video_id")
    assert {row["group"]: row["value"] for row in rows} == expected


@pytest.mark.parametrize("metric", ["views", "concurrent_viewers"])
def test_a_series(server: Server, filtered: Filtered, metric: str) -> None:
    filters, expected = filtered
    path = f"/v1/metrics/{metric}/timeseries"
    times = {"from": "-10m", "interval": "1m"}
    rows = ask(server, path, filters, group_by="video_id", limit=50, **times)
    plain = ask(server, path, filters, **times)
    assert {row["group"] for row in rows} == set(expected)
    assert max(row["value"] for row in plain) == sum(expected.values())


def test_live(server: Server, filtered: Filtered) -> None:
    filters, expected = filtered
    rows = ask(server, "/v1/live", filters, minutes=5, group_by="video_id", limit=50)
    plain = ask(server, "/v1/live", filters, minutes=5)
    assert {row["group"] for row in rows} == set(expected)
    assert max(row["concurrent_viewers"] for row in plain) == sum(expected.values())


def test_a_breakdown_by_the_mark_itself(server: Server) -> None:
    both = ("bot:true", "bot:false")
    rows = ask(server, "/v1/metrics/views/breakdown", both, group_by="bot")
    counted = {row["group"]: row["value"] for row in rows}
    assert counted == {"true": sum(BOTS.values()), "false": sum(PEOPLE.values())}


def test_a_view_asked_for_by_its_id_is_shown_with_its_marks(server: Server) -> None:
    view = server.get("/v1/views/hurried-0")["data"]
    assert (view["bot"], view["internal"]) == (True, False)


def test_nothing_was_swallowed(server: Server) -> None:
    sent = EVENTS * sum((PEOPLE | BOTS | STAFF).values())
    events = server.status()["events"]
    assert (events["in"], events["stored"]) == (sent, sent)
