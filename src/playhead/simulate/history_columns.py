"""The columns of a made-up view row, each an expression over the draws of `history_draws.py`."""

from datetime import date

from playhead.model.view import FOLD_VERSION, SCORE_VERSION
from playhead.simulate.abr import LADDER
from playhead.simulate.audience import COUNTRIES, DEVICES, DeviceModel
from playhead.simulate.history_draws import of_index, quoted, titles
from playhead.simulate.network import ACCESS, CDNS
from playhead.simulate.player import LIVE_LATENCY_MS

_KBPS = "[" + ", ".join(str(rung.bitrate_kbps) for rung in LADDER) + "]"
_HEIGHTS = "[" + ", ".join(str(rung.height) for rung in LADDER) + "]"
VIEW_IDLE_MS = 3_600_000


def totals() -> list[tuple[str, str]]:
    """Return what several columns share, as (name, expression): shown sizes, weights, scores."""
    player_height = _device("height * pixel_ratio")
    return [
        ("kbps_low", f"{_KBPS}[ri_low]"), ("kbps", f"{_KBPS}[ri]"),
        ("height_low", f"{_HEIGHTS}[ri_low]"), ("height_main", f"{_HEIGHTS}[ri]"),
        ("player_height", player_height),
        ("watched", "starting + ad + playing + stalled + seek"),
        ("c_cdn", of_index([cdn.name for cdn in CDNS], "di_cdn")),
        ("c_started", "began"),
        ("c_ended", "began + lasted"),
        ("is_ebvs", "is_left"),
        ("page", "if(intDiv(h_id, 1000) % 10 < 6, 300 + 8 * latency + h_id % 700, NULL)"),
        ("ready", "150 + 2 * latency + intDiv(h_id, 1000) % 400"),
        ("bits", "kbps_low * low + kbps * rest"),
        ("is_adless", "is_started AND ads > 0 AND ad = 0"),
        ("asked", "if(is_started, toUInt32(3 + intDiv(playing, 4000)), 1)"),
        ("unserved", "toUInt32(is_refused AND NOT is_business) + 3 * toUInt32(is_broken)"),
        ("served", "asked - unserved"),
        ("from_s", "if(is_live, toFloat64(began % 86400000) / 1000, 0.)"),
        ("up_low", "greatest(0., player_height / height_low - 1)"),
        ("up_main", "greatest(0., player_height / height_main - 1)"),
        ("down_low", "greatest(0., 1 - player_height / height_low)"),
        ("down_main", "greatest(0., 1 - player_height / height_main)"),
        ("frames", "playing * fps / 1000"),
        ("up_avg", "(up_low * low + up_main * rest) / nullIf(playing, 0)"),
        ("up_max", "if(low > 0, greatest(up_low, up_main), up_main)"),
        ("s_startup", "800 / (8 + starting / 1000)"),
        ("s_smooth", ("(100 / sqrt(1 + pow(stalls / 2, 2))"
         " + 100 * exp(-10 * stalled / watched)) / 2")),
        ("s_quality", "100 * exp(-0.33 * (0.15 * up_max + 0.85 * up_avg))"),
        ("s_success", "if(is_refused OR is_broken, 0., if(is_left, 50., 100.))"),
    ]  # fmt: skip


def columns_of(day: date, seed: int) -> dict[str, str]:
    """Return the expression of every column of the `views` table, by name."""
    return {
        **_who_and_what(seed), **_when(day), **_startup(), **_times(), **_ads(), **_picture(),
        **_requests(), **_ends(), **_scores(), **_dimensions(), **_arrays(), **_books(),
    }  # fmt: skip


def _device(what: str) -> str:
    """Return a field of the device, or its height in device pixels."""
    if what == "height * pixel_ratio":
        return of_index([float(device.height * device.pixel_ratio) for device in DEVICES], "dev")
    return of_index([getattr(device, what) for device in DEVICES], "dev")


def _time(milliseconds: str) -> str:
    return f"fromUnixTimestamp64Milli(toInt64({milliseconds}), 'UTC')"


def _who_and_what(seed: int) -> dict[str, str]:
    shelf = titles(seed)
    digits = "substring(lower(hex(toUInt64(began))), -12)"
    noise = "lower(hex(h_id))"
    more = "lower(hex(cityHash64(number, h_seed, 'id 2')))"
    view_id = (
        f"concat(substring({digits}, 1, 8), '-', substring({digits}, 9, 4), '-7',"
        f" substring({noise}, 1, 3), '-a', substring({noise}, 4, 3), '-', substring({more}, 1, 12))"
    )
    return {
        "view_id": view_id,
        "view_key": f"concat('default/', {view_id})",
        "property": "'default'",
        "session_id": "concat('session-', lower(hex(cityHash64(number, h_seed, 'session'))))",
        "viewer_id": "concat('viewer-', lower(hex(h_viewer)))",
        "video_id": of_index([title.video_id for title in shelf], "ti"),
        "video_title": of_index([title.name for title in shelf], "ti"),
        "stream_type": "if(is_live, 'live', 'vod')",
        "duration_s": "if(is_live, NULL, title_ms / 1000)",
    }


