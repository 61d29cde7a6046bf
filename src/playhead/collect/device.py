"""What a request was sent from: what the client says first, then its user agent."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import ua_parser

from playhead.collect.device_rules import PROGRAM, RULES
from playhead.model.event import Device, Event

CLASSES: Final = (
    "tv", "set_top", "console", "phone", "tablet", "desktop", "speaker", "bot", "unknown",
)  # fmt: skip
USER_AGENT_MAX: Final = 512
"""Characters of a user agent that are looked at."""
_TEXT_MAX: Final = 64
_CACHE: Final = 16_384

_CLASS_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "tv": ("tv", "smarttv", "connectedtv", "ctv", "television", "televisionscreen"),
    "set_top": ("settop", "settopbox", "stb", "streamer", "streamingbox", "stick", "dongle", "ott"),
    "console": ("console", "gameconsole", "gamingconsole", "games"),
    "phone": ("phone", "mobile", "mobilephone", "smartphone", "handset", "cell"),
    "tablet": ("tablet", "pad"),
    "desktop": ("desktop", "computer", "pc", "laptop", "notebook", "web", "browser"),
    "speaker": ("speaker", "smartspeaker"),
    "bot": ("bot", "crawler", "robot"),
}
_CLASS_OF: Final = {name: kind for kind, names in _CLASS_NAMES.items() for name in names}
_OS_OF: Final = {
    "mac": "macOS", "mac os": "macOS", "mac os x": "macOS", "macos": "macOS", "osx": "macOS",
    "macintel": "macOS", "win": "Windows", "win32": "Windows", "windows": "Windows",
    "windows nt": "Windows", "ios": "iOS", "ipados": "iOS", "iphone os": "iOS",
    "android": "Android", "linux": "Linux", "linux x86_64": "Linux", "ubuntu": "Linux",
    "debian": "Linux", "fedora": "Linux", "chrome os": "ChromeOS", "chromeos": "ChromeOS",
    "cros": "ChromeOS", "chromium os": "ChromeOS", "tvos": "tvOS", "atv os x": "tvOS",
    "tizen": "Tizen", "webos": "webOS", "web0s": "webOS", "roku": "Roku OS", "roku os": "Roku OS",
    "rokuos": "Roku OS", "fireos": "Fire OS", "fire os": "Fire OS", "androidtv": "Android TV",
    "android tv": "Android TV",
}  # fmt: skip
"""One spelling per system, so that a chart has one line for it."""


class Facts(NamedTuple):
    """What is known of a device; empty where unknown. `device_class` is one of `CLASSES`."""

    device_class: str = "unknown"
    os: str = ""
    os_version: str = ""
    browser: str = ""
    browser_version: str = ""
    bot: bool = False
    program: bool = False
    """A library or tool for requests that plays nothing: curl, python, Go."""


class Said(NamedTuple):
    """What a client says of its device, as sent."""

    category: str | None = None
    os: str | None = None
    os_version: str | None = None
    browser: str | None = None
    browser_version: str | None = None


NOTHING_SAID: Final = Said()


def said_in(events: Iterable[Event | None]) -> Said:
    """Return what the first event that names its device says of it."""
    for event in events:
        device: Device | None = None if event is None else event.device
        if device is not None:
            return Said(
                _cut(device.category), _cut(device.os), _cut(device.os_version),
                _cut(device.browser), _cut(device.browser_version),
            )  # fmt: skip
    return NOTHING_SAID


@lru_cache(maxsize=_CACHE)
def facts_of(user_agent: bytes, said: Said) -> Facts:
    """Return the facts of a device, the client's own word first."""
    seen = seen_in(user_agent[:USER_AGENT_MAX])
    kind = class_named(said.category) or seen.device_class
    os = _system(said.os) or seen.os
    browser = _short(said.browser) or seen.browser
    return Facts(
        device_class=kind,
        os=os,
        os_version=_short(said.os_version) or (seen.os_version if os == seen.os else ""),
        browser=browser,
        browser_version=_short(said.browser_version)
        or (seen.browser_version if browser == seen.browser else ""),
        bot=seen.bot or kind == "bot",
        program=seen.program,
    )


@lru_cache(maxsize=_CACHE)
def seen_in(user_agent: bytes) -> Facts:
    """Return what a user agent alone says."""
    text = user_agent.decode("latin-1")
    if not text:
        return Facts()
    rule = rule_for(text)
    kind, os = ("unknown", "") if rule is None else (RULES[rule].device_class, RULES[rule].os)
    parsed = ua_parser.parse(text)
    system, agent, device = parsed.os, parsed.user_agent, parsed.device
    bot = kind == "bot" or (rule is None and device is not None and device.family == "Spider")
    named = "" if system is None else _system(system.family)
    return Facts(
        device_class="bot" if bot else kind,
        os=os or named,
        os_version=""
        if system is None or (os and os != named)
        else _dotted(system.major, system.minor),
        browser="" if agent is None else _short(agent.family),
        browser_version="" if agent is None else _dotted(agent.major),
        bot=bot,
        program=rule is not None and RULES[rule].name == PROGRAM,
    )


_COMPILED: Final = tuple(re.compile(rule.pattern) for rule in RULES)


def rule_for(user_agent: str) -> int | None:
    """Return the index of the first rule that fits, None if none does."""
    # Small letters on both sides: half the time that matching without regard to case takes.
    text = user_agent.lower()
    for index, pattern in enumerate(_COMPILED):
        if pattern.search(text):
            return index
    return None


def class_named(name: str | None) -> str:
    """Return the device class a client's word means, empty if it means none."""
    if not name:
        return ""
    return _CLASS_OF.get("".join(c for c in name[:_TEXT_MAX].lower() if c.isalnum()), "")


def _system(name: str | None) -> str:
    text = _short(name)
    return _OS_OF.get(text.lower(), "" if text == "Other" else text)


def _cut(text: str | None) -> str | None:
    # What is said is the key of a memory: a stranger's megabytes must not stay in it.
    return text if text is None else text[:_TEXT_MAX]


def _short(text: str | None) -> str:
    return text[:_TEXT_MAX].strip() if text else ""


def _dotted(*numbers: str | None) -> str:
    return ".".join(number for number in numbers if number)
