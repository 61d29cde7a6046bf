"""Fields: from a line as names and values to a logged line, by a table of each format."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from playhead.collect.logs.logged import BrokenLine, Logged
from playhead.collect.logs.masking import masked
from playhead.collect.logs.values import TEXT_MAX, is_nothing, long_text, text

EXTRA_MAX: Final = 32
"""Fields of a line that are kept besides the known ones."""
EXTRA_DEPTH_MAX: Final = 4
"""Levels of a field that is an object or a list; what lies deeper is not kept."""
NAME_MAX: Final = 64
_CACHE: Final = 4_096
_HEADERS: Final = frozenset({"cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session"})
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = re.compile(r"[^a-z0-9]+")
_PRIVATE: Final = frozenset({
    "ip", "ipv4", "ipv6", "addr", "address", "forwarded", "for", "cookie", "cookies", "auth",
    "authorization", "authorisation", "agent", "useragent", "ua", "token", "password", "secret",
    "key", "signature", "user", "username", "email", "referer", "referrer", "query", "querystring",
    "querystr", "args", "headers", "latitude", "longitude", "lat", "lon", "location", "breadcrumbs",
    "uri", "url", "qs",
})  # fmt: skip
"""Words in a field's name that say it may hold what is never kept: who, and what opens doors."""


class Field(NamedTuple):
    """What a field means: a name of `Logged` (or `cmcd.KEY`, or a CMCD header) and its reader.

    Where several fields mean the same, the one of the lowest rank that can be read counts.
    """

    target: str
    read: Callable[[object], object]
    rank: int = 0


Fields = Mapping[str, Field]


class Found(msgspec.Struct):
    """What a line said so far."""

    values: dict[str, Any]
    ranks: dict[str, int]
    keys: dict[str, str]
    headers: dict[str, str]


def logged(
    record: Mapping[str, object],
    fields: Fields,
    *,
    silent: frozenset[str] = frozenset(),
    name_of: Callable[[str], str] = str,
) -> Logged:
    """Return a line from its fields.

    Args:
        record: The line's fields as logged.
        fields: What each means.
        silent: Names that are left out without a trace.
        name_of: How a name is written in `fields`.

    Raises:
        BrokenLine: The time or the path is missing or cannot be read; the message names the field.
    """
    found = Found({}, {}, {}, {})
    extra: dict[str, object] = {}
    unread = ""
    for written, value in record.items():
        name = name_of(written)
        field = fields.get(name)
        if field is None:
            if name not in silent and len(extra) < EXTRA_MAX:
                put_extra(extra, written, value)
            continue
        if is_nothing(value):
            continue
        if not _put(found, field, value) and field.target in {"at", "path"}:
            unread = unread or written
    values = found.values
    for target in ("at", "path"):
        if target not in values:
            raise _missing(target, unread, fields)
    return Logged(
        **values,
        keys=found.keys or None,
        headers=found.headers or None,
        extra=extra or None,
    )


def is_known(names: Collection[str], fields: Fields, *, beside: Collection[str] = ()) -> bool:
    """Say whether columns of these names hold a time and a path, which every line must have."""
    targets = {fields[name].target for name in names if name in fields}
    return "path" in targets and ("at" in targets or (bool(beside) and set(beside) <= set(names)))


def _put(found: Found, field: Field, value: object) -> bool:
    """Take in one value; say whether it could be read."""
    target, read, rank = field
    if found.ranks.get(target, rank + 1) <= rank:
        return True
    got = read(value)
    if got is None or got == "":
        return False
    if isinstance(got, dict):
        # One field that says several things: a request line, a block of headers.
        for name, part in got.items():
            _put(
                found,
                Field(name, text if name in {"method", "protocol"} else long_text, rank),
                part,
            )
        return True
    if target.startswith("cmcd."):
        found.keys[target[5:]] = str(got)
    elif target in _HEADERS:
        found.headers[target] = str(got)
    else:
        found.values[target] = got
        found.ranks[target] = rank
    return True