def _when(day: date) -> dict[str, str]:
    silent = "if(is_clean, 0, 30000)"
    return {
        "first_seen_day": f"toDate('{day.isoformat()}')",
        "started_at": _time("c_started"),
        "ended_at": _time("c_ended"),
        "last_event_at": _time(f"c_ended - least({silent}, 5000)"),
        "live_until": _time("c_ended"),
        "received_at": _time("c_ended"),
        "status": "multiIf(is_refused OR is_broken, 'failed', is_left, 'abandoned',"
                  " reaches_end, 'ended', 'stopped')",
        "final": "1",
        "clean_end": "is_clean",
    }  # fmt: skip


def _startup() -> dict[str, str]:
    return {
        "startup_ms": "if(is_started, starting, NULL)",
        "content_startup_ms": "if(is_started, starting, NULL)",
        "page_load_ms": "page",
        "player_startup_ms": "ready",
        "aggregate_startup_ms": "if(is_started, page + ready + starting, NULL)",
        "drm_ms": "if(is_started AND intDiv(h_id, 10) % 4 = 0, 80 + 4 * latency, NULL)",
        "exit_before_start": "is_left",
        "startup_failed": "is_refused",
        "startup_failed_business": "is_business",
        "playback_failed": "is_broken",
        "playback_failed_business": "0",
    }


def _times() -> dict[str, str]:
    return {
        "playing_ms": "playing",
        "watch_ms": "watched",
        "starting_ms": "starting",
        "rebuffer_count": "stalls",
        "rebuffer_perceptible_count": "stalls",
        "rebuffer_ms": "stalled",
        "rebuffer_max_ms": "if(stalls > 0, stall_each, 0)",
        "seek_count": "seek > 0",
        "seek_ms": "seek",
        "seek_latency_max_ms": "if(seek > 0, seek, NULL)",
        "pause_count": "pause > 0",
        "pause_ms": "pause",
        "hidden_ms": "0",
        "unknown_ms": "0",
    }


def _ads() -> dict[str, str]:
    """Return the pre-roll: one request, its ad plays to the end, or fails before its first frame."""
    return {
        "ad_break_count": "ad > 0",
        "ad_count": "ad > 0",
        "ad_ms": "ad",
        "ad_rebuffer_ms": "0",
        "ad_request_count": "ads > 0 AND NOT is_refused",
        "ad_error_count": "is_adless",
        "ad_startup_error_count": "is_adless",
        "ad_exit_before_start_count": "is_left AND ads > 0",
        "ad_complete_count": "ad > 0",
        "ad_skip_count": "0",
        "preroll_request_count": "ads > 0 AND NOT is_refused",
        "preroll_startup_ms": "if(ad > 0, starting, NULL)",
        "preroll_request_ms": "if(ad > 0, intDiv(starting, 8), NULL)",
        "preroll_load_ms": "if(ad > 0, intDiv(starting, 4), NULL)",
    }


def _requests() -> dict[str, str]:
    return {
        "request_count": "asked",
        "request_failed_count": "unserved",
        "request_bytes": "bits / 8",
        "request_ms": "bits / rate + served * latency",
        "request_ttfb_ms": "served * (latency + 20)",
        "request_ttfb_count": "served",
        "request_ttfb_max_ms": "if(served > 0, latency + 20, NULL)",
    }


def _picture() -> dict[str, str]:
    return {
        "bitrate_kbps": "bits / nullIf(playing, 0)",
        "bitrate_weight_ms": "playing",
        "peak_bitrate_kbps": "if(playing > 0, kbps, NULL)",
        "bits_played": "bits / 1000",
        "media_s": "playing / 1000",
        "upshifts": "low > 0",
        "downshifts": "0",
        "upscale_avg": "up_avg",
        "upscale_max": "if(is_started, up_max, NULL)",
        "downscale_avg": "(down_low * low + down_main * rest) / nullIf(playing, 0)",
        "downscale_max": "if(is_started, if(low > 0, greatest(down_low, down_main), down_main),"
                         " NULL)",
        "scale_weight_ms": "playing",
        "dropped_frames": f"if(is_started, floor(frames * {_device('drop_rate')}), NULL)",
        "decoded_frames": "if(is_started, floor(frames), NULL)",
        "live_latency_ms": f"if(is_started AND is_live, {LIVE_LATENCY_MS} + stalled, NULL)",
        "live_latency_weight_ms": "if(is_live, playing, 0)",
    }  # fmt: skip


