"""Measures that few views have: start-up in parts, ads, requests. The others keep the defaults."""

from typing import Any

from playhead.process.fold import ads, startup
from playhead.process.fold.state import NONE, ViewState


def of(state: ViewState, *, startup_ms: float | None, left: bool) -> dict[str, Any]:
    """Return these columns of a view's row.

    Args:
        state: Any state; it is not changed.
        startup_ms: As the row has it.
        left: The view is over, and no error ended it.
    """
    row: dict[str, Any] = {}
    if state.page_load_ms >= 0 or state.player_startup_ms >= 0 or state.drm_ms >= 0:
        page, player = startup.known(state.page_load_ms), startup.known(state.player_startup_ms)
        row = {
            "page_load_ms": page,
            "player_startup_ms": player,
            "aggregate_startup_ms": startup.aggregate_ms(page, player, startup_ms),
            "drm_ms": startup.known(state.drm_ms),
        }
    if state.has_ad or state.ad_requests or state.ad_errors:
        row.update(_ads(state, left=left))
    if state.requests:
        row.update(_requests(state))
    return row


def _ads(state: ViewState, *, left: bool) -> dict[str, Any]:
    return {
        "ad_request_count": state.ad_requests,
        "ad_error_count": state.ad_errors,
        "ad_startup_error_count": state.ad_startup_errors,
        "ad_exit_before_start_count": int(
            left and state.intent_at != NONE and ads.is_awaited(state)
        ),
        "ad_complete_count": state.ads_completed,
        "ad_skip_count": state.ads_skipped,
        "preroll_request_count": state.preroll_requests,
        "preroll_startup_ms": startup.known(state.preroll_startup_ms),
        "preroll_request_ms": startup.known(state.preroll_request_ms),
        "preroll_load_ms": startup.known(state.preroll_load_ms),
    }


def _requests(state: ViewState) -> dict[str, Any]:
    return {
        "request_count": state.requests,
        "request_failed_count": state.requests_failed,
        "request_bytes": state.request_bytes,
        "request_ms": state.request_ms,
        "request_ttfb_ms": state.ttfb_ms,
        "request_ttfb_count": state.ttfb_count,
        "request_ttfb_max_ms": state.ttfb_max_ms if state.ttfb_count else None,
    }
