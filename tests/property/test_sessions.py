"""A session of several views, with restarts of the worker in the middle of any of them."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold_session
from playhead.process.identity import identity_of
from playhead.process.track import Track, Verdict

KEY = "p/s:s"
LIMITS = Limits()
CONTEXT = Context(country="DE")
KINDS = [
    "PLAY", "PLAYING", "HEARTBEAT", "BUFFER_START", "BUFFER_END", "PAUSE", "SEEK_START", "SEEK_END",
    "AD_BREAK_START", "AD_START", "AD_END", "AD_BREAK_END", "ENDED", "STOP", "ERROR",
]  # fmt: skip
STEPS_MS = [10, 500, 5_000, 20_000, 70_000]


def session_of(rng: random.Random) -> list[Stored]:
    at, events = 1_790_000_000_000, []
    for number in range(rng.randrange(5, 120)):
        at += 3_700_000 if rng.random() < 0.01 else rng.choice(STEPS_MS)
        event = Event(
            event_type=rng.choice(KINDS), timestamp=at, session_id="s", event_id=str(number),
            video_id=rng.choice(["a", "b", None]) if rng.random() < 0.15 else None,
            playback_position_sec=rng.choice([None, float(number)]),
            hidden=rng.choice([None, None, True, False]),
        )  # fmt: skip
        received_at = at + rng.randrange(20, 900)
        events.append(
            Stored(event, CONTEXT, received_at, number // 3, number % 3, identity_of(event))
        )
    return events


def plain(row: ViewRow) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(row, state="", version=0, duplicates=0))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000))
def test_the_newest_rows_are_those_of_the_fold(seed: int) -> None:
    rng = random.Random(seed)
    events = session_of(rng)
    track = Track(KEY, "", explicit=False, limits=LIMITS)
    newest: dict[str, ViewRow] = {}
    given_: list[Stored] = []
    for at in sorted(range(len(events)), key=lambda at: at + rng.random() * 2.5):
        given_.append(events[at])
        now = max(stored.received_at for stored in given_)
        late = track.add(events[at], numbered=False, max_events=10_000) is Verdict.LATE
        if late:
            track = Track(KEY, "", explicit=False, limits=LIMITS)
            track.replay(given_)
        elif rng.random() < 0.6:
            continue
        rows = track.rows(now)
        newest |= {row.view_id: row for row in rows}
        what = rng.random()
        if what < 0.3 and rows[-1].state:
            track = Track.restore(KEY, rows[-1].state, LIMITS)
        elif what < 0.7:
            track.roll(tail_ms=60_000, tail_events=8, as_of_ms=now)
        elif what < 0.8:
            track.settle()
    as_of = max(stored.received_at for stored in events)
    newest |= {row.view_id: row for row in track.rows(as_of)}
    wanted = {row.view_id: plain(row) for row in fold_session(KEY, events, as_of, LIMITS)}
    assert {view_id: plain(row) for view_id, row in newest.items()} == wanted