def _ends() -> dict[str, str]:
    business = "['geo_blocked', 'not_entitled', 'too_many_streams']"
    return {
        "errors": "is_refused OR is_broken",
        "warnings": "toUInt32(stalls > 2) + is_adless",
        "fatal_error_code": f"multiIf(is_business, {business}[1 + h_id % 3],"
                            " is_refused, 'manifestLoadError', is_broken, 'fragLoadError', '')",
        "fatal_error_category": "multiIf(is_business, 'business', is_refused OR is_broken,"
                                " 'technical', '')",
    }  # fmt: skip


def _scores() -> dict[str, str]:
    mean = "exp(0.45 * log(s_smooth) + 0.30 * log(s_startup) + 0.25 * log(s_quality))"
    return {
        "score": f"if(is_started, s_success / 100 * {mean}, s_success)",
        "score_success": "s_success",
        "score_startup": "if(is_started, s_startup, NULL)",
        "score_smooth": "if(is_started, s_smooth, NULL)",
        "score_quality": "if(is_started, s_quality, NULL)",
        "score_version": str(SCORE_VERSION),
    }


def _dimensions() -> dict[str, str]:
    empty = ("city", "as_org")
    fields: tuple[tuple[str, str], ...] = (
        ("device_class", "category"), ("device_model", "model"), ("os", "os"),
        ("os_version", "os_version"), ("browser", "browser"),
        ("browser_version", "browser_version"), ("player_name", "player_name"),
        ("player_version", "player_version"),
    )  # fmt: skip
    assert all(name in DeviceModel.__struct_fields__ for _, name in fields)  # noqa: S101
    return {
        "cdn": "c_cdn",
        "host": of_index([cdn.host for cdn in CDNS], "di_cdn"),
        "country": of_index([country.code for country in COUNTRIES], "ci"),
        "region": "d_region",
        "asn": "d_asn",
        **dict.fromkeys(empty, "''"),
        **{column: _device(name) for column, name in fields},
        "connection_type": of_index([access.connection for access in ACCESS.values()], "ai"),
        "experiment": quoted("start-rendition"),
        "variant": "if(h_id % 2 = 0, 'control', 'low-start')",
        "has_ad": "ad > 0",
        "autoplay": "h_id % 3 = 0",
        "bot": "0",
        "internal": "0",
        "custom": "map('plan', ['free', 'basic', 'premium'][1 + h_id % 3])",
    }


def _arrays() -> dict[str, str]:
    ends = "from_s + arrayElement(a_at, -1) / 1000"
    return {
        "watched_from_s": "if(is_started, if(seek > 0, [from_s, from_s + (low + jump) / 1000],"
                          " [from_s]), [])",
        "watched_to_s": f"if(is_started, if(seek > 0, [from_s + low / 1000, {ends}], [{ends}]),"
                        " [])",
        "content_played_s": "playing / 1000",
        "interval_state": "a_state",
        "interval_from": "arrayMap((e, l) -> began + e - l, a_end, a_ms)",
        "interval_to": "arrayMap(e -> began + e, a_end)",
        "interval_position_from_s": "arrayMap((p, m) -> from_s + (p - m) / 1000, a_at, a_moved)",
        "interval_position_to_s": "arrayMap(p -> from_s + p / 1000, a_at)",
        "interval_bitrate_kbps": f"arrayMap(r -> if(r = 0, 0, {_KBPS}[r]), a_rung)",
        "interval_height": f"arrayMap(r -> if(r = 0, 0, {_HEIGHTS}[r]), a_rung)",
        "interval_cdn": "arrayMap(s -> c_cdn, a_state)",
    }  # fmt: skip


def _books() -> dict[str, str]:
    as_of = f"toUInt64(c_ended + {VIEW_IDLE_MS})"
    events = "toUInt64(4 + intDiv(watched + pause, 10000) + 2 * stalls)"
    return {
        "events": events,
        "events_missing": "0",
        "duplicates": "0",
        "clock_offset_ms": "0",
        "fold_version": str(FOLD_VERSION),
        "last_offset": "0",
        "version": f"{FOLD_VERSION << 58} + bitShiftLeft({as_of}, 16)"
                   f" + bitAnd({events}, 65535)",
        "state": "''",
    }  # fmt: skip
