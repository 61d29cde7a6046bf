"""What really happened in a simulation, so that the server's answers can be compared with it."""

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from playhead.model.states import State

CONCURRENT: frozenset[str] = frozenset(
    {State.STARTING, State.PLAYING, State.REBUFFERING, State.SEEKING, State.AD}
)


class Span(msgspec.Struct):
    """A stretch of one state, in true UTC ms; `bitrate_kbps` 0 where no picture moved."""

    state: str
    from_ms: int
    to_ms: int
    bitrate_kbps: int = 0

    @property
    def length_ms(self) -> int:
        """Return how long it lasted."""
        return self.to_ms - self.from_ms


class ViewTruth(msgspec.Struct, kw_only=True):
    """One simulated view as it really was. Times are true UTC ms, durations ms."""

    view_id: str
    session_id: str
    viewer_id: str
    video_id: str
    stream_type: str
    country: str
    asn: int
    device_class: str
    connection_type: str
    cdn: str
    """Where it began; a failing CDN may have been left."""
    clock_skew_ms: int
    started_ms: int
    ended_ms: int = 0
    outcome: str = ""
    """ended, stopped, abandoned, failed or vanished; empty while it goes on."""
    last_sent_ms: int = 0
    """The last moment the server was told of."""
    startup_ms: int | None = None
    spans: list[Span] = msgspec.field(default_factory=list)
    seeks: int = 0
    upshifts: int = 0
    downshifts: int = 0
    errors: int = 0
    fatal_code: str = ""
    events: int = 0
    hidden: bool = False
    """Was in the background at some time."""

    def enter(self, state: str, at_ms: int, bitrate_kbps: int = 0) -> None:
        """Close the open span at `at_ms` and open another; empty spans leave no trace."""
        self.close(at_ms)
        if self.spans and (self.spans[-1].state, self.spans[-1].bitrate_kbps) == (
            state, bitrate_kbps,
        ):  # fmt: skip
            return
        self.spans.append(Span(state, at_ms, at_ms, bitrate_kbps))

    def close(self, at_ms: int) -> None:
        """End the open span at `at_ms`."""
        if self.spans:
            self.spans[-1].to_ms = at_ms
            if self.spans[-1].from_ms == at_ms:
                self.spans.pop()

    def total_ms(self, state: str) -> int:
        """Return the time spent in a state."""
        return sum(span.length_ms for span in self.spans if span.state == state)

    @property
    def stalls(self) -> list[tuple[int, int]]:
        """Return start and end of every stall."""
        return [(s.from_ms, s.to_ms) for s in self.spans if s.state == State.REBUFFERING]

    @property
    def playing_ms(self) -> int:
        """Return the time the picture moved."""
        return self.total_ms(State.PLAYING)

    @property
    def bitrate_kbps(self) -> float | None:
        """Return the bitrate weighted by playing time; None if nothing played."""
        playing = [span for span in self.spans if span.state == State.PLAYING]
        weight = sum(span.length_ms for span in playing)
        return sum(s.bitrate_kbps * s.length_ms for s in playing) / weight if weight else None


class Truth:
    """All views of a simulation, those still going on included."""

    def __init__(self) -> None:
        self.views: dict[str, ViewTruth] = {}

    def concurrent(self, at_ms: int, *, states: Iterable[str] = CONCURRENT) -> int:
        """Return how many views were in one of `states` at `at_ms`."""
        wanted = frozenset(states)
        return sum(
            any(s.from_ms <= at_ms < s.to_ms and s.state in wanted for s in view.spans)
            for view in self.views.values()
        )

    def concurrency(self, from_ms: int, to_ms: int, step_ms: int) -> list[tuple[int, int]]:
        """Return (time, concurrent views) at every step of a range."""
        return [(at, self.concurrent(at)) for at in range(from_ms, to_ms, step_ms)]


def contiguous(spans: list[Span]) -> bool:
    """Tell whether each span begins where the one before it ended."""
    return all(a.to_ms == b.from_ms for a, b in pairwise(spans))
