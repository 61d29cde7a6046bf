from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.model import telemetry
from playhead.model.event import Event
from playhead.model.states import State
from playhead.simulate.settings import Incident, SimulationConfig
from playhead.simulate.simulation import Simulation
from playhead.simulate.truth import contiguous

INCIDENTS = st.none() | st.builds(
    Incident, cdn=st.sampled_from(["", "aurora", "monsoon"]), after_ms=st.integers(0, 60_000)
)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), incident=INCIDENTS)
def test_any_seed_gives_valid_ordered_events(seed: int, incident: Incident | None) -> None:
    config = SimulationConfig(
        viewers=6, seed=seed, seconds=90, incident=incident, resend_share=0, keep_truth=True
    )
    views: dict[str, list[Event]] = defaultdict(list)
    for at_ms, batch in Simulation(config):
        for event in telemetry.decode(telemetry.as_array(batch.body(at_ms))):
            assert isinstance(event, Event)
            assert event.extra is None
            views[event.view_id or ""].append(event)
    for events in views.values():
        assert [event.seq for event in events] == list(range(len(events)))
        times = [event.timestamp for event in events]
        assert times == sorted(times)
        assert all((event.sent_at or 0) >= event.timestamp for event in events)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), incident=INCIDENTS)
def test_any_seed_gives_consistent_truth(seed: int, incident: Incident | None) -> None:
    config = SimulationConfig(viewers=6, seed=seed, seconds=90, incident=incident, keep_truth=True)
    simulation = Simulation(config)
    list(simulation)
    for view in simulation.truth.views.values():
        assert contiguous(view.spans)
        assert sum(span.length_ms for span in view.spans) == view.ended_ms - view.started_ms
        started = any(span.state in {State.PLAYING, State.AD} for span in view.spans)
        assert started <= (view.startup_ms is not None)
        assert (view.outcome == "abandoned") <= (view.startup_ms is None)
