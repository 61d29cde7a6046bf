"""Media requests of the player: how many, how many failed, how fast.

Throughput is bytes over time, so both are summed up over the same requests: those that were
answered and tell both. Latency is the time to the first byte, of whatever was answered.
"""

from typing import Final

from playhead.model.event import Event, Request
from playhead.process.fold.state import Limits, ViewState

BYTES_MAX: Final = 1e12
TIME_MAX_MS: Final = 3_600_000
"""A request that takes an hour is a broken measurement."""
FAILED_FROM: Final = 400
"""Lowest status of a failure; 0 is no response at all."""


def take(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Count one request."""
    del at, limits
    state.requests += 1
    name = event.event_type.lower()
    part = event.request
    status = None if part is None else part.status
    unanswered = status is not None and status <= 0
    # A player that cancels a request (to change the rendition) has no answer and no failure.
    failed = "fail" in name or (
        status is not None and "cancel" not in name and (unanswered or status >= FAILED_FROM)
    )
    state.requests_failed += failed
    if part is None or unanswered:
        return
    if not failed:
        _take_throughput(state, part)
    ttfb = part.ttfb_ms
    if ttfb is not None and 0 <= ttfb <= TIME_MAX_MS:
        state.ttfb_ms += ttfb
        state.ttfb_count += 1
        state.ttfb_max_ms = max(state.ttfb_max_ms, float(ttfb))


def _take_throughput(state: ViewState, part: Request) -> None:
    size, total = part.bytes, part.total_ms
    if size is None or total is None or not 0 <= size <= BYTES_MAX:
        return
    if 0 < total <= TIME_MAX_MS:
        state.request_bytes += size
        state.request_ms += total
