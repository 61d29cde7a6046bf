"""Raw values to what their key's kind says, tolerantly: what players write is not always exact.

Each reader takes the text after `=` and the longest string allowed, and raises `ValueError` where
nothing can be made of it. A list is a list of `[value, type]` pairs, the type empty where none is.
"""

import re
from typing import Final, TypeAlias
from urllib.parse import unquote

WHOLE_MAX: Final = (1 << 53) - 1
"""Largest whole number that every client's language can count to."""
PAIRS_MAX: Final = 64
"""Longest list; nobody reports more stalls or next objects at once."""
SURE_DIGITS_MAX: Final = 15
"""So many digits are never above `WHOLE_MAX`."""
RATE_DIGITS_MAX: Final = 16
_WHOLE_DIGITS_MAX: Final = 16
_TYPE_LENGTH_MAX: Final = 32

_NUMBER = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,16})?")
_RATE = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{0,16})?|\.[0-9]{1,16})")
_WORD = re.compile(r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+\-.^_`|~]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_IN_LIST = re.compile(
    r"""[ \t,]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"()]+))(?:[ \t]*;[ \t]*([a-z*][a-z0-9_.*-]*)(?:=(?:"([^"]*)"|([^\s,;"()]*)))?)?"""
)

Pair: TypeAlias = list[int | str]
Value: TypeAlias = int | float | str | bool | list[Pair]


def whole(raw: str, limit: int = 0) -> int:  # noqa: ARG001 (as all readers)
    """Read a whole number from 0 to 2^53-1; a fraction is rounded, quotes and a list of one go."""
    if raw.isdecimal() and len(raw) <= _WHOLE_DIGITS_MAX:
        number = int(raw)
        if number <= WHOLE_MAX:
            return number
    bare = raw.strip(' \t"()').partition(";")[0]
    if _NUMBER.fullmatch(bare) is None or not _is_balanced(raw):
        raise ValueError("no whole number from 0 on")
    number = round(float(bare)) if "." in bare else int(bare)
    if number > WHOLE_MAX:
        raise ValueError("larger than 2^53-1")
    return number


def decimal(raw: str, limit: int = 0) -> float:  # noqa: ARG001 (as all readers)
    """Read a number with a fraction."""
    bare = raw.strip(' \t"')
    if _RATE.fullmatch(bare) is None or not _is_balanced(raw):
        raise ValueError("no decimal number")
    return float(bare)


def text(raw: str, limit: int) -> str:
    """Read a string; the quotes may be missing."""
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        value = raw[1:-1]
        if '"' in value or "\\" in value:
            quoted = _QUOTED.fullmatch(raw)
            if quoted is None:
                raise ValueError("no string")
            value = _ESCAPED.sub(r"\1", quoted[1])
    else:
        value = _odd_text(raw)
    if len(value) > limit:
        raise ValueError(f"longer than {limit} characters")
    return value


def _odd_text(raw: str) -> str:
    """Read a string without quotes, or one followed by a parameter."""
    raw = raw.strip()
    quoted = _QUOTED.match(raw)
    if quoted is not None:
        if raw[quoted.end() :].lstrip()[:1] not in {"", ";"}:
            raise ValueError("no string")
        return _ESCAPED.sub(r"\1", quoted[1])
    if not raw or '"' in raw:
        raise ValueError("no string")
    return raw


def written(value: str) -> str:
    """Return a text as a string of structured fields (RFC 8941, 4.1.6)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def token(raw: str, limit: int) -> str:
    """Read a bare word; it may stand in quotes."""
    word = raw if raw.isalpha() else raw.strip(" \t").partition(";")[0].strip()
    if len(word) > 1 and word[0] == word[-1] == '"':
        word = word[1:-1]
    if _WORD.fullmatch(word) is None:
        raise ValueError("no token")
    if len(word) > limit:
        raise ValueError(f"longer than {limit} characters")
    return word


def truth(raw: str, limit: int = 0) -> bool:  # noqa: ARG001 (as all readers)
    """Read a boolean that is written out."""
    word = raw.strip().lower()
    if word in {"?1", "1", "true"}:
        return True
    if word in {"?0", "0", "false"}:
        return False
    raise ValueError("no boolean")


def numbers(raw: str, limit: int = 0) -> list[Pair]:  # noqa: ARG001 (as all readers)
    """Read whole numbers with their types, `(5000;v 320;a)`; a single number is a list of one."""
    if raw.isdecimal():
        return [[whole(raw), ""]]
    if raw[:1] == "(" and raw[-1:] == ")" and "," not in raw and '"' not in raw:
        items = raw[1:-1].split()
        if len(items) > PAIRS_MAX:
            raise ValueError(f"more than {PAIRS_MAX} values")
        pairs: list[Pair] = []
        for item in items:
            number, _, kind = item.partition(";")
            pairs.append([whole(number), kind if len(kind) <= 2 else _type_of(kind)])
        return pairs
    return [[whole(str(value)), kind] for value, kind in texts(raw, _WHOLE_DIGITS_MAX)]


def _type_of(kind: str) -> str:
    """Return the first parameter's name: `v` of `v`, `v=?1` and `v;x`."""
    if len(kind) > 2:
        kind = kind.partition(";")[0].partition("=")[0]
    if len(kind) > _TYPE_LENGTH_MAX:
        raise ValueError("no type")
    return kind


def texts(raw: str, limit: int) -> list[Pair]:
    """Read strings with what their parameter says: `("a" "b";r="0-99")`; one alone is a list."""
    bare = raw.strip()
    if bare[:1] == "(" and bare[-1:] == ")":
        bare = bare[1:-1].strip()
    pairs: list[Pair] = []
    at = 0
    while at < len(bare):
        found = _IN_LIST.match(bare, at)
        if found is None or found.end() == at or len(pairs) >= PAIRS_MAX:
            raise ValueError("no list")
        at = found.end()
        quoted, plain, name, said, word = found.groups()
        value = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if len(value) > limit:
            raise ValueError(f"longer than {limit} characters")
        is_range = name == "r"
        pairs.append([value, (said or word or "") if is_range else _type_of(name or "")])
    return pairs


def addresses(raw: str, limit: int) -> list[Pair]:
    """Read the next objects: strings whose paths are percent-encoded. Parameters hold tokens."""
    return [[unquote(str(value)).partition("?")[0], more] for value, more in texts(raw, limit)]


def address(raw: str, limit: int) -> str:
    """Read an address; its parameters are left out, for they hold tokens."""
    return text(raw, limit).partition("?")[0].partition("#")[0]


def encoded(raw: str, limit: int) -> str:
    """Read base64, as a string, as bytes between colons or bare."""
    word = raw.strip()
    if len(word) > 1 and word[0] == word[-1] == ":":
        word = word[1:-1]
    return text(word, limit)


def _is_balanced(raw: str) -> bool:
    """Say whether quotes and parentheses come in pairs; else a comma inside cut the value."""
    return raw.count('"') in {0, 2} and raw.count("(") == raw.count(")")
