"""Robots that do not say so: one address and user agent that begin more views than people do.

Judged is what one browser sends, not what a server sends for many: a batch that names more than
one viewer or session is not counted, nor is this machine or a proxy that forwards nobody's
address. Time is the receipt of the requests, so the same stream is judged the same way again.
Kept in memory only, as hashes, a bounded number of them.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from playhead.collect.address import sender
from playhead.model import kinds
from playhead.model.event import Event

WINDOW_MS: Final = 60_000
"""Views begun are counted over the last so many milliseconds."""
MARKED_MS: Final = 600_000
"""So long is every batch of a robot marked; each further view too many starts it anew."""
REMEMBERED_MS: Final = 600_000
"""A view that is heard of again within this time (a second sending, a pause) does not begin."""
SENDERS_MAX: Final = 20_000
VIEWS_MAX: Final = 100_000
"""Senders and views remembered; those that began longest ago go first."""
_BEGINS: Final = frozenset((kinds.VIEW_INIT, kinds.PLAY))
_FIRST_SEQ_MAX: Final = 1
"""Numbers begin at 0 or at 1; a PLAY with a higher one goes on after a pause."""


class _Sender(msgspec.Struct, gc=False):
    """When a sender's last views began, oldest first, and until when it is marked."""

    begun_at: list[int]
    marked_until: int = 0


class Behaviour:
    """Counts the views each address and user agent begins.

    Args:
        views_per_minute: So many are still a person's; 0 is no limit.
    """

    def __init__(self, views_per_minute: int) -> None:
        self._most = views_per_minute
        self._senders: OrderedDict[bytes, _Sender] = OrderedDict()
        self._views: OrderedDict[bytes, int] = OrderedDict()

    def is_robot(
        self, address: str, user_agent: bytes, events: Sequence[Event | None], at_ms: int
    ) -> bool:
        """Count the views that begin in a batch of one viewer; return whether to mark it.

        Args:
            address: The client's; an IPv6 subscriber's /64 counts as one.
            user_agent: As sent.
            events: The batch; None where an event was refused.
            at_ms: Receipt, server clock.
        """
        if self._most <= 0:
            return False
        who = _hash(sender(address).encode(), user_agent)
        for event in events:
            view = None if event is None else _begun(event)
            if view is not None and self._is_new(_hash(who, view), at_ms):
                self._count(who, at_ms)
        known = self._senders.get(who)
        return known is not None and at_ms < known.marked_until

    def _count(self, who: bytes, at_ms: int) -> None:
        known = self._senders.setdefault(who, _Sender([]))
        self._senders.move_to_end(who)
        if len(self._senders) > SENDERS_MAX:
            self._senders.popitem(last=False)
        begun_at = known.begun_at
        begun_at.append(at_ms)
        # At most one more than the limit is kept: the oldest of them alone decides.
        del begun_at[: -self._most - 1]
        if len(begun_at) > self._most and at_ms - begun_at[0] < WINDOW_MS:
            known.marked_until = at_ms + MARKED_MS

    def _is_new(self, view: bytes, at_ms: int) -> bool:
        begun_at = self._views.get(view)
        if begun_at is not None and at_ms - begun_at < REMEMBERED_MS:
            return False
        self._views[view] = at_ms
        self._views.move_to_end(view)
        if len(self._views) > VIEWS_MAX:
            self._views.popitem(last=False)
        return True


def is_of_one(events: Sequence[Event | None]) -> bool:
    """Return whether a batch can be one browser's: it names one viewer and one session at most.

    Events that name neither are told apart by their view.
    """
    viewer = session = view = None
    for event in events:
        if event is None:
            continue
        if event.viewer_id:
            if viewer is not None and event.viewer_id != viewer:
                return False
            viewer = event.viewer_id
        if event.session_id:
            if session is not None and event.session_id != session:
                return False
            session = event.session_id
        elif event.view_id and not event.viewer_id:
            if view is not None and event.view_id != view:
                return False
            view = event.view_id
    return True


def _begun(event: Event) -> bytes | None:
    """Return the view or session that begins with an event, None if none does."""
    seq = event.seq
    if seq != 0 and (
        (seq is not None and seq > _FIRST_SEQ_MAX) or kinds.kind_of(event.event_type) not in _BEGINS
    ):
        return None
    named = event.view_id or event.session_id
    return named.encode("utf-8", "replace") if named else None


def _hash(one: bytes, other: bytes) -> bytes:
    mixed = hashlib.blake2b(one, digest_size=8)
    mixed.update(b"\0")
    mixed.update(other)
    return mixed.digest()
