"""Token buckets: so many at once, so many a minute; memory only, a bounded number of them."""

import math
from collections import OrderedDict
from typing import Final, NamedTuple

from playhead.clock import Clock

WINDOW_S: Final = 60
"""No wait is told longer than this."""


class Standing(NamedTuple):
    """How many requests one may send a minute, how many it may now, and when all again (s)."""

    limit: int
    remaining: int
    reset_s: int


class _Bucket:
    """What is left, and when that was so."""

    __slots__ = ("at_s", "left")

    def __init__(self, left: float, at_s: float) -> None:
        self.left = left
        self.at_s = at_s


class Buckets:
    """One bucket for each sender, property or whatever is counted.

    Args:
        per_minute: How fast a bucket fills; 0 is no limit.
        burst: What a full one holds, at most a minute's worth.
        tracked_max: Most buckets; the one used longest ago is forgotten first, which fills it.
        clock: Time; only the monotonic one is asked.
    """

    def __init__(self, per_minute: int, burst: int, *, tracked_max: int, clock: Clock) -> None:
        self.per_minute = per_minute
        self._per_s = per_minute / WINDOW_S
        self._most = float(max(1, min(burst, per_minute)))
        self._tracked_max = max(1, tracked_max)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._buckets)

    def take(self, who: str) -> int:
        """Take one and return 0; else take nothing and return the seconds until there is one."""
        if self.per_minute <= 0:
            return 0
        bucket = self._filled(who)
        if bucket.left >= 1:
            bucket.left -= 1
            return 0
        return self._wait_s(1 - bucket.left)

    def charge(self, who: str, cost: int) -> None:
        """Take more after the fact: what is too much is owed, up to a full bucket."""
        if self.per_minute <= 0 or cost <= 0:
            return
        bucket = self._filled(who)
        bucket.left = max(-self._most, bucket.left - cost)

    def standing(self, who: str) -> Standing | None:
        """Return how it stands; None without a limit."""
        if self.per_minute <= 0:
            return None
        left = self._filled(who).left
        full_s = min(WINDOW_S, math.ceil((self._most - left) / self._per_s))
        return Standing(self.per_minute, max(0, int(left)), full_s)

    def _filled(self, who: str) -> _Bucket:
        """Return a bucket with what has come in since it was last looked at."""
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = _Bucket(self._most, now_s)
            if len(self._buckets) > self._tracked_max:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(who)
        bucket.left = min(self._most, bucket.left + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        return bucket

    def _wait_s(self, missing: float) -> int:
        # A hair less: a sum of fractions must not turn 60 s into 61.
        return min(WINDOW_S, max(1, math.ceil(missing / self._per_s - 1e-6)))
