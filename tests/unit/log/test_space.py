from pathlib import Path

import pytest

from playhead.clock import ManualClock
from playhead.errors import DiskLow
from playhead.log.space import FreeSpace


def test_below_the_floor_is_refused(tmp_path: Path) -> None:
    space = FreeSpace(tmp_path, 100, ManualClock(), measure=lambda: 99)
    with pytest.raises(DiskLow) as raised:
        space.check()
    assert raised.value.retry_after_s > 0


def test_at_the_floor_is_enough(tmp_path: Path) -> None:
    FreeSpace(tmp_path, 100, ManualClock(), measure=lambda: 100).check()


def test_a_measurement_is_believed_for_half_a_second(tmp_path: Path) -> None:
    clock = ManualClock()
    figures = iter([100, 99])
    space = FreeSpace(tmp_path, 100, clock, measure=lambda: next(figures))
    space.check()
    clock.advance(499)
    space.check()
    clock.advance(1)
    with pytest.raises(DiskLow):
        space.check()


def test_it_asks_the_kernel(tmp_path: Path) -> None:
    FreeSpace(tmp_path, 1, ManualClock()).check()
    with pytest.raises(DiskLow):
        FreeSpace(tmp_path, 1 << 62, ManualClock()).check()
