from playhead.config import Process
from playhead.model.event import Context, Event
from playhead.model.event_row import Stored
from playhead.process.fold import FAR
from playhead.process.track import Track, Verdict
from playhead.process.tracks import CLOSED_GRACE_MS, Tracks

T = 1_790_000_000_000


def feed(track: Track, seqs: range, *, step_ms: int = 1_000) -> None:
    for seq in seqs:
        at = T + seq * step_ms
        event = Event(event_type="HEARTBEAT", timestamp=at, view_id="v", seq=seq)
        track.add(Stored(event, Context(), at, seq, 0, seq), numbered=True, max_events=1_000)


def test_due_names_a_track_once_its_time_has_come() -> None:
    tracks = Tracks(Process())
    track = tracks.new("p/v", "v", explicit=True)
    tracks.wake_at(track, T + 10)
    assert tracks.due(T + 9) == []
    assert tracks.due(T + 10) == [track]
    assert tracks.due(T + 10) == []


def test_a_newer_time_replaces_an_older_one() -> None:
    tracks = Tracks(Process())
    track = tracks.new("p/v", "v", explicit=True)
    tracks.wake_at(track, T + 10)
    tracks.wake_at(track, T + 50)
    assert tracks.due(T + 10) == []
    assert tracks.due(T + 50) == [track]


def test_a_closed_track_is_forgotten_after_its_grace() -> None:
    tracks = Tracks(Process())
    track = tracks.new("p/v", "v", explicit=True)
    track.closed, track.touched_ms = True, T
    tracks.wake_at(track, FAR)
    assert tracks.due(T + CLOSED_GRACE_MS - 1) == []
    assert tracks.get("p/v") is track
    assert tracks.due(T + CLOSED_GRACE_MS) == []
    assert tracks.get("p/v") is None


def test_a_closed_track_lets_go_of_its_events_first() -> None:
    tracks = Tracks(Process(tail_ms=60_000))
    track = tracks.new("p/v", "v", explicit=True)
    feed(track, range(5))
    tracks.trim(track, T)
    track.closed, track.touched_ms = True, T
    tracks.wake_at(track, FAR)
    assert tracks.due(T + 59_999) == tracks.due(T + 60_000) == []
    assert (track.tail_events, tracks.tail_events, tracks.get("p/v")) == (0, 0, track)
    tracks.due(T + CLOSED_GRACE_MS)
    assert tracks.get("p/v") is None


def test_the_longest_silent_overflow() -> None:
    tracks = Tracks(Process(max_open_views=2))
    for number in range(4):
        tracks.new(f"p/{number}", str(number), explicit=True).touched_ms = T - number
    assert {track.key for track in tracks.overflowing()} == {"p/2", "p/3"}


def test_a_tail_holds_between_one_and_two_lengths() -> None:
    tracks = Tracks(Process(tail_events=10, tail_ms=1_000_000))
    track = tracks.new("p/v", "v", explicit=True)
    for seq in range(100):
        feed(track, range(seq, seq + 1))
        tracks.trim(track, T + seq * 1_000)
    assert 10 <= track.tail_events <= 20
    assert tracks.tail_events == track.tail_events


def test_beyond_the_limit_of_all_a_track_keeps_no_tail() -> None:
    tracks = Tracks(Process(max_tail_events=15))
    first, second = (tracks.new(f"p/{name}", name, explicit=True) for name in "ab")
    for track in (first, second):
        feed(track, range(10))
        tracks.trim(track, T + 10_000)
    assert (first.tail_events, second.tail_events, tracks.tail_events) == (10, 0, 10)
    tracks.forget(first)
    assert tracks.tail_events == 0


def test_what_comes_too_late_for_the_tail_says_so() -> None:
    tracks = Tracks(Process(max_tail_events=0))
    track = tracks.new("p/v", "v", explicit=True)
    feed(track, range(1, 5))
    tracks.trim(track, T + 5_000)
    event = Event(event_type="PLAY", timestamp=T, view_id="v", seq=0)
    late = track.add(Stored(event, Context(), T, 9, 0, 0), numbered=True, max_events=100)
    assert late is Verdict.LATE
    assert track.late
