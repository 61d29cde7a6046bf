"""Views of clients without view ids: cut out of a session's events."""

from collections.abc import Iterable
from hashlib import blake2b

from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold.finish import finish
from playhead.process.fold.state import Limits, ViewState, new_view
from playhead.process.fold.step import apply, cut_off, cuts, order_key


def derived_id(view_key: str, ordinal: int) -> str:
    """Return the id of the n-th view (from 0) of a session: hash of its key, then the ordinal."""
    return f"{blake2b(view_key.encode(), digest_size=8).hexdigest()}-{ordinal}"


def unique(events: Iterable[Stored]) -> list[Stored]:
    """Return the events in order, each identity once.

    Of a repeated event the copy received first stays, so a retry changes nothing.
    """
    first: dict[int, Stored] = {}
    for stored in events:
        known = first.get(stored.identity)
        if known is None or _arrival(stored) < _arrival(known):
            first[stored.identity] = stored
    return sorted(first.values(), key=order_key)


def _arrival(stored: Stored) -> tuple[int, int, int]:
    return (stored.received_at, stored.offset, stored.index)


def fold(
    view_id: str, view_key: str, events: Iterable[Stored], as_of_ms: int, limits: Limits
) -> ViewRow:
    """Return the row of a view: the definition that every faster way must agree with."""
    state = new_view(view_id, view_key)
    for stored in unique(events):
        apply(state, stored, limits)
    return finish(state, as_of_ms, limits)


def fold_session(
    view_key: str, events: Iterable[Stored], as_of_ms: int, limits: Limits
) -> list[ViewRow]:
    """Return the rows of a session's views, in order."""
    return [finish(state, as_of_ms, limits) for state in cut_session(view_key, events, limits)]


def cut_session(view_key: str, events: Iterable[Stored], limits: Limits) -> list[ViewState]:
    """Return the states of a session's views: a new one after idle time or with another video."""
    states: list[ViewState] = []
    for stored in unique(events):
        if not states or cuts(states[-1], stored, limits):
            if states:
                cut_off(states[-1], stored, limits)
            states.append(new_view(derived_id(view_key, len(states)), view_key))
        apply(states[-1], stored, limits)
    return states
