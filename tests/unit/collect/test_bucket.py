from playhead.clock import ManualClock
from playhead.collect.bucket import Buckets


def made(
    per_minute: int = 60, burst: int = 5, tracked_max: int = 100
) -> tuple[Buckets, ManualClock]:
    clock = ManualClock(0)
    return Buckets(per_minute, burst, tracked_max=tracked_max, clock=clock), clock


def test_a_burst_passes_and_then_so_many_a_minute() -> None:
    buckets, clock = made()
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    clock.advance(2_000)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]


def test_no_more_than_a_burst_is_saved_up() -> None:
    buckets, clock = made()
    buckets.take("a")
    clock.advance(3_600_000)
    assert sum(not buckets.take("a") for _ in range(20)) == 5


def test_a_burst_is_no_more_than_a_minutes_worth() -> None:
    buckets, _ = made(per_minute=2, burst=1_000)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 30]


def test_what_is_charged_is_owed_but_no_more_than_a_bucket() -> None:
    buckets, clock = made()
    buckets.charge("a", 1_000_000)
    assert buckets.take("a") == 6
    clock.advance(6_000)
    assert buckets.take("a") == 0


def test_where_one_stands() -> None:
    buckets, _ = made()
    buckets.take("a")
    assert buckets.standing("a") == (60, 4, 1)
    assert made(per_minute=0)[0].standing("a") is None


def test_each_has_its_own_and_only_so_many_are_remembered() -> None:
    buckets, _ = made(burst=1, tracked_max=3)
    assert [buckets.take(who) for who in "abcd"] == [0, 0, 0, 0]
    assert (len(buckets), buckets.take("d"), buckets.take("a")) == (3, 1, 0)


def test_no_limit_is_no_limit() -> None:
    buckets, _ = made(per_minute=0)
    assert not any(buckets.take("a") for _ in range(1_000))
    assert len(buckets) == 0
