from collections import defaultdict
from itertools import pairwise

from playhead.model import kinds, telemetry
from playhead.model.event import Event
from playhead.model.kinds import kind_of
from playhead.model.states import State
from playhead.simulate.sdk import Batch
from playhead.simulate.settings import Incident, SimulationConfig
from playhead.simulate.simulation import Simulation
from playhead.simulate.truth import ViewTruth, contiguous

START_MS = 1_700_000_000_000


def simulation(viewers: int = 40, *, seconds: float = 300, **settings: object) -> Simulation:
    values = {"viewers": viewers, "seconds": seconds, "keep_truth": True, "seed": 7} | settings
    return Simulation(SimulationConfig(**values))  # type: ignore[arg-type]


def played(sim: Simulation) -> list[ViewTruth]:
    for _ in sim:
        pass
    return list(sim.truth.views.values())


def events_by_view(sim: Simulation) -> dict[str, list[Event]]:
    views: dict[str, list[Event]] = defaultdict(list)
    for at_ms, batch in sim:
        for event in telemetry.decode(telemetry.as_array(batch.body(at_ms))):
            assert isinstance(event, Event)
            if event.retry_count is None:
                views[batch.view_id].append(event)
    return views


def test_same_seed_same_bytes() -> None:
    bodies = [[(at, b.body(at)) for at, b in simulation(10, seconds=60)] for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) > 20


def test_other_seed_other_viewers() -> None:
    first, second = (
        {view.viewer_id for view in played(simulation(10, seconds=30, seed=seed))}
        for seed in (1, 2)
    )
    assert not first & second


def test_batches_leave_in_order_and_never_before_the_start() -> None:
    times = [timed.at_ms for timed in simulation()]
    assert times == sorted(times)
    assert times[0] >= START_MS


def test_an_iteration_is_lazy() -> None:
    endless = iter(Simulation(SimulationConfig(viewers=5, seconds=0)))
    assert isinstance(next(endless).batch, Batch)


def test_someone_plays_from_the_first_moment() -> None:
    sim = simulation(50, seconds=30)
    played(sim)
    assert sim.truth.concurrent(START_MS) > 40
    assert sim.truth.concurrent(START_MS, states=[State.PLAYING]) > 30


def test_concurrency_stays_near_the_number_of_viewers() -> None:
    sim = simulation(60, seconds=400)
    played(sim)
    counts = [n for _, n in sim.truth.concurrency(START_MS, START_MS + 390_000, 30_000)]
    assert all(42 <= count <= 60 for count in counts)


def test_all_viewers_leave_at_the_end() -> None:
    views = played(simulation(20, seconds=60))
    assert all(view.outcome for view in views)
    assert max(view.ended_ms for view in views) <= START_MS + 60_000


def test_spans_are_contiguous_and_fill_the_view() -> None:
    for view in played(simulation()):
        assert contiguous(view.spans)
        assert sum(span.length_ms for span in view.spans) == view.ended_ms - view.started_ms


def test_a_view_begins_with_play_and_seq_is_dense() -> None:
    for events in events_by_view(simulation()).values():
        assert [event.seq for event in events] == list(range(len(events)))
        assert kind_of(events[0].event_type) == kinds.PLAY


def test_stalls_of_the_events_are_those_of_the_truth() -> None:
    sim = simulation(60, seconds=600)
    sent = events_by_view(sim)
    views = [v for v in sim.truth.views.values() if v.stalls and v.outcome != "vanished"]
    assert views
    for view in views:
        starts = [e.timestamp for e in sent[view.view_id] if e.event_type == kinds.BUFFER_START]
        assert [at - view.clock_skew_ms for at in starts] == [at for at, _ in view.stalls]


def test_startup_of_the_events_is_that_of_the_truth() -> None:
    sim = simulation()
    for view_id, events in events_by_view(sim).items():
        told = [event.startup_ms for event in events if event.startup_ms is not None]
        assert told in ([], [sim.truth.views[view_id].startup_ms])


def test_quality_changes_are_the_shifts_of_the_truth() -> None:
    sim = simulation()
    for view_id, events in events_by_view(sim).items():
        view = sim.truth.views[view_id]
        if view.outcome != "vanished":
            shifts = sum(event.event_type == kinds.QUALITY_CHANGE for event in events)
            assert shifts == view.upshifts + view.downshifts


def test_players_that_vanish_send_no_goodbye() -> None:
    sim = simulation(80, seconds=500)
    sent = events_by_view(sim)
    gone = [view for view in sim.truth.views.values() if view.outcome == "vanished"]
    assert gone
    assert all(sent[view.view_id][-1].event_type != kinds.STOP for view in gone)


def test_heartbeats_come_every_ten_seconds_while_visible() -> None:
    for events in events_by_view(simulation(20, seconds=120)).values():
        times = [event.monotonic_ms or 0 for event in events]
        gaps = [b - a for a, b in pairwise(times)]
        assert all(
            gap <= 10_000 for gap, event in zip(gaps, events, strict=False) if not event.hidden
        )


def test_an_incident_hurts_those_it_hits_and_nobody_else() -> None:
    bad = Incident(cdn="aurora", country="DE", after_ms=0)
    calm, hurt = (
        [v for v in played(simulation(150, incident=incident)) if v.started_ms > START_MS]
        for incident in (None, bad)
    )

    def stalled(views: list[ViewTruth]) -> float:
        hit = [v for v in views if (v.cdn, v.country) == ("aurora", "DE")]
        return sum(v.total_ms(State.REBUFFERING) + v.total_ms(State.STARTING) for v in hit) / sum(
            v.ended_ms - v.started_ms for v in hit
        )

    assert stalled(hurt) > 5 * stalled(calm)


def test_resent_batches_are_marked_and_equal() -> None:
    sim = simulation(30, resend_share=0.2)
    again = [e for _, batch in sim for e in batch.events if "_retryCount" in e]
    assert again
    assert all(event["_retryCount"] == 1 for event in again)
