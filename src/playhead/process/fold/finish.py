"""The row of a view as it stands at a moment of the log: pure, the state stays as it is."""

from datetime import UTC, datetime
from typing import Any, Final

from playhead.model.states import Status
from playhead.model.view import FOLD_VERSION, SCORE_VERSION, ViewRow, version_of
from playhead.process.fold import clockwork, dimensions, marks, measures, scores, watched
from playhead.process.fold.intervals import add_up, segment
from playhead.process.fold.state import (
    IDLE,
    NONE,
    REBUFFERING,
    STARTING,
    UNKNOWN,
    Interval,
    Limits,
    ViewState,
)

FAR: Final = 9_999_999_999_999
"""No time at all: the row of a final view changes by no clock."""
TIME_MIN: Final = 1_000_000_000_000
TIME_MAX: Final = 9_999_999_999_999
"""Times are written as 13 digits (ms): September 2001 to 2286."""
_DAY_MS: Final = 86_400_000
_OPEN_STATUS: Final[dict[str, str]] = {
    "idle": Status.PAUSED.value,  # a player that stands ready: nobody watches
    "starting": Status.STARTING.value,
    "playing": Status.PLAYING.value,
    "rebuffering": Status.REBUFFERING.value,
    "seeking": Status.SEEKING.value,
    "paused": Status.PAUSED.value,
    "ad": Status.AD.value,
    "ad_rebuffering": Status.AD.value,
}
_days: dict[int, str] = {}
_DAYS_MAX: Final = 1_000


def due(state: ViewState, limits: Limits, after_ms: int = 0) -> int:
    """Return the next log time after `after_ms` at which the row changes without any event.

    First the end of the last state (`live_until`), then the idle close; `FAR` when final.
    """
    if state.closed or state.last_at == NONE:
        return FAR
    last = state.last_at + clockwork.applied_offset_ms(state)
    live_until = last + clockwork.timeout_ms(state, limits)
    if after_ms < live_until < last + limits.view_idle_ms:
        return live_until
    idle_at = last + limits.view_idle_ms
    return idle_at if after_ms < idle_at else FAR


def finish(state: ViewState, as_of_ms: int, limits: Limits) -> ViewRow:
    """Return the row at a log time. `duplicates` and `state` are the caller's to set.

    Args:
        state: Any state; it is not changed.
        as_of_ms: The log's own time, server clock.
        limits: The same as in `apply`.
    """
    offset = clockwork.applied_offset_ms(state)
    now = as_of_ms - offset
    timeout = clockwork.timeout_ms(state, limits)
    # After its end (a post-roll may run) a view lasts no longer than its events: its row is final.
    until = state.last_at if state.closed else min(now, state.last_at + timeout)
    intervals, hidden_ms = _with_tail(state, until)
    sums = dict(state.older)
    add_up(sums, intervals)
    row: dict[str, Any] = {
        "cdn": _main_cdn(state, sums),
        "seek_count": state.seeks,
        "pause_count": state.pauses,
        "ad_break_count": state.ad_breaks,
        "ad_count": state.ads,
        "errors": state.errors,
        "warnings": state.warnings,
        "fatal_error_code": state.fatal_code,
        "fatal_error_category": state.fatal_category,
        "score_version": SCORE_VERSION,
        "events": state.events,
        "events_missing": _missing(state, limits),
        "duplicates": 0,
        "clock_offset_ms": offset,
        "fold_version": FOLD_VERSION,
        "last_offset": state.last_offset,
        "version": version_of(as_of_ms, state.events),
        "state": "",
    }
    row |= _times(state, intervals, offset=offset, timeout=timeout)
    row |= _outcome(state, sums, now=now, timeout=timeout, limits=limits)
    row |= _spent(sums, hidden_ms)
    row |= _picture(state, sums)
    row |= dimensions.of(state)
    row |= marks.of(state, limits)
    row |= _watched(state, limits)
    row |= _columns(intervals, offset)
    return ViewRow(**row)


def _outcome(
    state: ViewState, sums: dict[str, float], *, now: int, timeout: int, limits: Limits
) -> dict[str, Any]:
    """Return how the view stands or ended, its startup, stalls and scores."""
    final = bool(state.closed) or clockwork.is_idle(state, now, limits)
    silent = not state.closed and now >= state.last_at + timeout
    failed = bool(state.fatal_category)
    business = state.fatal_business
    started = state.content_started
    abandoned = final and not failed and not state.started and state.intent_at != NONE
    startup_ms = state.startup_ms if state.startup_ms >= 0 else None
    stalls, perceptible = _stalls(state, now, limits)
    success = _success(state, sums, abandoned=abandoned, limits=limits)
    return {
        "status": _status(state, final=final, silent=silent),
        "final": final,
        "clean_end": state.clean_end,
        "startup_ms": startup_ms,
        "content_startup_ms": state.content_startup_ms if state.content_startup_ms >= 0 else None,
        "exit_before_start": abandoned,
        "startup_failed": failed and not business and not started,
        "startup_failed_business": business and not started,
        "playback_failed": failed and not business and started,
        "playback_failed_business": business and started,
        "rebuffer_count": stalls,
        "rebuffer_perceptible_count": perceptible,
        **_scores(state, sums, success=success, stalls=stalls, startup_ms=startup_ms),
        **measures.of(state, startup_ms=startup_ms, left=final and not failed),
    }


