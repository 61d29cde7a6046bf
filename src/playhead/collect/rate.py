"""How often one address, and one property, may send: token buckets, memory only.

An address is a person's only where no carrier puts thousands behind one, so the default is far
above what thousands of players send, and only a flood from one machine meets it. Addresses of
trusted proxies are not counted: such a one stands for everybody behind a proxy that names nobody.
"""

from collections.abc import Callable

from playhead import observe
from playhead.clock import Clock
from playhead.collect.address import sender
from playhead.collect.bucket import Buckets, Standing
from playhead.config import Collect, Limits
from playhead.errors import RateLimited

LIMITED = observe.counter(
    "rate_limited", "Requests refused because there were too many, by what is counted.", ("by",)
)


class RateLimit:
    """`collect.requests_per_minute_per_address`, `limits.requests_per_minute_per_property`."""

    def __init__(self, collect: Collect, limits: Limits, clock: Clock) -> None:
        def buckets(per_minute: int, burst: int) -> Buckets:
            tracked_max = collect.max_addresses_tracked
            return Buckets(per_minute, burst, tracked_max=tracked_max, clock=clock)

        self._addresses = buckets(collect.requests_per_minute_per_address, limits.burst_per_address)
        self._properties = buckets(
            limits.requests_per_minute_per_property, limits.burst_per_property
        )
        self._bytes_each = limits.unpacked_bytes_per_request

    def check(self, address: str) -> None:
        """Count one request of an address.

        Raises:
            RateLimited: It was one too many.
        """
        if self._addresses.per_minute > 0:
            _take(self._addresses, sender(address), "address", lambda: "from one address")

    def check_property(self, name: str) -> None:
        """Count one request of a property.

        Raises:
            RateLimited: It was one too many.
        """
        if self._properties.per_minute > 0:
            _take(self._properties, name, "property", lambda: f"of the property '{name}'")

    def charge(self, address: str, unpacked_bytes: int) -> None:
        """Count a large body as the many requests it is worth: small packed, it may be huge."""
        if self._bytes_each > 0:
            self._addresses.charge(sender(address), unpacked_bytes // self._bytes_each)

    def standing(self, address: str) -> Standing | None:
        """Return where an address stands; None without a limit."""
        return self._addresses.standing(sender(address))


def _take(buckets: Buckets, who: str, by: str, whose: Callable[[], str]) -> None:
    wait_s = buckets.take(who)
    if not wait_s:
        return
    LIMITED.labels(by).inc()
    raise RateLimited(
        f"More than {buckets.per_minute} requests a minute {whose()}."
        " Nothing of this one was stored.",
        retry_after_s=wait_s,
    )
