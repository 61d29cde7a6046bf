"""Live streams of a real server: what listeners see, also when processes die and tokens go."""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from playhead.access import Tokens
from playhead.clock import SystemClock
from support.live import Listening, Said, window_of
from support.server import Server

LOOKS_MAX = 1_000
pytestmark = pytest.mark.xdist_group("live")  # one server for all of them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    limits = {"PLAYHEAD_QUERY__MAX_LIVE_QUESTIONS": "12", "PLAYHEAD_QUERY__MAX_BUCKETS": "1000"}
    with Server(tmp_path_factory.mktemp("live") / "data", env=limits) as running:
        yield running


def begin_view(server: Server, ago_ms: int = 0, **fields: Any) -> None:
    """Send a view that began a moment ago and plays."""
    at = int(time.time() * 1000) - ago_ms
    named = {"viewId": str(uuid.uuid4()), **fields}
    server.send(
        [
            {"eventType": "PLAY", "timestamp": at, "seq": 0, **named},
            {"eventType": "PLAYING", "timestamp": at + 100, "seq": 1, **named},
        ]
    )


def watching(said: list[Said]) -> int:
    live = [one for one in said if one.event == "live"]
    return live[-1].data["totals"]["concurrent_viewers"] if live else 0


def only(name: str) -> str:
    """A question of one test alone: its views have this title."""
    return f"minutes=1&filters=video_title:{name}"


def test_listeners_of_a_question_see_the_same_ids(server: Server) -> None:
    with Listening(server, only("same")) as first, Listening(server, only("same")) as second:
        begin_view(server, videoTitle="same")
        for one in (first, second):
            one.wait(lambda said: len(said) >= 5)
    ids = [[one.id for one in listener.live()] for listener in (first, second)]
    shared = [name for name in ids[0] if name in ids[1]]
    assert len(shared) >= 4
    data = [{one.id: one.data for one in listener.live()[1:]} for listener in (first, second)]
    assert all(
        data[0][name] == data[1][name] for name in shared if name in data[0] and name in data[1]
    )


def test_an_event_a_second_and_the_view_in_it(server: Server) -> None:
    with Listening(server, only("paced")) as one:
        one.wait(lambda said: said)
        began = time.monotonic()
        begin_view(server, videoTitle="paced")
        one.wait(watching)
        assert time.monotonic() - began < 4
        count = len(one.live())
        one.wait(lambda said: len(said) >= count + 3)
        assert 2 <= time.monotonic() - began <= 8
    assert one.response.headers["content-type"].startswith("text/event-stream")
    assert one.response.headers["cache-control"] == "no-store"
    assert one.response.headers["x-accel-buffering"] == "no"


def test_what_a_listener_holds_is_what_live_answers(server: Server) -> None:
    for name in ("a", "b", "b"):
        begin_view(server, 20_000, videoTitle="held", cdn=name)
    with Listening(server, only("held") + "&group_by=cdn") as one:
        one.wait(lambda said: watching(said) == 3)
        begin_view(server, 15_000, videoTitle="held", cdn="c")  # late: it amends old buckets
        one.wait(lambda said: watching(said) == 4)
        count = len(one.live())
        one.wait(lambda said: len(said) > count)
    held = window_of(one.live())
    params: Any = {"minutes": 1, "group_by": "cdn", "filters": "video_title:held"}
    asked = {(row["group"], row["time"]): row for row in server.get("/v1/live", **params)["data"]}
    newest = max(time for _, time in held)
    closed = {key: row for key, row in held.items() if key in asked and key[1] < newest}
    assert len(closed) >= 3 * 8
    assert closed == {key: asked[key] for key in closed}
    assert any(
        row["group"] == "c" and row["time"] < said.data["rows"][-1]["time"]
        for said in one.live()[1:]
        for row in said.data["rows"]
    )


def test_who_comes_back_gets_exactly_what_was_missed(server: Server) -> None:
    question = only("missed")
    with Listening(server, question) as stays:
        with Listening(server, question) as leaves:
            leaves.wait(lambda said: len(said) >= 2)
        last = leaves.live()[-1].id
        begin_view(server, 12_000, videoTitle="missed")
        stays.wait(lambda said: watching(said) == 1)
        with Listening(server, question, last_event_id=last) as back:
            back.wait(lambda said: said)
            first = back.live()[0]
            stays.wait(lambda said: any(one.id == first.id for one in said))
    seen = [one.id for one in stays.live()]
    missed = stays.live()[seen.index(last) + 1 : seen.index(first.id) + 1]
    assert first.data["snapshot"] is False
    assert window_of([*leaves.live(), first]) == window_of([*leaves.live(), *missed])
    assert first.data["totals"] == missed[-1].data["totals"]


@pytest.mark.parametrize("how", ["header", "parameter"])
def test_an_id_of_another_stream_gets_the_whole_window(server: Server, how: str) -> None:
    given: dict[str, str] = {"last_event_id": "cafe-1"} if how == "header" else {}
    query = "minutes=1" + ("&last_event_id=cafe-1" if how == "parameter" else "")
    with Listening(server, query, **given) as one:
        first = one.wait(lambda said: said)[0]
    assert (first.data["snapshot"], len(first.data["rows"])) == (True, 12)


