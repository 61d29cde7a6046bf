import pytest

from playhead.process.fold import scores


@pytest.mark.parametrize(("startup_ms", "score"), [(400, 95.24), (2_000, 80), (8_000, 50)])
def test_startup(startup_ms: float, score: float) -> None:
    assert scores.startup_score(startup_ms) == pytest.approx(score, abs=0.01)


@pytest.mark.parametrize(
    ("stalls", "fraction", "score"),
    [(0, 0.0, 100), (1, 5 / 300, 87.04), (4, 60 / 1_200, 52.69)],
)
def test_smooth(stalls: int, fraction: float, score: float) -> None:
    assert scores.smooth_score(stalls, fraction) == pytest.approx(score, abs=0.01)


def test_quality() -> None:
    assert scores.quality_score(0.5, 0.5) == pytest.approx(84.79, abs=0.01)
    assert scores.quality_score(2.0, 2.0 * 30 / 1_230) == pytest.approx(89.34, abs=0.01)


def test_overall_is_the_weighted_geometric_mean() -> None:
    expected = 90**0.45 * 80**0.30 * 70**0.25
    assert scores.overall_score(100.0, 90.0, 80.0, 70.0) == pytest.approx(expected)


def test_overall_without_a_part_takes_the_weights_of_the_others() -> None:
    expected = 90 ** (0.45 / 0.75) * 80 ** (0.30 / 0.75)
    assert scores.overall_score(100.0, 90.0, 80.0, None) == pytest.approx(expected)


def test_overall_of_failed_abandoned_and_unjudged_views() -> None:
    assert scores.overall_score(0.0, 90.0, 80.0, 70.0) == 0.0
    assert scores.overall_score(50.0, None, None, None) == 50.0
    assert scores.overall_score(None, 90.0, 80.0, 70.0) is None
