import pytest

from playhead.errors import ConfigInvalid
from playhead.simulate.settings import (
    MAX_BACKLOG_MS,
    Incident,
    SimulationConfig,
    duration_ms,
    parse_incident,
    start_of,
)


def test_an_incident_is_read() -> None:
    incident = parse_incident("cdn=aurora, country=de,after=90s,for=5m")
    assert incident == Incident(cdn="aurora", country="DE", after_ms=90_000, duration_ms=300_000)


@pytest.mark.parametrize("text", ["cdn", "cdn=", "speed=3", "after=soon"])
def test_a_wrong_incident_is_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        parse_incident(text)


@pytest.mark.parametrize(
    ("text", "ms"), [("90", 90_000), ("1.5h", 5_400_000), ("30d", 30 * 86_400_000)]
)
def test_durations(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


def test_an_incident_has_a_beginning_and_an_end() -> None:
    incident = Incident(cdn="aurora", after_ms=10, duration_ms=5)
    assert [incident.hits("aurora", "DE", at) for at in (9, 10, 14, 15)] == [
        False,
        True,
        True,
        False,
    ]
    assert not incident.hits("cirrus", "DE", 12)


def test_a_fast_run_starts_in_the_past_but_not_too_far() -> None:
    assert start_of(1_000_000_000, 1) == 1_000_000_000
    assert start_of(1_000_000_000, 3, 60) == 1_000_000_000 - 120_000
    assert start_of(1_000_000_000, 100) == 1_000_000_000 - MAX_BACKLOG_MS


def test_nobody_watching_is_refused() -> None:
    with pytest.raises(ConfigInvalid):
        SimulationConfig(viewers=0)