def test_a_session_s_cookie_opens_a_stream_and_its_end_closes_it(server: Server) -> None:
    head = {"authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url) as http:
        http.post("/v1/session", headers=head)
        cookie = f"playhead_session={http.cookies['playhead_session']}"
        with Listening(server, cookie=cookie) as one:
            one.wait(lambda said: said)
            http.delete("/v1/session", headers={"sec-fetch-site": "same-origin"})
            assert one.done.wait(5)
    assert one.said[-1].event == "problem"


def test_a_revoked_token_ends_its_stream(server: Server) -> None:
    tokens = Tokens(server.data / "access.db", SystemClock())
    grant, secret = tokens.create("read")
    with Listening(server, authorization=f"Bearer {secret}") as one:
        one.wait(lambda said: said)
        tokens.revoke(grant.id)
        assert one.done.wait(5)
    tokens.close()
    assert (one.said[-1].event, one.said[-1].data["code"]) == ("problem", "unauthenticated")


def test_a_property_s_token_hears_of_its_property_only(server: Server) -> None:
    tokens = Tokens(server.data / "access.db", SystemClock())
    _, secret = tokens.create("read", "", "elsewhere")
    tokens.close()
    begin_view(server, videoTitle="bound")
    with Listening(server, only("bound")) as every:
        every.wait(lambda said: watching(said) == 1)
        with Listening(server, only("bound"), authorization=f"Bearer {secret}") as bound:
            bound.wait(lambda said: len(said) >= 3)
            assert watching(bound.said) == 0
        assert watching(every.said) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [("minutes=0", 400), ("nonsense=1", 400), ("minutes=60&group_by=cdn&limit=50", 400)],
)
def test_what_cannot_be_asked_is_refused(server: Server, query: str, status: int) -> None:
    with httpx2.Client(base_url=server.url) as http:
        head = {"authorization": f"Bearer {server.token}"}
        assert http.get(f"/v1/live/stream?{query}", headers=head).status_code == status
        assert http.get("/v1/live/stream").status_code == 401
        assert http.post("/v1/live/stream", headers=head).status_code == 405


def several(name: str) -> str:
    """Two questions on one stream, of one test alone."""
    return urlencode(
        [
            ("filters", f"video_title:{name}"),
            ("ask", "minutes=1"),
            ("ask", "minutes=2&group_by=cdn"),
        ]
    )


def test_several_questions_on_one_stream_say_what_each_says_alone(server: Server) -> None:
    begin_view(server, videoTitle="many", cdn="aurora")
    with Listening(server, several("many")) as both, Listening(server, only("many")) as alone:
        both.wait(lambda said: {one.data["ask"] for one in said if watching([one])} == {0, 1})
        alone.wait(watching)
    whole = next(one.data for one in both.said if one.data["ask"] == 0)
    cut = [one for one in both.said if one.data["ask"] == 1]
    assert {name for name in whole if name != "ask"} == set(alone.said[0].data)
    assert (whole["group_by"], cut[0].data["group_by"]) == (None, "cdn")
    assert {group for group, _ in window_of(cut)} == {"aurora"}


def test_who_comes_back_is_told_by_question_what_it_missed(server: Server) -> None:
    begin_view(server, videoTitle="again")
    with Listening(server, several("again")) as first:
        first.wait(lambda said: len({one.data["ask"] for one in said}) == 2)
    with Listening(server, several("again"), Last_Event_ID=first.said[-1].id) as second:
        second.wait(lambda said: len({one.data["ask"] for one in said}) == 2)
    assert [one.data["snapshot"] for one in first.said[:2]] == [True, True]
    assert not any(one.data["snapshot"] for one in second.said)


def test_a_stream_asks_eight_questions_at_most(server: Server) -> None:
    with httpx2.Client(base_url=server.url) as http:
        head = {"authorization": f"Bearer {server.token}"}
        query = urlencode([("ask", f"minutes={at + 1}") for at in range(9)])
        assert http.get(f"/v1/live/stream?{query}", headers=head).status_code == 400
        wrong = urlencode([("ask", "minutes=1"), ("ask", "nonsense=1")])
        assert http.get(f"/v1/live/stream?{wrong}", headers=head).status_code == 400


def kill_until(server: Server, holds: Callable[[], list[Said]]) -> list[Said]:
    """Kill the store as often as it comes back between two questions of the stream."""
    killed = 0
    for _ in range(LOOKS_MAX):
        if found := holds():
            return found
        with contextlib.suppress(OSError):
            pid = server.pid("store")
            if pid != killed:
                os.kill(pid, signal.SIGKILL)
                killed = pid
        time.sleep(0.02)
    raise AssertionError("no problem was told")


def test_a_killed_store_is_a_problem_and_then_it_goes_on(server: Server) -> None:
    with Listening(server, only("killed")) as one:
        one.wait(lambda said: len(said) >= 2)
        problem = kill_until(server, lambda: [e for e in one.said if e.event == "problem"])[0]
        count = len(one.live())
        begin_view(server, videoTitle="killed")
        one.wait(lambda said: watching(said) == 1)
    assert problem.data["code"] == "store_unavailable"
    assert len(one.live()) > count
    assert [each.data["snapshot"] for each in one.live()].count(True) == 1


def test_open_streams_do_not_hold_up_the_stop(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        open_streams = [Listening(server, f"minutes={1 + n % 3}") for n in range(20)]
        for one in open_streams:
            one.__enter__().wait(lambda said: said)
        began = time.monotonic()
        assert server.stop() == 0
        took = time.monotonic() - began
        assert all(one.done.wait(1) for one in open_streams)
        for one in open_streams:
            one.close()
        assert "process_killed" not in server.log_tail()
    assert took < 3