def _with_tail(state: ViewState, until: int) -> tuple[list[Interval], int]:
    """Return the intervals including the open segment up to a moment, and the hidden time."""
    intervals = state.intervals
    until = max(until, state.last_at)
    if state.mode == IDLE or state.intent_at == NONE or until <= state.since:
        return intervals, state.hidden_ms
    hidden_ms = state.hidden_ms
    tail = segment(state, until)
    if state.mode == STARTING and state.hidden:
        tail = (UNKNOWN, *tail[1:])
        hidden_ms += until - state.since
    return [*intervals, tail], hidden_ms


def _columns(intervals: list[Interval], offset: int) -> dict[str, Any]:
    """Return the interval columns in server time, equal neighbours merged."""
    columns: list[list[Any]]
    columns = [list(column) for column in zip(*_merged(intervals), strict=True)] or [[]] * 8
    starts, ends = columns[1], columns[2]
    if offset:
        starts = [moment + offset for moment in starts]
        ends = [moment + offset for moment in ends]
    if starts and (starts[0] < TIME_MIN or ends[-1] > TIME_MAX):
        starts, ends = [_time(moment) for moment in starts], [_time(moment) for moment in ends]
    columns[1], columns[2] = starts, ends
    return dict(zip(_INTERVAL_COLUMNS, columns, strict=False))


def _merged(intervals: list[Interval]) -> list[Interval]:
    """Join neighbours that differ in nothing the row shows: nearly always there are none."""
    before: Interval | None = None
    for interval in intervals:
        if before is not None and before[0] == interval[0] and _is_one(before, interval):
            break
        before = interval
    else:
        return intervals
    merged: list[Interval] = []
    for interval in intervals:
        if merged and _is_one(merged[-1], interval):
            last = merged[-1]
            merged[-1] = (*last[:2], interval[2], last[3], interval[4], *last[5:])
        else:
            merged.append(interval)
    return merged


def _is_one(before: Interval, after: Interval) -> bool:
    return before[0] == after[0] and before[2] == after[1] and before[5:8] == after[5:8]


_INTERVAL_COLUMNS: Final = (
    "interval_state", "interval_from", "interval_to", "interval_position_from_s",
    "interval_position_to_s", "interval_bitrate_kbps", "interval_height", "interval_cdn",
)  # fmt: skip


def _times(
    state: ViewState, intervals: list[Interval], *, offset: int, timeout: int
) -> dict[str, Any]:
    """Return the view's moments in server time."""
    started = state.intent_at if state.intent_at != NONE else state.first_at
    ended = max(intervals[-1][2], started) if intervals else started
    live_until = ended if state.closed else state.last_at + timeout
    return {
        "first_seen_day": _day(state.first_received_at),
        "started_at": _time(started + offset),
        "ended_at": _time(ended + offset),
        "last_event_at": _time(state.last_at + offset),
        "live_until": _time(live_until + offset),
        "received_at": _time(state.received_at),
    }


def _time(moment: int) -> int:
    return TIME_MIN if moment < TIME_MIN else min(moment, TIME_MAX)


def _day(received_at: int) -> str:
    number = _time(received_at) // _DAY_MS
    day = _days.get(number)
    if day is None:
        day = datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()
        if len(_days) < _DAYS_MAX:
            _days[number] = day
    return day


def _status(state: ViewState, *, final: bool, silent: bool) -> str:
    if not final:
        if silent and state.mode not in {"paused", "idle"}:
            return Status.SILENT.value
        return _OPEN_STATUS[state.mode]
    if state.fatal_category:
        return Status.FAILED.value
    if state.closed == "ended":
        return Status.ENDED.value
    if not state.started and state.intent_at != NONE:
        return Status.ABANDONED.value
    return Status.STOPPED.value


def _stalls(state: ViewState, now: int, limits: Limits) -> tuple[int, int]:
    """Return the number of stalls and of perceptible ones, the open one included."""
    if state.stall_since == NONE:
        return state.stalls, state.stalls_perceptible
    end = state.recovered_at if state.recovered_from == REBUFFERING else max(now, state.last_at)
    return state.stalls + 1, state.stalls_perceptible + (
        end - state.stall_since >= limits.stall_min_ms
    )


