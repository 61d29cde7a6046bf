"""Requests a second of each token: memory only, a bounded number of tokens."""

import math
from collections import OrderedDict
from typing import Final

from playhead.clock import Clock

TRACKED_MAX: Final = 10_000
"""Most tokens counted at a time; the one used longest ago is forgotten first."""


class _Count:
    """Requests of this second and of the one before it."""

    __slots__ = ("before", "now", "second")

    def __init__(self, second: int) -> None:
        self.second = second
        self.now = 0
        self.before = 0

    def at(self, second: int) -> None:
        """Move on to a second."""
        if second != self.second:
            self.before = self.now if second == self.second + 1 else 0
            self.now = 0
            self.second = second


class TokenRate:
    """Counts requests in a second that slides, from two that stand."""

    def __init__(self, clock: Clock, tracked_max: int = TRACKED_MAX) -> None:
        self._clock = clock
        self._tracked_max = tracked_max
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def takes(self, who: str, per_second: int) -> bool:
        """Count one request and return True, or return False if it is one too many."""
        now_s = self._clock.monotonic_s()
        second = int(now_s)
        count = self._counts.get(who)
        if count is None:
            count = self._counts[who] = _Count(second)
            if len(self._counts) > self._tracked_max:
                self._counts.popitem(last=False)
        else:
            self._counts.move_to_end(who)
        count.at(second)
        if count.now + count.before * (1 - (now_s - second)) >= per_second:
            return False
        count.now += 1
        return True

    def left(self, who: str, per_second: int) -> int:
        """Return how many requests are left in this second."""
        now_s = self._clock.monotonic_s()
        second = int(now_s)
        count = self._counts.get(who)
        if count is None:
            return per_second
        count.at(second)
        return max(0, math.ceil(per_second - count.now - count.before * (1 - (now_s - second))))