def _missing(target: str, unread: str, fields: Fields) -> BrokenLine:
    what = "time" if target == "at" else "path"
    names = [name for name, field in fields.items() if field.target == target][:4]
    if unread:
        return BrokenLine(f"The line's {what} cannot be read: field '{unread[:NAME_MAX]}'.")
    return BrokenLine(f"The line has no {what}: no field of {', '.join(names)}.")


def put_extra(extra: dict[str, object], name: str, value: object) -> None:
    """Keep a field nobody knows, short and without what is never kept."""
    if is_nothing(value) or is_private(name[:NAME_MAX]):
        return
    if isinstance(value, str):
        value = kept_text(value[: 2 * TEXT_MAX])
    elif isinstance(value, (dict, list)):
        value = _short(msgspec.json.encode(_without_private(value)).decode())
    elif isinstance(value, (int, float)) and not -(2**63) <= value < 2**63:
        value = str(value)[:TEXT_MAX]
    extra[name[:NAME_MAX]] = value


def _without_private(value: object, depth: int = EXTRA_DEPTH_MAX) -> object:
    """Return what an object or a list holds without what is never kept, at any level."""
    if isinstance(value, str):
        return _bare(value)
    if not isinstance(value, (dict, list)):
        return value
    if not depth:
        return None
    few = EXTRA_MAX
    if isinstance(value, list):
        return [_without_private(one, depth - 1) for one in value[:few]]
    pairs = [(name, one) for name, one in value.items() if not is_private(name[:NAME_MAX])][:few]
    return {name: _without_private(one, depth - 1) for name, one in pairs}


@lru_cache(maxsize=_CACHE)
def kept_text(value: str) -> str:
    """Return a text as it is kept: no address, no parameters of a URL or path, not long."""
    return _short(_bare(value))


def _short(text_: str) -> str:
    # An address at the end of what is kept must not be cut before it is masked.
    return masked(text_[: 2 * TEXT_MAX])[:TEXT_MAX]


def _bare(value: str) -> str:
    before, mark, _ = value.partition("?")
    return before if mark and "/" in before else value


@lru_cache(maxsize=_CACHE)
def is_private(name: str) -> bool:
    """Say whether a field's name says that it may hold what is never kept."""
    return not _PRIVATE.isdisjoint(_words(name))


@lru_cache(maxsize=_CACHE)
def plain(name: str) -> str:
    """Return a name as the generic table writes it: `ClientRequestPath` is `client_request_path`."""
    return "_".join(_words(name))


def _words(name: str) -> list[str]:
    apart = _CAPITAL.sub("_", name[:NAME_MAX]).lower()
    return [word for word in _SEPARATOR.split(apart) if word]


def request_line(value: object) -> dict[str, str] | None:
    """Return method, path and protocol of `GET /a HTTP/1.1`; of a lone word, the method."""
    if not isinstance(value, str):
        return None
    words = value.split(" ")
    if len(words) == 1:
        return {"method": value} if value.isalpha() else None
    if len(words) == 2:
        return {"method": words[0], "path": words[1]}
    return {"method": words[0], "path": " ".join(words[1:-1]), "protocol": words[-1]}


def header_block(value: object) -> dict[str, str] | None:
    """Return the CMCD headers of a block of headers, `Name:value` a line, percent-encoded."""
    if not isinstance(value, str) or "cmcd" not in value.lower():
        return None
    pairs = [line.partition(":") for line in unquote(value).split("\n")]
    found = {name.strip().lower(): content.strip() for name, _, content in pairs}
    return {name: content for name, content in found.items() if name in _HEADERS}


@lru_cache(maxsize=_CACHE)
def host_of(url: str) -> str:
    """Return the host of a page's address, empty if it has none."""
    try:
        return (urlsplit(url).hostname or "")[:NAME_MAX]
    except ValueError:
        return ""
