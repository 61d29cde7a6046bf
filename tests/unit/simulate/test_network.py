import random
import statistics

import pytest

from playhead.simulate.network import ACCESS, CDNS, Line, pick_cdn


def rates(name: str, *, lines: int = 60) -> list[float]:
    rng = random.Random(3)
    return [
        statistics.fmean(line.throughput_kbps(at) for at in range(0, 300_000, 4_000))
        for line in (Line(ACCESS[name], rng, 0) for _ in range(lines))
    ]


def test_accesses_rank_as_in_life() -> None:
    medians = [statistics.median(rates(name)) for name in ("3g", "4g", "wifi", "fibre")]
    assert medians == sorted(medians)


@pytest.mark.parametrize("name", ACCESS)
def test_throughput_varies_within_a_line(name: str) -> None:
    line = Line(ACCESS[name], random.Random(1), 0)
    values = [line.throughput_kbps(at) for at in range(0, 900_000, 4_000)]
    assert min(values) > 0
    assert 0.1 < statistics.stdev(values) / statistics.fmean(values) < 1.5


def test_a_switch_never_stays() -> None:
    rng = random.Random(1)
    for cdn in CDNS:
        assert all(pick_cdn(rng, "eu", but=cdn.name).name != cdn.name for _ in range(20))
