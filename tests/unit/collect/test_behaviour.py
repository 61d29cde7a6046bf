from typing import Any

import pytest

from playhead.collect import behaviour
from playhead.collect.behaviour import MARKED_MS, REMEMBERED_MS, WINDOW_MS, Behaviour, is_of_one
from playhead.model.event import Event

T = 1_790_000_000_000
HERE = "198.51.100.7"
AGENT = b"Mozilla/5.0"


def event(kind: str = "PLAY", **fields: Any) -> Event:
    return Event(event_type=kind, timestamp=T, **fields)


def begin(judge: Behaviour, view: str, at_ms: int = T, *, address: str = HERE) -> bool:
    return judge.is_robot(address, AGENT, [event(view_id=view, seq=0)], at_ms)


def test_one_view_too_many_in_a_minute_marks() -> None:
    judge = Behaviour(3)
    marks = [begin(judge, f"v{n}", T + n * 1_000) for n in range(5)]
    assert marks == [False, False, False, True, True]


def test_the_same_views_over_a_longer_time_do_not() -> None:
    judge = Behaviour(3)
    assert not any(begin(judge, f"v{n}", T + n * WINDOW_MS // 3) for n in range(50))


def test_a_mark_ends_and_a_further_view_does_not_begin_it_anew() -> None:
    judge = Behaviour(1)
    begin(judge, "a")
    assert begin(judge, "b")
    assert judge.is_robot(HERE, AGENT, [event("HEARTBEAT", view_id="b")], T + MARKED_MS - 1)
    assert not begin(judge, "c", T + MARKED_MS)


def test_it_goes_on_as_long_as_the_robot_does() -> None:
    judge = Behaviour(1)
    marks = [begin(judge, f"v{n}", T + n * 30_000) for n in range(100)]
    assert marks == [False] + [True] * 99


@pytest.mark.parametrize(
    ("address", "agent"), [("198.51.100.8", AGENT), (HERE, b"other"), ("2001:db8::1", AGENT)]
)
def test_other_addresses_and_user_agents_are_not_marked(address: str, agent: bytes) -> None:
    judge = Behaviour(1)
    begin(judge, "a")
    assert begin(judge, "b")
    assert not judge.is_robot(address, agent, [event(view_id="c", seq=0)], T)


def test_the_addresses_of_one_subscriber_are_one() -> None:
    judge = Behaviour(1)
    begin(judge, "a", address="2001:db8:0:1::1")
    assert begin(judge, "b", address="2001:db8:0:1::2")


def test_a_view_begins_once_however_often_it_is_sent_or_paused() -> None:
    judge = Behaviour(1)
    assert not any(begin(judge, "a", T + n * 20_000) for n in range(20))
    assert not any(
        judge.is_robot(HERE, AGENT, [event(view_id="b", seq=n)], T) for n in range(2, 99)
    )


def test_a_view_forgotten_begins_again() -> None:
    judge = Behaviour(1)
    begin(judge, "a")
    begin(judge, "b", T + REMEMBERED_MS)
    assert begin(judge, "a", T + REMEMBERED_MS + 1)


@pytest.mark.parametrize(
    ("made", "begins"),
    [
        (event(view_id="x"), True),
        (event("VIEW_INIT", session_id="x"), True),
        (event("start", view_id="x", seq=1), True),
        (event("HEARTBEAT", view_id="x", seq=0), True),
        (event("HEARTBEAT", view_id="x"), False),
        (event("PLAYING", view_id="x"), False),
        (event(view_id="x", seq=2), False),
        (event(viewer_id="x"), False),
        (None, False),
    ],
)
def test_what_begins_a_view(made: Event | None, *, begins: bool) -> None:
    judge = Behaviour(1)
    begin(judge, "first")
    assert judge.is_robot(HERE, AGENT, [made], T) is begins


def test_no_limit_marks_nobody() -> None:
    judge = Behaviour(0)
    assert not any(begin(judge, str(n)) for n in range(100))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "SENDERS_MAX", 5)
    monkeypatch.setattr(behaviour, "VIEWS_MAX", 7)
    judge = Behaviour(3)
    for number in range(50):
        begin(judge, f"v{number}", address=f"198.51.100.{number}")
    assert (len(judge._senders), len(judge._views)) == (5, 7)


def test_the_same_stream_is_judged_the_same_way() -> None:
    stream = [(f"v{n * 7 % 31}", T + n * 900, f"198.51.100.{n % 3}") for n in range(400)]
    one, other = Behaviour(9), Behaviour(9)
    marks = [begin(one, view, at, address=address) for view, at, address in stream]
    assert marks == [begin(other, view, at, address=address) for view, at, address in stream]
    assert 0 < sum(marks) < len(marks)


@pytest.mark.parametrize(
    ("events", "one"),
    [
        ([], True),
        ([None, event(viewer_id="u", session_id="s"), event()], True),
        ([event(session_id="s", view_id="a"), event(session_id="s", view_id="b")], True),
        ([event(viewer_id="u", view_id="a"), event(viewer_id="u", view_id="b")], True),
        ([event(viewer_id="u"), event(viewer_id="w")], False),
        ([event(session_id="s"), event(session_id="t")], False),
        ([event(view_id="a"), event(view_id="b")], False),
    ],
)
def test_a_batch_of_several_is_a_servers(events: list[Event | None], *, one: bool) -> None:
    assert is_of_one(events) is one
