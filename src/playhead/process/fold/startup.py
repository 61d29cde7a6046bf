"""The start in parts: the page, the player, the key. The video's own start is in `progress.py`.

What the client tells wins. The player's start can also be seen: from the first `VIEW_INIT` to the
first `PLAYER_READY`, both before the first frame.
"""

from typing import Final

from playhead.model.event import Event
from playhead.process.fold.state import NONE, NOWHERE, Limits, ViewState

PART_MAX_MS: Final = 3_600_000
"""A page, a player or a key that takes an hour is a broken measurement."""
_TOO_EARLY: Final = frozenset(("loadstart", "LOADSTART"))
"""Aliases of `PLAYER_READY` that a browser raises as it begins to load: nothing is ready yet."""


def init(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The player is being made."""
    del event, limits
    if state.init_at == NONE and not state.started:
        state.init_at = at


def ready(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """The player is ready: how long it took, unless it was told."""
    del limits
    if (
        state.player_startup_ms < 0 and state.init_at != NONE and not state.started
        and event.event_type not in _TOO_EARLY and at - state.init_at <= PART_MAX_MS
    ):  # fmt: skip
        state.player_startup_ms = float(at - state.init_at)


def take(state: ViewState, event: Event) -> None:
    """Take what the client timed itself, each part once: later ones belong to no start."""
    page, player, drm = event.page_load_ms, event.player_startup_ms, event.drm_ms
    if page is not None and state.page_load_ms < 0 and 0 <= page <= PART_MAX_MS:
        state.page_load_ms = float(page)
    if player is not None and not state.player_startup_told and 0 <= player <= PART_MAX_MS:
        state.player_startup_told = True
        state.player_startup_ms = float(player)
    if drm is not None and state.drm_ms < 0 and 0 <= drm <= PART_MAX_MS:
        state.drm_ms = float(drm)


def known(part_ms: float) -> float | None:
    """Return a part of the start (ms) as the row has it: None where it is not known."""
    return part_ms if part_ms > NOWHERE else None


def aggregate_ms(
    page_load_ms: float | None, player_startup_ms: float | None, startup_ms: float | None
) -> float | None:
    """Return the whole wait (ms) from navigation to the first frame; None where a part is missing.

    Only the first view of a page has a page load, so only that one has a value (metrics.md 1.1).
    """
    if page_load_ms is None or player_startup_ms is None or startup_ms is None:
        return None
    return page_load_ms + player_startup_ms + startup_ms
