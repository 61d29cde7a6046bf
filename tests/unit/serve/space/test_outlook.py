from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.config import Config
from playhead.serve.space import outlook as module
from playhead.serve.space.outlook import (
    DAY_MS,
    SAMPLES_MAX,
    Outlook,
    Sample,
    base_of,
    outlook,
    outlook_of,
    read_samples,
    with_sample,
    write_samples,
)

GIB = 1 << 30
NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


def sample(ago_ms: int, free: int = 100 * GIB, **items: int) -> Sample:
    return Sample(
        at_ms=NOW_MS - ago_ms, free_bytes=free, total_bytes=500 * GIB, data_bytes=GIB, items=items
    )


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what the disk has free."""

    def set_to(count: int) -> None:
        monkeypatch.setattr(module, "_disk", lambda _: (count, 500 * GIB))

    return set_to


def looked(samples: list[Sample]) -> Outlook:
    return outlook(samples, Path(), Config(), NOW_MS)


@pytest.mark.parametrize(
    ("count", "state"), [(GIB - 1, "low"), (GIB, "warn"), (5 * GIB - 1, "warn"), (5 * GIB, "ok")]
)
def test_the_state_has_two_thresholds(free: Any, count: int, state: str) -> None:
    free(count)
    assert looked([]).state == state
    assert bool(looked([]).remedy) == (state != "ok")


def test_the_disk_is_full_when_the_floor_is_reached(free: Any) -> None:
    free(90 * GIB)
    found = looked([sample(DAY_MS)])
    assert (found.growth_bytes_per_day, found.full_in_days) == (10 * GIB, 8.9)
    assert "full in 8 days" in found.sentence


def test_a_disk_that_is_full_within_a_week_is_a_warning(free: Any) -> None:
    free(61 * GIB)
    found = looked([sample(DAY_MS, 71 * GIB)])
    assert (found.state, found.full_in_days) == ("warn", 6.0)


def test_a_disk_that_empties_is_never_full(free: Any) -> None:
    free(90 * GIB)
    found = looked([sample(DAY_MS, 80 * GIB)])
    assert (found.full_in_days, found.growth_bytes_per_day) == (None, -10 * GIB)


def test_a_rate_is_told_after_an_hour(free: Any) -> None:
    free(90 * GIB)
    assert looked([sample(HOUR_MS - 1)]).growth_bytes_per_day is None
    assert looked([sample(HOUR_MS)]).growth_bytes_per_day == 240 * GIB


def test_the_rate_is_that_of_the_last_day() -> None:
    samples = [sample(hours * HOUR_MS) for hours in (30, 25, 24, 23, 1)]
    assert base_of(samples, NOW_MS) == samples[2]
    assert base_of([sample(-HOUR_MS)], NOW_MS) is None


def test_samples_are_bounded_and_none_is_of_the_future() -> None:
    samples: list[Sample] = []
    for hours in range(40, 0, -1):
        samples = with_sample(samples, sample(hours * HOUR_MS))
    back = with_sample(samples, sample(20 * HOUR_MS))
    assert (len(samples), len(back)) == (SAMPLES_MAX, 9)


def test_of_many_uses_the_largest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITEMS_MAX", 2)
    [kept] = with_sample([], sample(0, a=1, b=3, c=2))
    assert kept.items == {"b": 3, "c": 2}


def test_samples_come_back_as_they_were_kept(tmp_path: Path) -> None:
    write_samples(tmp_path, [sample(DAY_MS, events=7), sample(0)])
    assert read_samples(tmp_path) == [sample(DAY_MS, events=7), sample(0)]
    assert (tmp_path / "run" / "space.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", '{"version":2,"samples":[]}', '{"version":1}'])
def test_samples_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "space.json").write_text(text)
    assert read_samples(tmp_path) == []
    assert outlook_of(tmp_path, msgspec.structs.replace(Config()), NOW_MS).total_bytes > 0


def test_a_sample_of_another_disk_says_nothing(free: Any) -> None:
    free(90 * GIB)
    other = msgspec.structs.replace(sample(DAY_MS), total_bytes=GIB)
    assert looked([other]).growth_bytes_per_day is None
    assert looked([other, sample(2 * HOUR_MS)]).growth_bytes_per_day == 120 * GIB
