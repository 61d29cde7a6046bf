"""Order of arrival, repetition and re-cutting of batches never show in a view's row."""

import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model.event import Context, Event, Quality
from playhead.model.event_row import Stored
from playhead.process.fold import Limits, fold
from playhead.process.identity import identity_of
from playhead.process.track import Track, Verdict

KINDS = ["HEARTBEAT", "BUFFER_START", "BUFFER_END", "PAUSE", "PLAYING", "SEEK_START", "SEEK_END"]
LIMITS = Limits()
CONTEXT = Context(country="DE")


def view_of(seed: int, count: int) -> list[Stored]:
    rng = random.Random(seed)
    at, position, events = 1_790_000_000_000, 0.0, []
    for seq in range(count):
        step = rng.randrange(100, 15_000)
        at += step
        position += step / 1000 if rng.random() < 0.8 else 0
        kind = ["PLAY", "PLAYING"][seq] if seq < 2 else rng.choice(KINDS)
        event = Event(
            event_type=kind, timestamp=at, view_id="v", seq=seq, session_id="s",
            playback_position_sec=position, sent_at=at + 500,
            quality=Quality(bitrate_kbps=rng.choice([800.0, 3000.0])),
        )  # fmt: skip
        received_at = at + rng.randrange(550, 4_000)
        events.append(Stored(event, CONTEXT, received_at, seq // 3, seq % 3, identity_of(event)))
    return events


def plain(row: Any) -> bytes:
    row.state, row.duplicates = "", 0
    return msgspec.json.encode(row)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 120), st.randoms(use_true_random=False))
def test_any_arrival_gives_the_row_of_the_fold(seed: int, count: int, rng: random.Random) -> None:
    events = view_of(seed, count)
    as_of = max(stored.received_at for stored in events)
    wanted = plain(fold("v", "default/v", events, as_of, LIMITS))
    arriving = [*events, *rng.choices(events, k=count // 3)]
    rng.shuffle(arriving)
    track = Track("default/v", "v", explicit=True, limits=LIMITS)
    for at, stored in enumerate(arriving):
        track.add(stored, numbered=True, max_events=10_000)
        if at % 7 == 0:
            track.rows(as_of)
    assert plain(track.rows(as_of)[-1]) == wanted
    assert track.duplicates == len(arriving) - count


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 200), st.randoms(use_true_random=False))
def test_small_disorder_survives_rolling_and_restoring(
    seed: int, count: int, rng: random.Random
) -> None:
    events = view_of(seed, count)
    order = sorted(range(count), key=lambda at: at + rng.random() * 6)
    track = Track("default/v", "v", explicit=True, limits=LIMITS)
    late: list[Stored] = []
    for done, at in enumerate(order):
        stored = events[at]
        if track.add(stored, numbered=True, max_events=10_000) is Verdict.LATE:
            late.append(stored)
        track.roll(tail_ms=60_000, tail_events=16, as_of_ms=stored.received_at)
        if done == count // 2:
            row = track.rows(stored.received_at)[-1]
            if row.state and not track.late:
                restored = Track.restore("default/v", row.state, LIMITS)
                assert plain(restored.rows(stored.received_at)[-1]) == plain(row)
    as_of = max(stored.received_at for stored in events)
    if late:  # what the worker does: fold the view again from what is stored
        track = Track("default/v", "v", explicit=True, limits=LIMITS)
        track.replay(events)
    assert plain(track.rows(as_of)[-1]) == plain(fold("v", "default/v", events, as_of, LIMITS))


def test_settling_keeps_the_row() -> None:
    events = view_of(3, 30)
    track = Track("default/v", "v", explicit=True, limits=LIMITS)
    for stored in events:
        track.add(stored, numbered=True, max_events=100)
    as_of = events[-1].received_at
    before = plain(track.rows(as_of)[-1])
    track.settle()
    assert plain(track.rows(as_of)[-1]) == before
    assert track.add(events[4], numbered=True, max_events=100) is Verdict.DUPLICATE


def test_a_view_takes_a_named_number_of_events() -> None:
    track = Track("default/v", "v", explicit=True, limits=LIMITS)
    verdicts = [track.add(stored, numbered=True, max_events=5) for stored in view_of(1, 7)]
    assert verdicts.count(Verdict.FULL) == 2
    assert track.count == 5
