"""CMCD beside another door: one view with the other door's numbers; alone: a view a video."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model.event import Buffering, Context, Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold, fold_named
from playhead.process.identity import has_seq, identity_of
from playhead.process.track import Track, Verdict

KEY = "p/v"
START = 1_790_000_000_000
LIMITS = Limits()
SDK_KINDS = [
    "HEARTBEAT",
    "BUFFER_START",
    "BUFFER_END",
    "PAUSE",
    "PLAYING",
    "SEEK_START",
    "SEEK_END",
]
CMCD_KINDS = [*SDK_KINDS, "ENDED", "PLAYER_ERROR", "REQUEST", "STOP"]
FILLED = {
    "cdn", "custom", "duration_s", "events", "first_seen_day", "host", "last_offset",
    "live_latency_ms", "live_latency_weight_ms", "received_at", "session_id", "state",
    "stream_type", "version", "video_id", "video_title",
    "request_count", "request_failed_count", "request_bytes", "request_ms", "request_ttfb_ms",
    "request_ttfb_count", "request_ttfb_max_ms",
}  # fmt: skip


def stored(rng: random.Random, event: Event, door: str) -> Stored:
    received_at = event.timestamp + rng.randrange(20, 4_000)
    offset = rng.randrange(1_000)
    context = Context(country="DE" if door == "telemetry" else "FR")
    return Stored(event, context, received_at, offset, 0, identity_of(event), door)


def events_of(rng: random.Random, *, numbered: bool = True) -> list[Stored]:
    at, position, events = START, 0.0, []
    for seq in range(rng.randrange(1, 60)):
        step = rng.randrange(100, 20_000)
        at += step
        position += step / 1000 if rng.random() < 0.8 else 0
        kind = ["PLAY", "PLAYING"][seq] if seq < 2 else rng.choice(SDK_KINDS)
        event = Event(
            event_type=kind, timestamp=at, view_id="v", playback_position_sec=position,
            seq=seq if numbered else None, event_id=None if numbered else f"e{seq}",
        )  # fmt: skip
        events.append(stored(rng, event, "telemetry"))
    return events


def reports_of(rng: random.Random) -> list[Stored]:
    at, events, video, total = START, [], "a", 0.0
    for number in range(rng.randrange(1, 60)):
        at += rng.choice([-800, 0, 20, 500, 5_000, 30_000, 70_000])
        if rng.random() < 0.08:
            video = rng.choice(["a", "b", "c"])
        total += rng.choice([0, 0, 0, 900.0, 4_000.0])
        length = rng.choice([None, 300.0, 2_000.0])
        event = Event(
            event_type=rng.choice(CMCD_KINDS), timestamp=at, view_id="v", report_seq=number,
            video_id=rng.choice([video, None]), heartbeat_interval_ms=30_000,
            playback_position_sec=rng.choice([None, float(number)]),
            state=rng.choice([None, "playing", "rebuffering", "ended"]),
            live_latency_ms=rng.choice([None, 3_000.0]), host=rng.choice([None, "h"]), cdn="c",
            buffering=rng.choice([None, Buffering(total_ms=total), Buffering(duration_ms=length)]),
        )  # fmt: skip
        events.append(stored(rng, event, "cmcd"))
    return events


def plain(row: ViewRow) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(row, state="", version=0, duplicates=0))


def numbers_of(row: ViewRow) -> dict[str, object]:
    kept = {name: getattr(row, name) for name in row.__struct_fields__ if name not in FILLED}
    return kept | {"interval_cdn": None}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000))
def test_an_sdk_with_cmcd_has_the_sdks_numbers(seed: int) -> None:
    rng = random.Random(seed)
    events, reports = events_of(rng), reports_of(rng)
    as_of = max(one.received_at for one in events + reports)
    alone = fold("v", KEY, events, as_of, LIMITS)
    [both] = fold_named("v", KEY, events + reports, as_of, LIMITS)
    assert numbers_of(both) == numbers_of(alone)
    assert (both.events, both.cdn) == (len(events) + len(reports), "c")


def newest_rows(rng: random.Random, events: list[Stored]) -> dict[str, ViewRow]:
    """What the worker would have written last of each view, with restarts in between."""
    track = Track(KEY, "v", explicit=True, limits=LIMITS)
    newest: dict[str, ViewRow] = {}
    given_: list[Stored] = []
    now = 0
    for one in events:
        given_.append(one)
        now = max(now, one.received_at)
        verdict = track.add(one, numbered=has_seq(one.event), max_events=10_000)
        if verdict is Verdict.LATE:
            track = Track(KEY, "v", explicit=True, limits=LIMITS)
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
    return newest | {row.view_id: row for row in track.rows(now)}


@pytest.mark.parametrize("who", ["reports", "both", "unnumbered"])
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_arrival_does_not_change_the_rows(who: str, seed: int) -> None:
    rng = random.Random(seed)
    events = reports_of(rng)
    if who != "reports":
        events += events_of(rng, numbered=who == "both")
    events.sort(key=lambda one: one.received_at)
    order = sorted(range(len(events)), key=lambda at: at + rng.random() * 3)
    newest = newest_rows(rng, [events[at] for at in order])
    as_of = max(one.received_at for one in events)
    wanted = {row.view_id: plain(row) for row in fold_named("v", KEY, events, as_of, LIMITS)}
    assert {view_id: plain(row) for view_id, row in newest.items() if view_id in wanted} == wanted
    assert who == "both" or newest.keys() == wanted.keys()


def test_a_numbered_event_takes_back_the_cut() -> None:
    rng = random.Random(1)
    reports = [one for one in reports_of(rng) if one.event.timestamp]
    for at, one in enumerate(reports):
        one.event.video_id = "a" if at < len(reports) / 2 else "b"
    track = Track(KEY, "v", explicit=True, limits=LIMITS)
    for one in reports:
        track.add(one, numbered=False, max_events=1_000)
    assert [row.view_id for row in track.rows(START)] == ["v", "v-1"]
    track.add(events_of(rng)[0], numbered=True, max_events=1_000)
    assert [row.view_id for row in track.rows(START)] == ["v"]


def test_two_witnesses_do_not_make_each_other_late() -> None:
    rng = random.Random(2)
    events, reports = events_of(rng), reports_of(rng)
    track = Track(KEY, "v", explicit=True, limits=LIMITS)
    verdicts = []
    for one in sorted(events + reports, key=lambda one: (one.event.timestamp, one.door)):
        verdicts.append(track.add(one, numbered=has_seq(one.event), max_events=1_000))
        track.rows(one.received_at)
        track.roll(tail_ms=1, tail_events=2, as_of_ms=one.received_at + 10)
    late = [v for v in verdicts if v is Verdict.LATE]
    assert len(late) <= len(reports) // 3
    assert track.tail_events < len(events)
