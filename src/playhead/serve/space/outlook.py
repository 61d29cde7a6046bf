"""How the space goes on: what is free, how fast it goes, and when the disk is full at that rate."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from playhead.access.files import write_private
from playhead.config import Config
from playhead.observe import logger
from playhead.serve.space.rules import size

FILE: Final = Path("run") / "space.json"
"""In the data folder: what it took, hour by hour. What runs is in no backup: another disk has another rate."""
VERSION: Final = 1
DAY_MS: Final = 86_400_000
EVERY_MS: Final = 3_600_000
SAMPLES_MAX: Final = 28
"""A day of them, and a few more where hours are missing."""
ITEMS_MAX: Final = 500
"""Largest uses kept in a sample; the growth of the others is not told."""
RATE_LEAST_MS: Final = 3_600_000
"""A rate is told from so much time on."""
FULL_DAYS_MAX: Final = 3_650
"""What is further away is not in sight."""
State = Literal["ok", "warn", "low"]
_LOG = logger("space")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was used and free at one time (UTC ms)."""

    at_ms: int
    free_bytes: int
    data_bytes: int
    total_bytes: int = 0
    """Of the disk: a sample of another one says nothing."""
    items: dict[str, int] = {}


class _File(msgspec.Struct):
    version: int
    samples: list[Sample]


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the disk, and a sentence on it."""

    state: State
    free_bytes: int
    total_bytes: int
    floor_bytes: int
    """Below it nothing is taken."""
    warning_bytes: int
    growth_bytes_per_day: int | None
    """How fast free space goes, whoever takes it; below 0 it grows. None = not known yet."""
    full_in_days: float | None
    """Until the floor at this rate; None = not in sight, or not known yet."""
    sentence: str
    remedy: str = ""


def outlook(samples: Sequence[Sample], data_dir: Path, config: Config, now_ms: int) -> Outlook:
    """Return how the disk fares; asks the kernel, and nobody else."""
    free, total = _disk(data_dir)
    floor = config.log.free_space_floor_bytes
    warning = max(floor, config.retention.space_warning_bytes)
    base = base_of([one for one in samples if one.total_bytes == total], now_ms)
    growth = per_day(base.free_bytes - free, now_ms - base.at_ms) if base else None
    left = (free - floor) / growth if growth and growth > 0 and free > floor else None
    left = round(left, 1) if left is not None and left <= FULL_DAYS_MAX else None
    state, sentence, remedy = _state(free, floor, warning, left, config)
    return Outlook(
        state=state, free_bytes=free, total_bytes=total, floor_bytes=floor, warning_bytes=warning,
        growth_bytes_per_day=growth, full_in_days=left, sentence=sentence, remedy=remedy,
    )  # fmt: skip


def outlook_of(data_dir: Path, config: Config, now_ms: int) -> Outlook:
    """Return the same from what the server has kept, whether it runs or not."""
    return outlook(read_samples(data_dir), data_dir, config, now_ms)


def base_of(samples: Sequence[Sample], now_ms: int) -> Sample | None:
    """Return the sample to compare with: of a day ago, else the oldest; None = too young for a rate."""
    known = [one for one in samples if one.at_ms <= now_ms - RATE_LEAST_MS]
    old = [one for one in known if one.at_ms <= now_ms - DAY_MS]
    return (old[-1] if old else known[0]) if known else None


def per_day(change: int, ms: int) -> int:
    """Return a change in so many milliseconds as one of a day."""
    return round(change * DAY_MS / max(1, ms))


def with_sample(samples: Sequence[Sample], sample: Sample) -> list[Sample]:
    """Return samples with a new one; those of the future (a clock was set back) and the oldest go."""
    largest = sorted(sample.items, key=lambda name: -sample.items[name])[:ITEMS_MAX]
    kept = [one for one in samples if one.at_ms < sample.at_ms]
    new = msgspec.structs.replace(sample, items={name: sample.items[name] for name in largest})
    return [*kept, new][-SAMPLES_MAX:]


def read_samples(data_dir: Path) -> list[Sample]:
    """Return what was kept; nothing where it cannot be read or another release wrote it."""
    try:
        found = msgspec.json.decode((data_dir / FILE).read_bytes(), type=_File)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        _LOG.warning("samples_not_read", reason=str(error))
        return []
    return sorted(found.samples, key=lambda one: one.at_ms) if found.version == VERSION else []


def write_samples(data_dir: Path, samples: Sequence[Sample]) -> None:
    """Keep samples. A disk that takes them not costs the rate only."""
    try:
        write_private(data_dir / FILE, msgspec.json.encode(_File(VERSION, list(samples))).decode())
    except OSError as error:
        _LOG.warning("samples_not_kept", reason=str(error))


def _disk(data_dir: Path) -> tuple[int, int]:
    with suppress(OSError):
        usage = shutil.disk_usage(data_dir)
        return usage.free, usage.total
    return 0, 0


def _state(
    free: int, floor: int, warning: int, left: float | None, config: Config
) -> tuple[State, str, str]:
    remedy = (
        "Free space on the disk, or keep less: 'playhead space' shows what uses it; [retention]"
        " and log.retention_bytes limit it."
    )
    if free < floor:
        return "low", (
            f"The disk has {size(free)} free, less than log.free_space_floor_bytes ({size(floor)}):"
            " nothing is taken until there is more."
        ), remedy  # fmt: skip
    days = "" if left is None else f" At the present rate it is full in {_days(left)}."
    if free < warning:
        return "warn", f"The disk has only {size(free)} free.{days}", remedy
    if left is not None and left < config.retention.space_warning_days:
        return "warn", f"The disk has {size(free)} free.{days}", remedy
    return "ok", f"The disk has {size(free)} free.{days}", ""


def _days(left: float) -> str:
    if left < 1:
        return f"{max(1, int(left * 24))} h"
    return "1 day" if int(left) == 1 else f"{int(left):,} days"
