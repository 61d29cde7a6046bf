"""The text of a SCHEMA as pieces: words, quoted texts, brackets, commas, and where each stands."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from playhead.project.findings import Findings
from playhead.project.lines import Line

DEPTH_MAX: Final = 30
"""Deepest nesting of brackets in a schema."""
_PIECE: Final = re.compile(
    r"""
    (?P<space>\s++)
  | (?P<comment>--[^\n]*+)
  | (?P<path>`json:[^`\n]*+`)
  | (?P<name>`[^`\n]*+`)
  | (?P<text>'(?:[^'\\\n]|\\[^\n]|'')*+')
  | (?P<braces>\{\{[^}\n]*+\}\})
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<comma>,)
  | (?P<word>[A-Za-z0-9_.]++)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKS: Final = {
    "`": ("The closing backtick is missing.", "A name in backticks ends on its line."),
    "'": ("The closing ' is missing on its line.", ""),
    '"': ("A double quote has no place in a schema.", "Texts stand in single quotes."),
}
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One piece: its kind, its text and where it begins (from 0, in the joined text)."""

    kind: str
    text: str
    at: int
    depth: int
    """Brackets around it; a bracket itself counts as outside of what it encloses."""


class Place:
    """Where in the file an offset of the joined lines lies."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._starts: list[int] = []
        at = 0
        for line in lines:
            self._starts.append(at)
            at += len(line.text) + 1

    def of(self, at: int) -> tuple[Line, int]:
        """Return the line and the column, from 1."""
        index = max(0, bisect_right(self._starts, at) - 1)
        return self._lines[index], at - self._starts[index] + 1


def pieces(lines: Sequence[Line], findings: Findings) -> list[Piece] | None:
    """Return the pieces without white space and comments; None when what is open is not closed.

    A piece of the kind `space` stands between two pieces that white space or a comment parts.
    """
    found: list[Piece] = []
    opened: list[Piece] = []
    place = Place(lines)
    for match in _PIECE.finditer("\n".join(line.text for line in lines)):
        kind, text, at = match.lastgroup or "mark", match[0], match.start()
        if kind in ("space", "comment"):
            if found and found[-1].kind != "space":
                found.append(Piece("space", " ", at, len(opened)))
            continue
        fault = _fault(kind, text, opened)
        if fault:
            line, column = place.of(at)
            findings.error(line, fault[0], column=column, hint=fault[1])
            return None
        if kind == "close":
            opened.pop()
        found.append(Piece(kind, text, at, len(opened)))
        if kind == "open":
            opened.append(found[-1])
    if opened:
        line, column = place.of(opened[-1].at)
        findings.error(line, f"The '{opened[-1].text}' is never closed.", column=column)
        return None
    return found


def _fault(kind: str, text: str, opened: Sequence[Piece]) -> tuple[str, str] | None:
    """Return what cannot be read at all here, and a hint."""
    if kind == "close" and (not opened or _CLOSING[opened[-1].text] != text):
        return f"The '{text}' closes nothing.", ""
    if kind == "open" and len(opened) >= DEPTH_MAX:
        return f"Brackets nest deeper than {DEPTH_MAX}.", ""
    return _MARKS.get(text) if kind == "mark" else None


def text_of(some: Sequence[Piece]) -> str:
    """Return pieces as text: white space and comments became one space."""
    return "".join(piece.text for piece in some).strip()


def cut(some: Sequence[Piece]) -> list[list[Piece]]:
    """Cut at the outermost commas; spaces at both ends of a part are gone."""
    depth = min((piece.depth for piece in some), default=0)
    parts: list[list[Piece]] = [[]]
    for piece in some:
        if piece.kind == "comma" and piece.depth == depth:
            parts.append([])
        elif piece.kind != "space" or parts[-1]:
            parts[-1].append(piece)
    for part in parts:
        while part and part[-1].kind == "space":
            part.pop()
    return parts
