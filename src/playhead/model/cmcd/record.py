"""One CMCD record: a line, a query or a set of headers, read key by key (CTA-5004-B).

A value that cannot be read costs its key and nothing else. Version 1 scalars and version 2 lists
are read in either version: players mix them.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from playhead.model.cmcd.fields import MEMBERS_MAX, members
from playhead.model.cmcd.keys import CUSTOM_KEYS_MAX, CUSTOM_LENGTH_MAX, KEYS, VERSION_MAX
from playhead.model.cmcd.values import SURE_DIGITS_MAX, Value, decimal, text, truth, whole

HEADERS: Final = ("cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session")
RECORD_MAX_CHARS: Final = 65_536
"""Longest record that is read."""
FAULTS_MAX: Final = 16
"""Faults named of one record."""
_DECODINGS_MAX: Final = 2
_SHOWN_CHARS: Final = 40
_SEEN_MAX: Final = 16_384
_SEEN_CHARS_MAX: Final = 64

_KEY_NAME = re.compile(r"[A-Za-z*][A-Za-z0-9_\-.*]{0,63}")
_PARAMETER = re.compile(r"(?:^|[?&;\s])CMCD=([^&#]*)", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_SEEN: dict[str, tuple[str, Value]] = {}
"""Members read before: most of a record is the same from report to report."""
_COUNTS: Final = frozenset(
    name for name, key in KEYS.items() if key.read is whole and not key.repeats
)
"""Keys of whole numbers that change with each report: most of what was not read before."""


class Cmcd(msgspec.Struct, gc=False):
    """What a record says.

    `values` holds the known keys; lists are lists of `[value, type]`, the type (an object type
    token) empty where none is. Treat them as read only: records share them. `custom` holds the keys
    with a prefix, `faults` a sentence for each value that could not be read. Of a version that is
    not understood there are no values.
    """

    version: int
    values: dict[str, object]
    custom: dict[str, str | int | float | bool]
    faults: list[str]

    @property
    def is_understood(self) -> bool:
        """Whether the version is one that this reader knows."""
        return self.version <= VERSION_MAX


def decode_line(line: bytes | str) -> Cmcd | None:
    """Read a record of a body (event mode), which is not percent-encoded; None if it says nothing."""
    if isinstance(line, bytes):
        line = line.decode("utf-8", "replace")
    line = line.strip(" \t\r\n\0\ufeff")
    if line[4:5] == "=" and line[:5].upper() == "CMCD=":
        line = line[5:]
    return _read(_plain(line) if "%" in line else line)


def line_of(query: str) -> str:
    """Return the record that a query string, a URL or the value of `CMCD=` holds, not yet read."""
    found = _PARAMETER.search(query)
    raw = query if found is None else found[1]
    if "+" in raw and "%" in raw:
        raw = raw.replace("+", " ")  # as browsers' `URLSearchParams` write it; a plus is %2B there
    return _plain(raw).strip()


def decode_query(query: str) -> Cmcd | None:
    """Read the value of `CMCD=`, or find it in a whole query string or URL; None if there is none.

    A pair alone without quotes, as `sid=abc`, is taken for somebody's own parameter unless its
    value fits the key.
    """
    value = line_of(query)
    if _PARAMETER.search(query) is not None:
        return _read(value)
    if "&" in _QUOTED.sub("", value) or "://" in value.partition('"')[0]:
        return None
    is_alone = not any(mark in value for mark in ',"(')
    cmcd = _read(value)
    if cmcd is not None and is_alone and (cmcd.faults or cmcd.values.keys() & _NEED_QUOTES):
        return None
    return cmcd


_NEED_QUOTES: Final = frozenset(name for name, key in KEYS.items() if key.read is text)


def decode_headers(headers: Mapping[str, str]) -> Cmcd | None:
    """Read the four CMCD headers, whatever the case of their names; None if there are none."""
    found = [value for name, value in headers.items() if name.lower() in HEADERS and value.strip()]
    if not found:
        return None
    return _read(",".join(value if "%" not in value else _plain(value) for value in found))


def _plain(encoded: str) -> str:
    """Undo percent-encoding, twice where it was done twice; inside strings it is part of them."""
    for _ in range(_DECODINGS_MAX):
        if "%" not in encoded or "%" not in _QUOTED.sub("", encoded):
            break
        encoded = unquote(encoded, errors="replace")
    return encoded


def _read(line: str) -> Cmcd | None:
    """Read a record; None if it names no key at all."""
    if len(line) > RECORD_MAX_CHARS:
        return None
    cmcd = _read_members(line.split(","))
    if cmcd.faults and ('"' in line or "(" in line):  # a comma inside a value may have cut it
        cmcd = _read_members(members(line))
    if not (cmcd.values or cmcd.custom):
        return None
    version = cmcd.values.get("v", 1)
    cmcd.version = version if isinstance(version, int) else 1
    if cmcd.version > VERSION_MAX:
        fault = f"v: version {cmcd.version} is not understood; nothing of the record was read."
        return Cmcd(cmcd.version, {}, {}, [fault])
    return cmcd


def _read_members(parts: list[str]) -> Cmcd:
    values: dict[str, object] = {}
    cmcd = Cmcd(1, values, {}, [])
    if len(parts) > MEMBERS_MAX:
        _fault(cmcd, "record", f"it has more than {MEMBERS_MAX} members; the rest was not read")
        parts = parts[:MEMBERS_MAX]
    seen = _SEEN
    for part in parts:
        found = seen.get(part)
        if found is not None:
            values[found[0]] = found[1]
            continue
        name, equals, raw = part.partition("=")
        if name in _COUNTS and raw.isdecimal() and len(raw) <= SURE_DIGITS_MAX:
            values[name] = int(raw)  # as `whole` would, without the call
            continue
        key = KEYS.get(name)
        if key is None:
            _read_odd(cmcd, part)
            continue
        try:
            value = key.read(raw, key.limit) if equals else _bare(name)
        except ValueError as error:
            _fault(cmcd, name, f"'{raw[:_SHOWN_CHARS]}' is {error}")
            continue
        if key.words is not None and value not in key.words:
            _fault(cmcd, name, f"'{raw[:_SHOWN_CHARS]}' is none of its words")
            continue
        values[name] = value
        if key.repeats and len(part) <= _SEEN_CHARS_MAX:
            if len(seen) >= _SEEN_MAX:
                seen.clear()
            seen[part] = (name, value)
    return cmcd


def _bare(name: str) -> bool:
    """Return what a key without value means: true, if the key is a boolean."""
    if KEYS[name].read is not truth:
        raise ValueError("no value")
    return True


def _read_odd(cmcd: Cmcd, part: str) -> None:
    """Read a member with spaces around its key, a custom key, or skip an unknown one."""
    name, equals, raw = part.partition("=")
    name, raw = name.strip(), raw.strip()
    if not equals:
        name = name.partition(";")[0].strip()
    if name in KEYS:
        if name != part.partition("=")[0]:
            again = _read_members([f"{name}={raw}" if equals else name])
            cmcd.values.update(again.values)
            for fault in again.faults:
                _fault(cmcd, "", fault)
        return
    if not name and not raw:
        return  # a trailing comma, or two of them
    if raw.count('"') % 2 or '"' in name or raw.count("(") != raw.count(")"):
        _fault(cmcd, name, "the value is not closed")
    elif "-" in name.strip("-"):
        _read_custom(cmcd, name, raw if equals else None)
    elif _KEY_NAME.fullmatch(name) is None:
        _fault(cmcd, name, "this is no key")


def _read_custom(cmcd: Cmcd, name: str, raw: str | None) -> None:
    if _KEY_NAME.fullmatch(name) is None or len(cmcd.custom) >= CUSTOM_KEYS_MAX:
        _fault(cmcd, name, f"no key, or more than {CUSTOM_KEYS_MAX} custom ones")
        return
    try:
        cmcd.custom[name] = True if raw is None else _custom_value(raw)
    except ValueError as error:
        _fault(cmcd, name, f"the value is {error}")


def _custom_value(raw: str) -> str | int | float | bool:
    """Return a string or token, or what else the standard's own examples send: a number, a boolean."""
    if raw[:1] == "?":
        return truth(raw)
    if raw[:1].isdecimal() or raw[:1] == "-":
        try:
            number = decimal(raw)
        except ValueError:
            return text(raw, CUSTOM_LENGTH_MAX)
        return int(number) if "." not in raw else number
    return text(raw, CUSTOM_LENGTH_MAX)


def _fault(cmcd: Cmcd, name: str, reason: str) -> None:
    if len(cmcd.faults) < FAULTS_MAX:
        cmcd.faults.append(f"{name[:_SHOWN_CHARS]}: {reason}." if name else reason)
