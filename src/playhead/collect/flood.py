"""Floods of new views: how many one address, and one property, may begin a minute.

A view costs more than its events: the worker keeps it open for an hour, the store keeps its row for
a year. So whoever makes up ids is stopped at the door. Beyond the limit a request that begins a
view is answered 429 and nothing of it is kept: an honest player sends it again and loses nothing,
where a drop after a 200 would lose its start for good, and a flood fills neither log nor store.
Requests of views that are known to go on pass all the while.

What is known is a set of hashes, forgotten after ten to twenty minutes of silence. It begins empty:
for `limits.new_views_grace_ms` after a start every view is taken for one that goes on. Many views
begun by one address spend its own allowance first, so that one machine cannot use up a property's.
"""

from collections.abc import Sequence
from typing import Final

from playhead.clock import Clock
from playhead.collect.address import sender
from playhead.collect.bucket import Buckets
from playhead.collect.rate import LIMITED
from playhead.config import Collect, Limits
from playhead.errors import RateLimited
from playhead.model.event import Event

REMEMBERED_S: Final = 600.0
"""A view silent for so long (at most twice) counts as new when it is heard of again."""
PROPERTY_WAIT_S: Final = 5
"""Least wait when a property has begun too many views: then there are many that wait."""


class _Known:
    """The views heard of lately: two generations, the older one let go of as a whole."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._half = max(1, most // 2)
        self._clock = clock
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._turn_s = clock.monotonic_s() + REMEMBERED_S

    def has(self, view: int) -> bool:
        """Return whether a view is known; one that is asked for stays so."""
        if view in self._young:
            return True
        if view not in self._old:
            return False
        self.add(view)
        return True

    def add(self, view: int) -> None:
        """Remember a view."""
        if len(self._young) >= self._half or self._clock.monotonic_s() >= self._turn_s:
            self._old, self._young = self._young, set()
            self._turn_s = self._clock.monotonic_s() + REMEMBERED_S
        self._young.add(view)


class Flood:
    """Admits views: those that go on always, new ones within the limits."""

    def __init__(self, collect: Collect, limits: Limits, clock: Clock) -> None:
        def buckets(per_minute: int) -> Buckets:
            tracked_max = collect.max_addresses_tracked
            return Buckets(per_minute, per_minute, tracked_max=tracked_max, clock=clock)

        self._addresses = buckets(limits.new_views_per_minute_per_address)
        self._properties = buckets(limits.new_views_per_minute_per_property)
        self._is_off = self._addresses.per_minute <= 0 and self._properties.per_minute <= 0
        self._known = _Known(limits.max_views_remembered, clock)
        self._clock = clock
        self._counts_from_s = clock.monotonic_s() + limits.new_views_grace_ms / 1_000

    def check(
        self,
        events: Sequence[Event | None],
        *,
        property: str,  # noqa: A002 (the product's word)
        address: str | None,
        anonymous_id: str,
    ) -> None:
        """Count the views that begin in a batch.

        Args:
            events: The batch; None where an event was refused.
            property: Whose views they are.
            address: The sender's; None where it is not counted.
            anonymous_id: What stands for events that name nobody.

        Raises:
            RateLimited: One too many; those before it are known from now on.
        """
        if self._is_off:
            return
        last: str | None = None
        for event in events:
            if event is None:
                continue
            named = event.view_id or event.session_id or event.viewer_id or anonymous_id
            if named == last:
                continue  # nearly every event: a batch is one view's as a rule
            last = named
            view = hash((property, named))
            if not self._known.has(view):
                self._begin(view, property, address)

    def _begin(self, view: int, property_: str, address: str | None) -> None:
        if self._clock.monotonic_s() >= self._counts_from_s:
            if address is not None and (wait_s := self._addresses.take(sender(address))):
                raise self._refusal("address", wait_s)
            if wait_s := self._properties.take(property_):
                raise self._refusal("property", max(PROPERTY_WAIT_S, wait_s))
        self._known.add(view)

    def _refusal(self, whose: str, wait_s: int) -> RateLimited:
        LIMITED.labels(f"new_views_of_{whose}").inc()
        per_minute = (self._addresses if whose == "address" else self._properties).per_minute
        return RateLimited(
            f"More than {per_minute} new views a minute from one {whose}. Nothing of this request"
            " was stored; views that are known go on.",
            hint="Send it again after the seconds in Retry-After, or raise"
            f" limits.new_views_per_minute_per_{whose}.",
            retry_after_s=wait_s,
        )
