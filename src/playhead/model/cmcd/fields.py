"""Structured fields (RFC 8941): the strict grammar, and the tolerant cut that CMCD is read with.

`parse_dictionary`, `parse_list` and `parse_item` take exactly what the standard allows. Players
write less exactly: `members` only cuts a text at its commas, and each value is read by the kind
its key has (`values.py`). That is also several times faster.
"""

import base64
import binascii
import re
from decimal import Decimal
from typing import Final, TypeAlias

MEMBERS_MAX: Final = 128
"""Members read of one text; CMCD has some sixty keys."""
_WHOLE_DIGITS_MAX: Final = 15
_DECIMAL_WHOLE_DIGITS_MAX: Final = 12
_DECIMAL_FRACTION_DIGITS_MAX: Final = 3
_BASE64_PADDING_MAX: Final = 2

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_NUMBER = re.compile(r"-?([0-9]+)(\.[0-9]*)?")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+\-.^_`|~]*")
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_SPACES = re.compile(r" *")
_OPTIONAL_SPACES = re.compile(r"[ \t]*")
_MARKS = re.compile(r'[",()\\]')


class Token(str):
    """A bare word of a structured field, to tell it from a quoted string."""

    __slots__ = ()


Bare: TypeAlias = int | Decimal | str | bytes | bool
"""A single value; a `Token` is a `str`, too."""
Parameters: TypeAlias = dict[str, Bare]
Item: TypeAlias = tuple[Bare, Parameters]
InnerList: TypeAlias = tuple[list[Item], Parameters]
Member: TypeAlias = Item | InnerList


def parse_dictionary(text: str) -> dict[str, Member]:
    """Return the members of a dictionary field (RFC 8941 4.2.2), in order; a repeated key's last value.

    Raises:
        ValueError: It is none, exactly taken.
    """
    scanner = _Scanner(text)
    found: dict[str, Member] = {}
    while not scanner.is_done():
        key = scanner.key()
        found[key] = scanner.member() if scanner.took("=") else (True, scanner.parameters())
        if not scanner.next_member():
            break
    scanner.end()
    return found


def parse_list(text: str) -> list[Member]:
    """Return the members of a list field (RFC 8941 4.2.1).

    Raises:
        ValueError: It is none, exactly taken.
    """
    scanner = _Scanner(text)
    found: list[Member] = []
    while not scanner.is_done():
        found.append(scanner.member())
        if not scanner.next_member():
            break
    scanner.end()
    return found


def parse_item(text: str) -> Item:
    """Return the value and the parameters of an item field (RFC 8941 4.2.3).

    Raises:
        ValueError: It is none, exactly taken.
    """
    scanner = _Scanner(text)
    found = scanner.item()
    scanner.end()
    return found


class _Scanner:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip(_SPACES)

    def is_done(self) -> bool:
        return self._at >= len(self._text)

    def took(self, mark: str) -> bool:
        """Step over a mark, if it is here."""
        if self._text.startswith(mark, self._at):
            self._at += 1
            return True
        return False

    def end(self) -> None:
        self._skip(_SPACES)
        if not self.is_done():
            raise self._fault("the end")

    def next_member(self) -> bool:
        """Step over a comma; say whether another member follows."""
        self._skip(_OPTIONAL_SPACES)
        if not self.took(","):
            return False
        self._skip(_OPTIONAL_SPACES)
        if self.is_done():
            raise self._fault("a member after the comma")
        return True

    def key(self) -> str:
        return self._take(_KEY, "a key")[0]

    def member(self) -> Member:
        return self._inner_list() if self.took("(") else self.item()

    def item(self) -> Item:
        return self._bare(), self.parameters()

    def parameters(self) -> Parameters:
        found: Parameters = {}
        while self.took(";"):
            self._skip(_SPACES)
            key = self.key()
            found[key] = self._bare() if self.took("=") else True
        return found

    def _inner_list(self) -> InnerList:
        items: list[Item] = []
        while True:
            self._skip(_SPACES)
            if self.took(")"):
                return items, self.parameters()
            items.append(self.item())
            if self._text[self._at : self._at + 1] not in {" ", ")"}:
                raise self._fault("a space or ')'")

    def _bare(self) -> Bare:
        first = self._text[self._at : self._at + 1]
        if first == '"':
            return _ESCAPED.sub(r"\1", self._take(_STRING, "a string")[1])
        if first == ":":
            return _bytes_of(self._take(_BYTES, "bytes in base64")[1])
        if self.took("?"):
            if self.took("1"):
                return True
            if self.took("0"):
                return False
            raise self._fault("?0 or ?1")
        if first == "-" or "0" <= first <= "9":
            return _number_of(self._take(_NUMBER, "a number"))
        return Token(self._take(_TOKEN, "a value")[0])

    def _take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._fault(what)
        self._at = found.end()
        return found

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _fault(self, wanted: str) -> ValueError:
        return ValueError(f"There is no structured field: at {self._at} belongs {wanted}.")


def _number_of(found: re.Match[str]) -> int | Decimal:
    whole, fraction = found[1], found[2]
    if fraction is None:
        if len(whole) > _WHOLE_DIGITS_MAX:
            raise ValueError("A whole number has at most 15 digits.")
        return int(found[0])
    if (
        len(whole) > _DECIMAL_WHOLE_DIGITS_MAX
        or not 1 < len(fraction) <= _DECIMAL_FRACTION_DIGITS_MAX + 1
    ):
        raise ValueError("A decimal has at most 12 digits before the point and 1 to 3 after it.")
    return Decimal(found[0])


def _bytes_of(text: str) -> bytes:
    """Decode base64; missing padding is mended, as the standard wants."""
    bare = text.rstrip("=")
    padding = len(text) - len(bare)
    if padding > _BASE64_PADDING_MAX or (padding and not bare):
        raise ValueError("The bytes are no base64.")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("The bytes are no base64.") from error


def members(text: str) -> list[str]:
    """Cut a text at its commas, save those in quotes or parentheses.

    A quote or parenthesis that is never closed counts for nothing: what follows it is cut at every
    comma. Takes time in proportion to the text.
    """
    parts: list[str] = []
    start = at = 0
    while found := _MARKS.search(text, at):
        mark, at = found[0], found.end()
        if mark == ",":
            parts.append(text[start : found.start()])
            start = at
        elif mark in {'"', "("}:
            closed = _after_quote(text, at) if mark == '"' else _after_list(text, at)
            if closed < 0:
                return parts + text[start:].split(",")
            at = closed
    parts.append(text[start:])
    return parts


def _after_quote(text: str, at: int) -> int:
    """Return the place after the closing quote, -1 if there is none."""
    while found := _MARKS.search(text, at):
        at = found.end()
        if found[0] == '"':
            return at
        if found[0] == "\\":
            at += 1
    return -1


def _after_list(text: str, at: int) -> int:
    """Return the place after the closing parenthesis, -1 if there is none."""
    while found := _MARKS.search(text, at):
        at = found.end()
        if found[0] == ")":
            return at
        if found[0] == '"':
            at = _after_quote(text, at)
            if at < 0:
                return -1
    return -1
