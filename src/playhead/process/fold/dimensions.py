"""Dimensions: who watched what, with what, from where.

First non-empty value wins for whatever identifies (viewer, session, video, player, experiment,
place, device); the latest wins for what may change and is not timed (host, connection, duration,
custom values); the CDN is part of every interval, and the row names the one with the most playing
time. Place and device come from one context as a whole, so a country is never paired with the
city of another batch. What the client says of its device wins over the door's guess.
"""

from typing import Any

from playhead.model.event import Context, Device, Event
from playhead.process.fold.state import Limits, ViewState

DURATION_MAX_S = 1e8
"""Three years: what is longer is no duration."""
INTEGER_MAX = 1 << 63


def take_context(state: ViewState, context: Context, limits: Limits) -> None:
    """Take place and device of the first batch that knows them; marks of any batch."""
    most = limits.max_string
    if not state.property:
        state.property = context.property[:most]
    if context.country and not state.country:
        state.country = context.country[:most]
        state.region = context.region[:most]
        state.city = context.city[:most]
    if context.asn and not state.asn:
        state.asn = context.asn
        state.as_org = context.as_org[:most]
    if not state.context_device_class:
        state.context_device_class = context.device_class[:most]
    if context.os and not state.context_os:
        state.context_os = context.os[:most]
        state.context_os_version = context.os_version[:most]
    if context.browser and not state.context_browser:
        state.context_browser = context.browser[:most]
        state.context_browser_version = context.browser_version[:most]
    if not state.anonymous_id:
        state.anonymous_id = context.anonymous_id[:most]
    state.bot = state.bot or bool(context.bot)
    state.internal = state.internal or bool(context.internal)


def is_new(state: ViewState, context: Context) -> bool:
    """Return whether a context knows something that the view does not: the cheap question."""
    return bool(
        (context.country and not state.country)
        or (context.asn and not state.asn)
        or (context.device_class and not state.context_device_class)
        or (context.os and not state.context_os)
        or (context.browser and not state.context_browser)
        or (context.bot and not state.bot)
        or (context.internal and not state.internal)
        or (context.anonymous_id and not state.anonymous_id)
    )


def take(state: ViewState, event: Event, limits: Limits) -> None:
    """Take what the event says of viewer, video and player."""
    most = limits.max_string
    if event.session_id and not state.session_id:
        state.session_id = event.session_id[:most]
    if event.viewer_id and not state.viewer_id:
        state.viewer_id = event.viewer_id[:most]
    if event.video_id and not state.video_id:
        state.video_id = event.video_id[:most]
    if event.video_title and not state.video_title:
        state.video_title = event.video_title[:most]
    if event.stream_type and not state.stream_type:
        state.stream_type = event.stream_type[:most].lower()
    if event.duration_sec is not None and 0 < event.duration_sec <= DURATION_MAX_S:
        state.duration_s = float(event.duration_sec)
    if event.host:
        state.host = event.host[:most]
    if event.player_name or event.player_version or event.experiment or event.autoplay is not None:
        _take_player(state, event, most)
    if event.device is not None:
        take_device(state, event.device, most)
    if event.network is not None and event.network.effective_type:
        state.connection_type = event.network.effective_type[:most]
    if event.custom:
        take_custom(state, event.custom, limits)


def _take_player(state: ViewState, event: Event, most: int) -> None:
    if event.player_name and not state.player_name:
        state.player_name = event.player_name[:most]
    if event.player_version and not state.player_version:
        state.player_version = event.player_version[:most]
    if event.experiment and not state.experiment:
        state.experiment = event.experiment[:most]
        state.variant = (event.variant or "")[:most]
    if event.autoplay is not None and state.autoplay is None:
        state.autoplay = bool(event.autoplay)


def take_device(state: ViewState, device: Device, most: int) -> None:
    """Take what the client says of its device, first value first."""
    if device.category and not state.device_class:
        state.device_class = device.category[:most]
    if device.model and not state.device_model:
        state.device_model = device.model[:most]
    if device.os and not state.os:
        state.os = device.os[:most]
        state.os_version = (device.os_version or "")[:most]
    if device.browser and not state.browser:
        state.browser = device.browser[:most]
        state.browser_version = (device.browser_version or "")[:most]


def take_custom(state: ViewState, custom: dict[str, Any], limits: Limits) -> None:
    """Take custom values as text, latest first; keys beyond the limit are left out."""
    for key in sorted(custom):
        text = _text(custom[key])
        name = key[: limits.max_string]
        if text is None or not name:
            continue
        if name in state.custom or len(state.custom) < limits.max_custom_keys:
            state.custom[name] = text[: limits.max_string]


def _text(value: Any) -> str | None:
    """Return a custom value as text; lists, objects and null have none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -INTEGER_MAX <= value < INTEGER_MAX else None
    if isinstance(value, float):
        return repr(value)
    return None


def of(state: ViewState) -> dict[str, Any]:
    """Return the dimensions of a view's row, but for the CDN."""
    own_os, own_browser = state.os, state.browser
    return {
        "view_id": state.view_id,
        "view_key": state.view_key,
        "property": state.property,
        "session_id": state.session_id,
        "viewer_id": state.viewer_id or state.anonymous_id,
        "video_id": state.video_id,
        "video_title": state.video_title,
        "stream_type": state.stream_type,
        "duration_s": state.duration_s if state.duration_s >= 0 else None,
        "host": state.host,
        "country": state.country,
        "region": state.region,
        "city": state.city,
        "asn": state.asn,
        "as_org": state.as_org,
        "device_class": state.device_class or state.context_device_class,
        "device_model": state.device_model,
        "os": own_os or state.context_os,
        "os_version": state.os_version if own_os else state.context_os_version,
        "browser": own_browser or state.context_browser,
        "browser_version": (
            state.browser_version if own_browser else state.context_browser_version
        ),
        "player_name": state.player_name,
        "player_version": state.player_version,
        "connection_type": state.connection_type,
        "experiment": state.experiment,
        "variant": state.variant,
        "has_ad": state.has_ad,
        "autoplay": state.autoplay,
        "custom": state.custom,
    }