def _spent(sums: dict[str, float], hidden_ms: int) -> dict[str, Any]:
    """Return the time spent in each state (ms)."""
    get = sums.get
    playing = float(get("playing", 0))
    starting = float(get("starting", 0))
    rebuffering = float(get("rebuffering", 0))
    seeking = float(get("seeking", 0))
    ad = float(get("ad", 0))
    ad_rebuffering = float(get("ad_rebuffering", 0))
    return {
        "playing_ms": playing,
        "watch_ms": starting + playing + rebuffering + seeking + ad + ad_rebuffering,
        "starting_ms": starting,
        "rebuffer_ms": rebuffering,
        "rebuffer_max_ms": float(get("rebuffering_max", 0)),
        "seek_ms": seeking,
        "seek_latency_max_ms": get("seeking_max"),
        "pause_ms": float(get("paused", 0)),
        "ad_ms": ad,
        "ad_rebuffer_ms": ad_rebuffering,
        "hidden_ms": float(hidden_ms),
        "unknown_ms": float(max(0, get(UNKNOWN, 0) - hidden_ms)),
    }


def _picture(state: ViewState, sums: dict[str, float]) -> dict[str, Any]:
    """Return the picture's averages, each with the playing time it is weighted by."""
    get = sums.get
    bitrate_ms = get("bitrate_ms", 0)
    bits, media_ms, peak = get("bitrate", 0.0), bitrate_ms, get("bitrate_max", 0.0)
    average = bits / bitrate_ms if bitrate_ms else 0.0
    if "bits" in sums:
        bits = max(0.0, bits + sums["bits"])
        media_ms = max(0.0, media_ms + sums["media_ms"])
    scale_ms = get("scale_ms", 0)
    scaled = scale_ms > 0
    return {
        # Rounding may lift an average above its only value.
        "bitrate_kbps": min(peak, average) if bitrate_ms else None,
        "bitrate_weight_ms": float(bitrate_ms),
        "peak_bitrate_kbps": peak if bitrate_ms else None,
        "bits_played": bits / 1000.0,
        "media_s": media_ms / 1000.0,
        "upscale_avg": sums["up"] / scale_ms if scaled else None,
        "upscale_max": sums["up_max"] if scaled else None,
        "downscale_avg": sums["down"] / scale_ms if scaled else None,
        "downscale_max": sums["down_max"] if scaled else None,
        "scale_weight_ms": float(scale_ms),
        "upshifts": state.upshifts,
        "downshifts": state.downshifts,
        "dropped_frames": _frames(state.dropped_before, state.dropped_last),
        "decoded_frames": _frames(state.decoded_before, state.decoded_last),
        "live_latency_ms": (
            state.latency_sum / state.latency_weight_ms if state.latency_weight_ms else None
        ),
        "live_latency_weight_ms": float(state.latency_weight_ms),
    }


def _frames(before: float, last: float) -> float | None:
    return before + last if last >= 0 else None


def _success(
    state: ViewState, sums: dict[str, float], *, abandoned: bool, limits: Limits
) -> float | None:
    """Return the success score; None for business exceptions and for those who did not wait."""
    if state.fatal_category:
        return None if state.fatal_business else scores.FAILED
    if state.started:
        return scores.SUCCESS
    if abandoned and sums.get(STARTING, 0) >= limits.abandon_score_ms:
        return scores.ABANDONED
    return None


def _scores(
    state: ViewState,
    sums: dict[str, float],
    *,
    success: float | None,
    stalls: int,
    startup_ms: float | None,
) -> dict[str, Any]:
    """Return the scores: parts that the view has no value for are None."""
    startup = smooth = quality = None
    if success is not None and state.started:
        if startup_ms is not None:
            startup = scores.startup_score(startup_ms)
        get = sums.get
        watch = (
            get("playing", 0) + get("rebuffering", 0) + get("starting", 0) + get("seeking", 0)
            + get("ad", 0) + get("ad_rebuffering", 0)
        )  # fmt: skip
        if watch > 0:
            smooth = scores.smooth_score(stalls, get("rebuffering", 0) / watch)
        if "scale_ms" in sums:
            quality = scores.quality_score(sums["up_max"], sums["up"] / sums["scale_ms"])
    return {
        "score": scores.overall_score(success, smooth, startup, quality),
        "score_success": success,
        "score_startup": startup,
        "score_smooth": smooth,
        "score_quality": quality,
    }


def _main_cdn(state: ViewState, sums: dict[str, float]) -> str:
    """Return the CDN with the most playing time (ties by name), else the latest named."""
    best, most = "", 0.0
    for key, length in sums.items():
        if key[:4] == "cdn:" and (length > most or (length == most and key[4:] < best)):
            best, most = key[4:], length
    return best or state.cdn


def _watched(state: ViewState, limits: Limits) -> dict[str, Any]:
    ranges = state.ranges
    if state.run_from >= 0 and state.run_to > state.run_from:
        ranges = ranges.copy()
        watched.insert(ranges, (state.run_from, state.run_to), limits.max_watched_ranges)
    return {
        "watched_from_s": [start for start, _ in ranges],
        "watched_to_s": [end for _, end in ranges],
        "content_played_s": state.content_played_s,
    }


def _missing(state: ViewState, limits: Limits) -> int:
    """Return the gaps in `seq`; a client may count from 0 or from 1."""
    if not state.seq_count:
        return 0
    missing = state.seq_max - state.seq_min + 1 - state.seq_count
    if state.seq_min > 1:
        missing += state.seq_min
    return max(0, min(missing, limits.max_events_missing))
