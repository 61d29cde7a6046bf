from playhead.clock import ManualClock
from playhead.serve.token_rate import TokenRate


def test_a_second_takes_so_many_and_then_slides() -> None:
    clock = ManualClock()
    rate = TokenRate(clock)
    assert [rate.takes("a", 3) for _ in range(5)] == [True, True, True, False, False]
    assert rate.takes("b", 3)
    clock.advance(1_500)
    assert [rate.takes("a", 3) for _ in range(3)] == [True, True, False]
    clock.advance(3_000)
    assert rate.left("a", 3) == 3


def test_no_second_takes_more_than_twice_as_many() -> None:
    clock = ManualClock()
    rate = TokenRate(clock)
    taken = []
    for step in range(400):
        clock.advance(25)
        if rate.takes("a", 10):
            taken.append(step)
    for first in range(360):
        assert sum(first <= step < first + 40 for step in taken) <= 20
    assert 90 <= len(taken) <= 110


def test_only_so_many_tokens_are_remembered() -> None:
    rate = TokenRate(ManualClock(), tracked_max=2)
    for who in ("a", "b", "c"):
        assert rate.takes(who, 1)
    assert rate.takes("a", 1)
    assert not rate.takes("c", 1)


def test_what_is_left_is_told_without_counting() -> None:
    rate = TokenRate(ManualClock())
    assert rate.left("a", 2) == 2
    rate.takes("a", 2)
    assert rate.left("a", 2) == rate.left("a", 2) == 1
