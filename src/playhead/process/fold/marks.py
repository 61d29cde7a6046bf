"""Marks of a view: a robot's, and your own staff's. The door marks batches, the fold views.

A batch may hold many viewers, so what one event says of itself is taken here: the word of the
client, its viewer id, and a pace that no player has. The view's whole life is the measure, not its
playing time: states may be reported wrongly, but nobody plays more than life and rate allow.
"""

from typing import Any, Final

from playhead.model.pattern import any_of
from playhead.process.fold.progress import RATE_MAX
from playhead.process.fold.state import NONE, Limits, ViewState

WEBDRIVER: Final = "webdriver"
"""Custom value that hands on `navigator.webdriver`."""
ROBOTS: Final = frozenset(("bot", "crawler", "robot"))
"""Categories of a device that say so themselves."""
PLAYED_SPARE_S: Final = 60.0
"""Content played beyond the view's life times the highest rate: more is no player's."""
PACED_EVENTS_MIN: Final = 500
PACED_EVENTS_PER_S: Final = 100.0
"""More events a second on average, over so many events, come from no player."""


def of(state: ViewState, limits: Limits) -> dict[str, Any]:
    """Return the marks of a view's row."""
    return {
        "bot": state.bot or says_so(state) or is_too_fast(state),
        "internal": state.internal or _is_staff(state, limits),
    }


def says_so(state: ViewState) -> bool:
    """Return whether the client calls itself a robot."""
    return state.custom.get(WEBDRIVER) == "true" or state.device_class.lower() in ROBOTS


def is_too_fast(state: ViewState) -> bool:
    """Return whether more was played, or told, than a player can in the view's life."""
    if state.first_at == NONE:
        return False
    life_s = max(0, state.last_at - state.first_at) / 1000
    return state.content_played_s > life_s * RATE_MAX + PLAYED_SPARE_S or (
        state.events >= PACED_EVENTS_MIN and state.events > life_s * PACED_EVENTS_PER_S
    )


def _is_staff(state: ViewState, limits: Limits) -> bool:
    viewers = any_of(limits.internal_viewers)
    return bool(viewers and state.viewer_id and viewers.match(state.viewer_id))
