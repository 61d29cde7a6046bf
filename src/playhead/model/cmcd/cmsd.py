"""CMSD (CTA-5006): what servers say of a response. Dynamic: one member a hop. Static: of the object."""

import base64
import binascii
import re
from typing import Final

from playhead.model.cmcd.fields import members
from playhead.model.cmcd.values import Value, decimal, text, token, truth, whole
from playhead.model.event import Hop

HOPS_MAX: Final = 16
STATIC_KEYS_MAX: Final = 32
_NAME_LENGTH_MAX: Final = 128
_TEXT_LENGTH_MAX: Final = 256
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_PART = re.compile(r'[^;"]*(?:"(?:[^"\\]|\\.)*"[^;"]*)*')
_CLOSED = re.compile(r'[^"]*+(?:"(?:[^"\\]|\\.)*+"[^"]*+)*+', re.DOTALL)
_KEY = re.compile(r"[a-z*][a-zA-Z0-9_.*-]{0,63}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def hops_of(header: str) -> list[Hop]:
    """Return each hop of a CMSD-Dynamic header, raw or in base64, nearest the origin first.

    A hop is named by its member (`"CDN-A";etp=96`) or by the key `n`. What cannot be read is left
    out; a hop of which nothing can be read is none.
    """
    found = (_hop_of(member) for member in members(_raw(header)))
    return [hop for hop in found if hop is not None][:HOPS_MAX]


def static_of(header: str) -> dict[str, Value]:
    """Return the keys of a CMSD-Static header, raw or in base64, as far as they can be read."""
    found: dict[str, Value] = {}
    for member in members(_raw(header))[:STATIC_KEYS_MAX]:
        name, equals, raw = member.strip().partition("=")
        if _KEY.fullmatch(name):
            try:
                found[name] = _value_of(raw.strip()) if equals else True
            except ValueError:
                continue
    return found


def _raw(header: str) -> str:
    """Undo base64, if it is that."""
    header = header.strip()
    if _BASE64.fullmatch(header) is None:
        return header
    try:
        padded = header.rstrip("=") + "=" * (-len(header.rstrip("=")) % 4)
        return base64.b64decode(
            padded, altchars=b"-_" if "-" in header or "_" in header else None
        ).decode()
    except (binascii.Error, UnicodeDecodeError):
        return header


def _hop_of(member: str) -> Hop | None:
    hop = Hop()
    for index, part in enumerate(_parts_of(member)):
        name, equals, raw = part.partition("=")
        is_name = index == 0 and '"' in name
        try:
            if is_name or (index == 0 and not equals):
                hop.name = text(part.strip(), _NAME_LENGTH_MAX)
            else:
                _put(hop, name.strip(), raw.strip() if equals else "?1")
        except ValueError:
            continue
    return None if hop == Hop() else hop


def _parts_of(member: str) -> list[str]:
    """Cut at semicolons, save those in quotes; with a quote that is never closed at every one."""
    if (
        _CLOSED.fullmatch(member) is None
    ):  # looked for the end of at every quote, it would take long
        return member.split(";")
    return _PART.findall(member)


def _put(hop: Hop, name: str, raw: str) -> None:
    if name == "n":
        hop.name = text(raw, _NAME_LENGTH_MAX)
    elif name == "etp":
        hop.throughput_kbps = whole(raw)
    elif name == "mb":
        hop.max_bitrate_kbps = whole(raw)
    elif name == "rtt":
        hop.rtt_ms = whole(raw)
    elif name == "rd":
        hop.delay_ms = whole(raw)
    elif name == "du":
        hop.duress = truth(raw)


def _value_of(raw: str) -> Value:
    if raw[:1] == "?":
        return truth(raw)
    number = _NUMBER.fullmatch(raw)
    if number is not None:
        return decimal(raw) if number[1] else whole(raw)
    return text(raw, _TEXT_LENGTH_MAX) if raw[:1] == '"' else token(raw, _TEXT_LENGTH_MAX)
