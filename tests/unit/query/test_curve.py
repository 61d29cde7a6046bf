import math

import pytest

from playhead.query.curve import (
    Grid,
    Moment,
    Step,
    around,
    falls,
    present,
    quantile,
    rank,
    seconds,
    segments,
    standouts,
)

VIEWS = 10_000


def decaying(points: int, rate: float = 0.002) -> list[float]:
    return [math.exp(-rate * point) for point in range(points)]


def test_steps_give_the_seconds_watched_in_each_bin() -> None:
    # 0.5 to 3.25 s: half a second, two whole ones, a quarter
    steps = {0: Step(1, 0.5), 3: Step(-1, -0.75)}
    assert seconds(steps, Grid(5, 1)) == [0.5, 1.0, 1.0, 0.25, 0]
    assert sum(seconds({0: Step(1, 1.5), 1: Step(-1, -0.75)}, Grid(4, 2))) == 2.75


def test_a_view_that_stops_in_a_bin_was_there() -> None:
    assert present({0: 2, 3: 1}, {1: 1, 4: 2}, 6) == [2, 2, 1, 2, 2, 0]


def test_the_last_bin_ends_with_the_title() -> None:
    grid = Grid(10.5, 4)
    assert (grid.points, grid.edges(2)) == (3, (8, 10.5))


def test_leaving_at_a_steady_rate_is_no_drop_off() -> None:
    assert falls(decaying(1000), VIEWS, least=5, most=10) == []


def test_a_drop_off_is_found_where_it_is() -> None:
    shares = [share * (1 if point < 400 else 0.7) for point, share in enumerate(decaying(1000))]
    (found,) = falls(shares, VIEWS, least=5, most=10)
    assert found.start <= 399 < found.end <= 410
    assert found.score == pytest.approx(0.3 * shares[399], rel=0.1)


def test_few_leavers_are_chance() -> None:
    shares = [1.0] * 50 + [0.8] * 50
    assert falls(shares, 20, least=5, most=10) == []
    assert len(falls(shares, 200, least=5, most=10)) == 1


def test_the_largest_fall_comes_first_and_no_more_than_asked() -> None:
    shares = [1.0] * 100 + [0.9] * 100 + [0.5] * 100 + [0.4] * 100
    found = falls(shares, VIEWS, least=5, most=2)
    assert [199 in range(one.start, one.end) for one in found] == [True, False]


def test_a_falling_curve_is_its_own_surroundings() -> None:
    curve = decaying(300)
    assert around(curve) == pytest.approx(curve)


def test_a_spike_and_a_dip() -> None:
    values = decaying(1000)
    for point in range(200, 220):
        values[point] *= 1.5
        values[point + 400] *= 0.5
    (spike,) = standouts(values, VIEWS, most=10, above=True)
    (dip,) = standouts(values, VIEWS, most=10, above=False)
    assert (spike.start, spike.end, spike.score > 1.4) == (200, 220, True)
    assert (dip.start, dip.end, dip.score < 0.6) == (600, 620, True)


def test_the_same_bump_of_few_views_is_noise() -> None:
    values = [1.0] * 500 + [1.5] * 5 + [1.0] * 500
    assert standouts(values, 10, most=10, above=True) == []


def test_parts_are_ranked_by_what_was_watched() -> None:
    parts = segments([0.5] * 50 + [1.0] * 50)
    assert len(parts) == 20
    assert (parts[0], parts[-1].end) == (Moment(50, 55, 1 / 0.75), 50)


def test_a_rank_counts_equals_half() -> None:
    assert rank(0.5, [0.1, 0.5, 0.9, 0.9]) == 0.375
    assert (rank(1, [0.0]), rank(0, [0.5])) == (1, 0)


def test_a_quantile_lies_between_its_neighbours() -> None:
    assert quantile([4, 1, 3, 2], 0.25) == 1.75
    assert quantile([7], 0.75) == 7


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nothing_watched_has_no_moments(values: list[float]) -> None:
    assert falls(values, 10, least=1, most=5) == []
    assert segments(values) == standouts(values, 10, most=5, above=True) == []
