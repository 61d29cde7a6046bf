from typing import Any

import msgspec
import pytest

from playhead.model.event import Context
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.caps import Caps
from playhead.process.fold import Limits
from playhead.process.track import Track
from playhead.rebuild.judge import Judged, judge
from playhead.rebuild.live import DayCaps, LiveRow, same, turns
from support.view_vectors import BASE, event_of

DAY = "2026-09-21"
HOUR_MS = 3_600_000
AS_OF_MS = BASE + 24 * HOUR_MS


def events(view: str = "v", count: int = 5) -> list[Stored]:
    kinds = ["PLAY", "PLAYING", "TIME_UPDATE", "TIME_UPDATE", "ENDED"][:count]
    return [
        Stored(
            event_of({
                "eventType": kind, "timestamp": at * 4_000, "viewId": view, "seq": at,
                "playbackPositionSec": at * 4.0,
            }),
            Context(property="p", country="DE"), BASE + at * 4_000, at, 0, at,
        )
        for at, kind in enumerate(kinds)
    ]  # fmt: skip


def rows(stored: list[Stored], as_of_ms: int = AS_OF_MS) -> list[ViewRow]:
    track = Track("p/v", "v", explicit=True, limits=Limits())
    track.replay(stored)
    return track.rows(as_of_ms)


def live(row: ViewRow, **changed: Any) -> LiveRow:
    """The row as the store gives it back, some of it otherwise."""
    values = msgspec.to_builtins(msgspec.structs.replace(row, **changed))
    assert isinstance(values, list)
    return LiveRow(values)


def judged(old: list[LiveRow], anew: list[ViewRow], **options: Any) -> Judged:
    caps = DayCaps(options.pop("caps", Caps(100)))
    return judge(old, anew, DAY, caps, may_cut=options.pop("may_cut", False))


def test_a_row_that_says_the_same_stays_and_one_that_differs_is_written() -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    assert was.first_seen_day == DAY
    assert judged([live(was)], rows(events())).write == []
    found = judged([live(was, playing_ms=1.0, duplicates=3)], rows(events()))
    assert [(row.playing_ms, row.duplicates) for row in found.write] == [(was.playing_ms, 3)]
    assert found.write[0].version > was.version


def test_a_row_of_an_older_fold_with_the_same_numbers_gets_its_mark() -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    tally = judged([live(was, fold_version=1)], rows(events())).tally
    assert (tally.changed, tally.marked, tally.written) == (0, 1, 1)


@pytest.mark.parametrize(
    ("old", "count", "as_of_ms", "why"),
    [
        ({}, 0, AS_OF_MS, "events_gone"),
        ({}, 3, AS_OF_MS, "events_gone"),
        ({"final": False}, 5, AS_OF_MS, "not_final"),
        ({"version": 1 << 62, "playing_ms": 1.0}, 5, AS_OF_MS, "newer"),
        ({"first_seen_day": "2026-09-20"}, 5, AS_OF_MS, "events_gone"),
    ],
)
def test_rows_that_stay_as_they_are_say_why(
    old: dict[str, Any], count: int, as_of_ms: int, why: str
) -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    anew = rows(events(count=count), as_of_ms) if count else []
    day = old.get("first_seen_day", DAY)
    found = judge([live(was, **old)], anew, day, DayCaps(Caps(9)), may_cut=False)
    assert (found.write, found.remove, getattr(found.tally, why)) == ([], [], 1)


def test_a_view_that_is_not_over_by_the_new_fold_is_left_to_the_worker() -> None:
    [was] = rows(events(count=3), AS_OF_MS)
    found = judged([live(was, version=0)], rows(events(count=3), BASE + 20_000))
    assert (found.write, found.tally.not_final) == ([], 1)


def test_views_are_cut_otherwise_only_where_every_event_is_there() -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    other = live(was, view_id="w")
    assert judged([other], rows(events())).tally.events_gone == 1
    found = judged([other], rows(events()), may_cut=True)
    assert (found.remove, [row.view_id for row in found.write]) == ([("w", "p")], ["v"])


def test_what_a_cap_has_hidden_stays_hidden() -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    hidden = live(was, region="other", playing_ms=1.0)
    anew = [msgspec.structs.replace(rows(events())[0], region="DE-BY", city="Fürth")]
    [row] = judged([hidden], anew, caps=Caps(0)).write
    assert (row.region, row.city) == ("other", "other")


def test_numbers_are_the_same_as_far_as_their_column_can_tell() -> None:
    assert same([0.1, 1], [0.10000000149, 1.0])
    assert not same(0.1, 0.1001)
    assert not same(None, 0.0)
    assert not same([1.0], [1.0, 2.0])


def test_keys_are_folded_in_turns_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playhead.rebuild.live.EVENTS_PER_TURN", 10)
    [row] = rows(events())
    old = {name: [live(row, events=events)] for name, events in {"a": 4, "b": 6, "c": 30}.items()}
    assert list(turns(["a", "b", "c", "d"], old)) == [["a", "b"], ["c"], ["d"]]


def test_views_that_share_events_are_rebuilt_all_or_none() -> None:
    [was] = rows(events(), AS_OF_MS - HOUR_MS)
    [row] = rows(events(count=4))
    open_ = msgspec.structs.replace(row, view_id="v-1", final=False)
    late = live(was, version=row.version + (1 << 16), playing_ms=1.0)
    for old, anew in ([late], [row]), ([live(was)], [row, open_]):
        found = judged(old, anew, may_cut=True)
        assert (found.write, found.remove) == ([], [])
        assert found.tally.newer + found.tally.not_final == 1
