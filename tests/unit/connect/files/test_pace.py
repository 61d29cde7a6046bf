import pytest

from playhead.clock import ManualClock
from playhead.connect.files.pace import Pace, start_ms
from playhead.errors import InvalidRequest

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("now", NOW),
        ("-2h", NOW - 7_200_000),
        ("1970-01-01T00:00:01", 1_000),
        ("1970-01-01T01:00:01+01:00", 1_000),
    ],
)
def test_a_start(text: str, at_ms: int) -> None:
    assert start_ms(text, NOW) == at_ms


@pytest.mark.parametrize("text", ["", "tomorrow", "-2y", "2h"])
def test_no_start(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is no time to begin at"):
        start_ms(text, NOW)


def test_speed_divides_the_time_between_two_moments() -> None:
    clock = ManualClock()
    pace = Pace(2.0, clock, lambda s: clock.advance(round(s * 1000)))
    pace.wait(5_000)
    pace.wait(9_000)
    assert clock.current_ms - ManualClock().current_ms == 2_000


def test_what_is_due_within_a_tick_goes_together() -> None:
    pace = Pace(1.0, ManualClock(), lambda _: None)
    assert pace.wait_s(0) == 0
    assert pace.wait_s(10) == pace.wait_s(240) == 0.25


def test_without_a_speed_nothing_waits() -> None:
    assert Pace(None, ManualClock(), lambda _: None).wait_s(10**12) == 0
