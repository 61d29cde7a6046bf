"""Micro benchmark of the view fold: microseconds of apply, fork, finish. Run it by hand.

`python tests/bench/fold_micro.py [--profile]`
"""

import cProfile
import pstats
import sys
import time
from collections.abc import Callable

from playhead.model.event import (
    Buffering,
    Context,
    Event,
    PlayerStats,
    Quality,
)
from playhead.model.event_row import Stored
from playhead.process.fold import Limits, ViewState, apply, due, finish, fork, new_view, order_key

T = 1_790_000_000_000
CONTEXT = Context(country="FI", asn=719, device_class="desktop", os="Mac", browser="Chrome")
LIMITS = Limits()


def stored(seq: int, kind: str, at: int, position: float, **more: object) -> Stored:
    event = Event(
        event_type=kind,
        timestamp=T + at,
        view_id="v1",
        seq=seq,
        monotonic_ms=float(at),
        sent_at=T + at + 5,
        playback_position_sec=position,
        session_id="s1",
        viewer_id="u1",
        video_id="film",
        **more,  # type: ignore[arg-type]
    )
    return Stored(event, CONTEXT, T + at + 30, seq, 0, seq)


def heartbeats(count: int) -> list[Stored]:
    """A start and then a heartbeat every 10 s, as the typical player sends it."""
    events = [stored(0, "PLAY", 0, 0.0), stored(1, "PLAYING", 500, 0.0)]
    events += [
        stored(
            n, "HEARTBEAT", 500 + (n - 1) * 10_000, (n - 1) * 10.0, state="playing",
            quality=Quality(bitrate_kbps=3000.0, resolution="720p", width=1280, height=720),
            player=PlayerStats(decoded_frames=n * 250.0, dropped_frames=1.0, buffer_length_sec=9.0),
        )
        for n in range(2, count)
    ]  # fmt: skip
    return events


def typical() -> list[Stored]:
    """A view of about 20 intervals: stalls, shifts, pauses."""
    events = [stored(0, "PLAY", 0, 0.0), stored(1, "PLAYING", 500, 0.0)]
    at, position = 500, 0.0
    for n in range(6):
        at, position = at + 10_000, position + 10
        events.append(stored(len(events), "BUFFER_START", at, position))
        at += 700
        events.append(
            stored(len(events), "BUFFER_END", at, position, buffering=Buffering(duration_ms=700))
        )
        at, position = at + 10_000, position + 10
        quality = Quality(bitrate_kbps=3000.0 if n % 2 else 5000.0, height=720, width=1280)
        events.append(stored(len(events), "QUALITY_CHANGE", at, position, quality=quality))
    return events


def timed(name: str, count: int, run: Callable[[], object]) -> None:
    best = min(_once(run) for _ in range(7))
    print(f"{name:28s} {best / count * 1e6:8.2f} µs")


def _once(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
    beats = heartbeats(2_000)
    mixed = typical()
    view = new_view("v1", "default/v1")
    for item in mixed:
        apply(view, item, LIMITS)

    def all_of(events: list[Stored]) -> ViewState:
        state = new_view("v1", "default/v1")
        for item in events:
            apply(state, item, LIMITS)
        return state

    def many(function: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(1_000):
                function()

        return run

    as_of = T + 400_000
    timed("apply, heartbeat", len(beats), lambda: all_of(beats))
    timed("apply, eventful view", len(mixed) * 100, lambda: [all_of(mixed) for _ in range(100)])
    timed("order_key", len(beats), lambda: [order_key(item) for item in beats])
    timed("fork", 1_000, many(lambda: fork(view)))
    timed("due", 1_000, many(lambda: due(view, LIMITS)))
    timed("finish", 1_000, many(lambda: finish(view, as_of, LIMITS)))
    print("intervals:", len(finish(view, as_of, LIMITS).interval_state))
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(lambda: [all_of(beats) for _ in range(20)])
        profile.runcall(many(lambda: finish(view, as_of, LIMITS)))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
