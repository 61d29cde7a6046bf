"""The fold against the truth: a simulated player whose every moment is known."""

import uuid
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model.event import Buffering, Context, Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold, fold_session
from playhead.process.identity import identity_of

T = 1_790_000_000_000
LIMITS = Limits()
BEAT_MS = 10_000


@dataclass
class Player:
    """A player that does what it is told and reports it, with or without ids and heartbeats."""

    modern: bool
    now: int = 0
    position: float = 0.0
    next_beat: int = BEAT_MS
    events: list[Stored] = field(default_factory=list)
    truth: dict[str, int] = field(default_factory=dict)

    def send(self, kind: str, **more: object) -> None:
        modern = {"view_id": "v", "seq": len(self.events)} if self.modern else {"session_id": "s"}
        event = Event(
            event_type=kind,
            timestamp=T + self.now,
            event_id=str(uuid.UUID(int=len(self.events))),
            playback_position_sec=round(self.position, 3),
            **modern,
            **more,  # type: ignore[arg-type]
        )
        index = len(self.events)
        received_at = T + self.now
        self.events.append(Stored(event, Context(), received_at, index, 0, identity_of(event)))
        self.next_beat = self.now + BEAT_MS

    def spend(self, state: str, length_ms: int, rate: float = 0.0) -> None:
        """Let time pass in a state, with heartbeats if the player sends any."""
        self.truth[state] = self.truth.get(state, 0) + length_ms
        end = self.now + length_ms
        while self.modern and self.next_beat < end:
            self._move(self.next_beat, rate)
            self.send("HEARTBEAT", state=state)
        self._move(end, rate)

    def _move(self, at: int, rate: float) -> None:
        self.position += (at - self.now) * rate / 1000
        self.now = at


LENGTHS = st.integers(600, 120_000)
STEPS = st.lists(
    st.tuples(st.sampled_from(["stall", "pause", "seek"]), LENGTHS, LENGTHS), max_size=8
)


def watch(player: Player, steps: list[tuple[str, int, int]], startup_ms: int) -> None:
    player.send("PLAY")
    if player.modern:
        player.spend("starting", startup_ms)
        player.send("PLAYING")
    else:
        player.send("BUFFER_START")
        player.spend("starting", startup_ms)
        player.send("BUFFER_END")
    player.spend("playing", 5_000, 1.0)
    for what, length, then in steps:
        if what == "stall":
            player.send("BUFFER_START")
            start = player.now
            player.spend("rebuffering", length)
            player.send("BUFFER_END", buffering=Buffering(started_at=T + start, duration_ms=length))
        elif what == "pause":
            player.send("PAUSE")
            player.spend("paused", length)
            player.send("PLAY")
        elif player.modern:
            player.send("SEEK_START")
            player.position += 200
            player.spend("seeking", length)
            player.send("SEEK_END")
            player.send("PLAYING")
        player.spend("playing", then, 1.0)
    player.send("ENDED" if player.modern else "PAUSE")


def agrees(row: ViewRow, player: Player, steps: list[tuple[str, int, int]]) -> None:
    kinds = [what for what, _, _ in steps]
    truth = player.truth
    assert row.startup_ms == truth["starting"]
    assert row.rebuffer_count == kinds.count("stall")
    assert row.rebuffer_ms == truth.get("rebuffering", 0)
    assert row.pause_ms == truth.get("paused", 0)
    assert row.playing_ms == truth["playing"]
    assert row.unknown_ms == 0
    assert abs(row.content_played_s - truth["playing"] / 1000) < 0.1


@settings(max_examples=150, deadline=None)
@given(STEPS, LENGTHS)
def test_a_modern_player_is_understood(steps: list[tuple[str, int, int]], startup_ms: int) -> None:
    player = Player(modern=True)
    watch(player, steps, startup_ms)
    row = fold("v", "p/v", player.events, T + player.now, LIMITS)
    agrees(row, player, steps)
    assert row.seek_count == sum(what == "seek" for what, _, _ in steps)
    assert row.seek_ms == player.truth.get("seeking", 0)


@settings(max_examples=150, deadline=None)
@given(STEPS, LENGTHS)
def test_a_classic_player_is_understood(steps: list[tuple[str, int, int]], startup_ms: int) -> None:
    player = Player(modern=False)
    watch(player, steps, startup_ms)
    [row] = fold_session("p/s:s", player.events, T + player.now, LIMITS)
    agrees(row, player, steps)
    assert row.status == "paused"
