"""Adaptive bitrate: which rendition the simulated player asks for next."""

from collections.abc import Sequence

import msgspec

SAFETY = 0.8
CLIMB_MARGIN = 0.8
"""A higher rendition must fit with this to spare, or the player would swing between two."""
LOW_BUFFER_S = 8.0
HIGH_BUFFER_S = 20.0
_FAST, _SLOW = 0.5, 0.15


class Rung(msgspec.Struct, frozen=True):
    """A rendition: bitrate in kbit/s as the manifest says it, size in pixels."""

    bitrate_kbps: int
    width: int
    height: int

    @property
    def label(self) -> str:
        """Return the usual name, such as `720p`."""
        return f"{self.height}p"


LADDER: tuple[Rung, ...] = (
    Rung(300, 426, 240), Rung(700, 640, 360), Rung(1_400, 854, 480), Rung(2_800, 1280, 720),
    Rung(5_000, 1920, 1080), Rung(7_500, 1920, 1080), Rung(14_000, 3840, 2160),
)  # fmt: skip


def ladder_for(top_height: int) -> tuple[Rung, ...]:
    """Return the renditions no taller than `top_height` pixels."""
    return tuple(rung for rung in LADDER if rung.height <= top_height)


class Estimate:
    """The player's own idea of its throughput: the smaller of a fast and a slow average."""

    def __init__(self, first_kbps: float) -> None:
        self._fast = self._slow = first_kbps

    @property
    def kbps(self) -> float:
        """Return the estimate in kbit/s."""
        return min(self._fast, self._slow)

    def observe(self, kbps: float) -> None:
        """Take in the rate of one download."""
        self._fast += _FAST * (kbps - self._fast)
        self._slow += _SLOW * (kbps - self._slow)


def choose(rungs: Sequence[Rung], estimate_kbps: float, buffer_s: float, current: int) -> int:
    """Return the index of the next segment's rendition.

    Throughput decides; the buffer bends it: with little of it the player is twice as careful,
    with plenty it keeps what it has, and it never climbs more than one step at a time.
    """
    share = SAFETY / 2 if buffer_s < LOW_BUFFER_S else SAFETY
    limit = estimate_kbps * share
    fits = 0
    for index, rung in enumerate(rungs):
        if rung.bitrate_kbps <= limit:
            fits = index
    if fits > current:
        climbs = rungs[current + 1].bitrate_kbps <= limit * CLIMB_MARGIN
        return current + 1 if climbs else current
    if buffer_s > HIGH_BUFFER_S and rungs[current].bitrate_kbps <= estimate_kbps:
        return current
    return fits
