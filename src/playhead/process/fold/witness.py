"""Two witnesses of one view: what another door tells, and what CMCD reports tell.

Each is folded for itself, with its own clock. One of them gives the row; of the other it takes
only what it does not know. So a player that sends both is counted once, and the order in which
the two arrive cannot matter.
"""

from collections.abc import Sequence
from typing import Any, Final

from playhead.model.view import ViewRow, version_of
from playhead.process.fold.startup import aggregate_ms
from playhead.process.fold.state import NONE, Limits, ViewState

_GROUPS: Final[tuple[tuple[str, ...], ...]] = (
    ("session_id",), ("viewer_id",), ("video_id",), ("host",), ("cdn",),
    ("country", "region", "city"), ("asn", "as_org"), ("device_class",), ("device_model",),
    ("os", "os_version"), ("browser", "browser_version"), ("player_name", "player_version"),
    ("connection_type",), ("experiment", "variant"),
    ("page_load_ms",), ("player_startup_ms",), ("drm_ms",),
    ("request_count", "request_failed_count", "request_bytes", "request_ms", "request_ttfb_ms",
     "request_ttfb_count", "request_ttfb_max_ms"),
)  # fmt: skip
_OF_VIDEO: Final[tuple[tuple[str, ...], ...]] = (
    ("video_title",), ("stream_type",), ("duration_s",),
)  # fmt: skip
_UNKNOWN: Final[frozenset[Any]] = frozenset(("", 0, None))


def named_id(view_id: str, ordinal: int) -> str:
    """Return the id of the n-th view (from 0) of a CMCD session: its `sid`, then with a number."""
    return f"{view_id}-{ordinal}" if ordinal else view_id


def cmcd_speaks(ordinal: int, heard: ViewState, *, numbered: bool) -> bool:
    """Return whether the row is made of the CMCD reports: nobody else numbers events.

    Args:
        ordinal: How many views of other videos came before in the same CMCD session.
        heard: The newest view by the CMCD reports.
        numbered: Another door's events of this view have sequence numbers.
    """
    return not numbered and (ordinal > 0 or heard.intent_at != NONE)


def unite(row: ViewRow, other: ViewRow, as_of_ms: int, limits: Limits) -> ViewRow:
    """Fill a row with what the other witness knows and it does not; times and counts stay."""
    same_video = not row.video_id or not other.video_id or row.video_id == other.video_id
    _fill(row, other, _OF_VIDEO if same_video else ())
    _fill(row, other, _GROUPS)
    row.aggregate_startup_ms = aggregate_ms(row.page_load_ms, row.player_startup_ms, row.startup_ms)
    if row.live_latency_ms is None:
        row.live_latency_ms = other.live_latency_ms
        row.live_latency_weight_ms = other.live_latency_weight_ms
    if row.autoplay is None:
        row.autoplay = other.autoplay
    custom = dict(row.custom)
    for key, value in other.custom.items():
        if len(custom) < limits.max_custom_keys:
            custom.setdefault(key, value)
    row.custom = custom
    row.bot = row.bot or other.bot
    row.internal = row.internal or other.internal
    row.events += other.events
    row.received_at = max(row.received_at, other.received_at)
    row.first_seen_day = min(row.first_seen_day, other.first_seen_day)
    row.last_offset = max(row.last_offset, other.last_offset)
    row.version = version_of(as_of_ms, row.events)
    return row


def _fill(row: ViewRow, other: ViewRow, groups: Sequence[tuple[str, ...]]) -> None:
    """Take each group as a whole, so that a country is never paired with another's city."""
    for names in groups:
        if getattr(row, names[0]) in _UNKNOWN:
            for name in names:
                setattr(row, name, getattr(other, name))
