"""The stochastic network: how fast bytes reach one viewer from one CDN at one moment.

A line's throughput is a long-term rate (log-normal over viewers), times a Markov-modulated
condition (good, fair, bad, each lasting an exponential time), times log-normal noise with memory.
"""

import math
import random

import msgspec


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A way of being connected. Rates in kbit/s, times in ms, `spread` and `noise` are log-sd."""

    name: str
    connection: str
    """What the player reports as its connection type."""
    median_kbps: float
    spread: float
    noise: float
    conditions: tuple[tuple[float, float], ...]
    """(factor on the rate, mean length in ms) of each condition, best first."""
    rtt_ms: float


ACCESS: dict[str, Access] = {
    access.name: access
    for access in (
        Access(name="fibre", connection="fibre", median_kbps=70_000, spread=0.6, noise=0.15,
               conditions=((1.0, 240_000), (0.6, 20_000), (0.04, 8_000)), rtt_ms=12),
        Access(name="cable", connection="cable", median_kbps=30_000, spread=0.7, noise=0.22,
               conditions=((1.0, 150_000), (0.55, 25_000), (0.02, 15_000)), rtt_ms=20),
        Access(name="wifi", connection="wifi", median_kbps=18_000, spread=0.9, noise=0.35,
               conditions=((1.0, 90_000), (0.4, 20_000), (0.02, 20_000)), rtt_ms=28),
        Access(name="5g", connection="5g", median_kbps=32_000, spread=0.8, noise=0.45,
               conditions=((1.0, 60_000), (0.4, 20_000), (0.02, 20_000)), rtt_ms=26),
        Access(name="4g", connection="4g", median_kbps=9_000, spread=0.8, noise=0.5,
               conditions=((1.0, 50_000), (0.4, 20_000), (0.025, 22_000)), rtt_ms=48),
        Access(name="3g", connection="3g", median_kbps=1_700, spread=0.5, noise=0.35,
               conditions=((1.0, 60_000), (0.5, 25_000), (0.15, 15_000)), rtt_ms=120),
    )
}  # fmt: skip
_NOISE_MEMORY_MS = 6_000
_FLOOR_KBPS = 40.0


class Line:
    """One viewer's connection over simulated time."""

    def __init__(self, access: Access, rng: random.Random, at_ms: float) -> None:
        self.access = access
        self._rng = rng
        self.rate_kbps = access.median_kbps * math.exp(rng.gauss(0, access.spread))
        self.rtt_ms = access.rtt_ms * math.exp(rng.gauss(0, 0.3))
        lengths = [length for _, length in access.conditions]
        self._condition = rng.choices(range(len(lengths)), weights=lengths)[0]
        self._until_ms = at_ms + rng.expovariate(1 / lengths[self._condition])
        self._noise = rng.gauss(0, 1)
        self._at_ms = at_ms

    def throughput_kbps(self, at_ms: float) -> float:
        """Return the rate at `at_ms`, which must not go back."""
        while self._until_ms <= at_ms:
            self._turn()
        memory = math.exp(-max(0.0, at_ms - self._at_ms) / _NOISE_MEMORY_MS)
        self._noise = memory * self._noise + math.sqrt(1 - memory**2) * self._rng.gauss(0, 1)
        self._at_ms = at_ms
        factor = self.access.conditions[self._condition][0]
        return max(_FLOOR_KBPS, self.rate_kbps * factor * math.exp(self.access.noise * self._noise))

    def _turn(self) -> None:
        """Go to another condition: from either end to the middle, from the middle to either end."""
        worst = len(self.access.conditions) - 1
        if 0 < self._condition < worst:
            self._condition = 0 if self._rng.random() < 0.7 else worst
        else:
            self._condition = 1
        length = self.access.conditions[self._condition][1]
        self._until_ms += self._rng.expovariate(1 / length)


class Cdn(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery network and how well it does in each part of the world."""

    name: str
    host: str
    segment_error_rate: float
    reach: dict[str, tuple[float, float, float]]
    """part of the world → (share of requests, factor on throughput, ms to first byte)."""


CDNS: tuple[Cdn, ...] = (
    Cdn(name="aurora", host="vod-a.aurora.example", segment_error_rate=0.0012, reach={
        "eu": (5, 1.0, 22), "na": (4, 0.95, 28), "sa": (2, 0.6, 90), "as": (2, 0.55, 110),
        "oc": (2, 0.6, 120),
    }),
    Cdn(name="cirrus", host="edge.cirrus.example", segment_error_rate=0.0020, reach={
        "eu": (3, 0.9, 30), "na": (5, 1.0, 20), "sa": (5, 0.9, 45), "as": (3, 0.8, 60),
        "oc": (3, 0.85, 60),
    }),
    Cdn(name="monsoon", host="m1.monsoon.example", segment_error_rate=0.0045, reach={
        "eu": (2, 0.7, 55), "na": (1, 0.6, 70), "sa": (1, 0.5, 130), "as": (5, 1.0, 30),
        "oc": (5, 0.9, 45),
    }),
)  # fmt: skip


def pick_cdn(rng: random.Random, part: str, *, but: str = "") -> Cdn:
    """Return the CDN that steering gives a viewer in `part`, never the one named `but`."""
    choices = [cdn for cdn in CDNS if cdn.name != but]
    return rng.choices(choices, weights=[cdn.reach[part][0] for cdn in choices])[0]
