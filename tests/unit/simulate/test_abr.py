import pytest

from playhead.simulate.abr import LADDER, Estimate, choose, ladder_for


@pytest.mark.parametrize("buffer_s", [2, 10, 25])
@pytest.mark.parametrize("current", [0, 3, 6])
def test_more_throughput_never_means_a_lower_rendition(buffer_s: float, current: int) -> None:
    chosen = [choose(LADDER, kbps, buffer_s, current) for kbps in range(100, 30_000, 100)]
    assert chosen == sorted(chosen)


def test_it_climbs_one_step_at_a_time() -> None:
    assert choose(LADDER, 100_000, 15, 0) == 1
    assert choose(LADDER, 100_000, 15, 5) == 6


def test_little_buffer_makes_it_careful() -> None:
    assert choose(LADDER, 4_000, 2, 3) < choose(LADDER, 4_000, 15, 3)


def test_a_full_buffer_bears_a_dip() -> None:
    assert choose(LADDER, 5_200, 15, 4) == 3
    assert choose(LADDER, 5_200, 25, 4) == 4


def test_the_estimate_believes_bad_news_at_once() -> None:
    estimate = Estimate(10_000)
    estimate.observe(1_000)
    assert estimate.kbps == pytest.approx(5_500)


def test_no_rendition_is_taller_than_asked() -> None:
    assert max(rung.height for rung in ladder_for(1080)) == 1080
