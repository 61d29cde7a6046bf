"""A whole key's events to rows: one view, views cut out of a session, or two witnesses of one."""

from collections.abc import Iterable
from hashlib import blake2b

from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold.finish import finish
from playhead.process.fold.state import Limits, ViewState, new_view
from playhead.process.fold.step import (
    CMCD,
    apply,
    cut_off,
    cuts,
    cuts_content,
    order_key,
    successor,
)
from playhead.process.fold.witness import cmcd_speaks, named_id, unite


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
    """Return the row of a view named by its client; the first one if CMCD reports are cut."""
    return fold_named(view_id, view_key, events, as_of_ms, limits)[0]


def fold_named(
    view_id: str, view_key: str, events: Iterable[Stored], as_of_ms: int, limits: Limits
) -> list[ViewRow]:
    """Return the rows of a key with a view id: the definition that every faster way must agree with.

    One, unless only CMCD tells of it: then each further video of the `sid` is a view of its own.
    """
    ordered = unique(events)
    told = [stored for stored in ordered if stored.door != CMCD]
    heard = [stored for stored in ordered if stored.door == CMCD]
    state = new_view(view_id, view_key)
    for stored in told:
        apply(state, stored, limits)
    if not heard:
        return [finish(state, as_of_ms, limits)]
    numbered = state.seq_count > 0
    views = _cut_named(view_id, view_key, heard, limits, numbered=numbered)
    rows = [finish(view, as_of_ms, limits) for view in views]
    if not told:
        return rows
    row = finish(state, as_of_ms, limits)
    if cmcd_speaks(len(views) - 1, views[-1], numbered=numbered):
        return [*rows[:-1], unite(rows[-1], row, as_of_ms, limits)]
    return [unite(row, rows[-1], as_of_ms, limits)]


def _cut_named(
    view_id: str, view_key: str, heard: list[Stored], limits: Limits, *, numbered: bool
) -> list[ViewState]:
    """Return the states of a CMCD session's views; one if somebody else speaks for it."""
    states = [new_view(view_id, view_key)]
    for stored in heard:
        if not numbered and cuts_content(states[-1], stored, limits):
            cut_off(states[-1], stored, limits)
            states.append(successor(states[-1], named_id(view_id, len(states))))
        apply(states[-1], stored, limits)
    return states


def fold_session(
    view_key: str, events: Iterable[Stored], as_of_ms: int, limits: Limits
) -> list[ViewRow]:
    """Return the rows of a session's views, in order."""
    return [finish(state, as_of_ms, limits) for state in cut_session(view_key, events, limits)]


def cut_session(view_key: str, events: Iterable[Stored], limits: Limits) -> list[ViewState]:
    """Return the states of a session's views: a new one after idle time or with another video."""
    states: list[ViewState] = []
    for stored in unique(events):
        if not states:
            states.append(new_view(derived_id(view_key, 0), view_key))
        elif cuts(states[-1], stored, limits):
            cut_off(states[-1], stored, limits)
            states.append(successor(states[-1], derived_id(view_key, len(states))))
        apply(states[-1], stored, limits)
    return states
