from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.collect.flood import Flood
from playhead.config import Collect, Limits
from playhead.errors import RateLimited
from playhead.model.event import Event


class Gate:
    """A flood's gate whose clock the test moves."""

    def __init__(self, **limits: Any) -> None:
        self.clock = ManualClock(0)
        given = {
            "new_views_per_minute_per_address": 0,
            "new_views_per_minute_per_property": 2,
            "new_views_grace_ms": 0,
            **limits,
        }
        self._flood = Flood(Collect(), Limits(**given), self.clock)

    def send(
        self, *views: str | None, address: str | None = "198.51.100.1", property_: str = "shop"
    ) -> bool:
        """Say whether a batch of these views passes."""
        events = [Event(event_type="PLAY", timestamp=0, view_id=view) for view in views]
        try:
            self._flood.check(events, property=property_, address=address, anonymous_id="anon")
        except RateLimited:
            return False
        return True


def test_new_views_beyond_the_limit_wait_and_known_ones_go_on() -> None:
    gate = Gate()
    assert [gate.send(view) for view in ("a", "b", "c", "a", "b", "c")] == [
        True, True, False, True, True, False,
    ]  # fmt: skip
    gate.clock.advance(30_000)
    assert gate.send("c")


def test_a_batch_of_too_many_gets_on_each_time_it_comes() -> None:
    gate = Gate()
    batch = ("a", "b", "c", "d")
    assert not gate.send(*batch)
    gate.clock.advance(60_000)
    assert gate.send(*batch)


def test_one_address_cannot_use_up_a_property() -> None:
    gate = Gate(new_views_per_minute_per_address=1)
    flood = [gate.send(f"made-up-{number}", address="192.0.2.1") for number in range(50)]
    assert flood.count(True) == 1
    assert gate.send("honest", address="198.51.100.9")


def test_each_property_has_its_own() -> None:
    gate = Gate()
    assert [gate.send("a"), gate.send("b"), gate.send("c")] == [True, True, False]
    assert gate.send("c", property_="news")


def test_events_that_name_nobody_are_one_view_of_their_sender() -> None:
    gate = Gate(new_views_per_minute_per_property=1)
    assert [gate.send(None), gate.send(None, None), gate.send("b")] == [True, True, False]


def test_after_a_start_every_view_is_taken_for_one_that_goes_on() -> None:
    gate = Gate(new_views_grace_ms=60_000)
    assert all(gate.send(f"v{number}") for number in range(20))
    gate.clock.advance(60_000)
    assert [gate.send(view) for view in ("v7", "x", "y", "z")] == [True, True, True, False]


def test_an_address_that_is_nobodys_is_not_counted() -> None:
    gate = Gate(new_views_per_minute_per_address=1, new_views_per_minute_per_property=0)
    assert all(gate.send(f"v{number}", address=None) for number in range(20))


@pytest.mark.parametrize("silent_s", [601, 3_600])
def test_who_is_silent_for_long_is_new_again(silent_s: int) -> None:
    gate = Gate(new_views_per_minute_per_property=1)
    gate.send("a")
    gate.clock.advance(silent_s * 1_000)
    gate.send("b")
    gate.clock.advance(601_000)
    gate.send("c")
    assert not gate.send("a")


def test_memory_is_bounded() -> None:
    gate = Gate(new_views_per_minute_per_property=1_000_000, max_views_remembered=10)
    for number in range(1_000):
        gate.send(f"v{number}")
    known = gate._flood._known
    assert len(known._young) + len(known._old) <= 10
