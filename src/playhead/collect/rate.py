"""The rate limit per address: memory only, a bounded number of addresses."""

from collections import OrderedDict
from typing import Final, NamedTuple

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from playhead.collect.address import sender
from playhead.config import Collect
from playhead.errors import RateLimited

WINDOW_S: Final = 60


class Standing(NamedTuple):
    """How many requests an address may send a minute, how many are left, and until when (UTC s)."""

    limit: int
    remaining: int
    reset_at_s: float


class RateLimit:
    """At most `requests_per_minute_per_address` requests in any minute; 0 is no limit."""

    def __init__(self, config: Collect) -> None:
        self._per_minute = config.requests_per_minute_per_address
        self._tracked_max = config.max_addresses_tracked
        self._tracked: OrderedDict[str, None] = OrderedDict()
        if self._per_minute > 0:
            self._item = RateLimitItemPerMinute(self._per_minute)
            self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, address: str) -> None:
        """Count one request of an address.

        Raises:
            RateLimited: It was one too many.
        """
        if self._per_minute <= 0:
            return
        who = sender(address)
        self._track(who)
        if self._limiter.hit(self._item, who):
            return
        raise RateLimited(
            f"More than {self._per_minute} requests a minute from one address."
            " Nothing of this one was stored.",
            retry_after_s=max(1, WINDOW_S // self._per_minute),
        )

    def standing(self, address: str) -> Standing | None:
        """Return where an address stands; None without a limit."""
        if self._per_minute <= 0:
            return None
        stats = self._limiter.get_window_stats(self._item, sender(address))
        return Standing(self._per_minute, stats.remaining, stats.reset_time)

    def _track(self, who: str) -> None:
        """Forget the address seen longest ago when there are too many to remember."""
        if who in self._tracked:
            self._tracked.move_to_end(who)
            return
        self._tracked[who] = None
        if len(self._tracked) > self._tracked_max:
            oldest, _ = self._tracked.popitem(last=False)
            self._limiter.clear(self._item, oldest)
