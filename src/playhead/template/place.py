"""Where in the SQL a value is put: outside of quotes and comments it needs no watching.

Quotes of the template's own author around an expression — `'{{x}}'` — are the one way a quoted
value can end up outside of quotes. So the text so far is followed as the engine's lexer reads it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from playhead.template.rendering import TemplateRefused

CHUNKS_KEPT = 2_000
"""Pieces of templates whose effect is remembered."""

_OUTSIDE = re.compile(
    r"""(?P<open>['"`\u2018\u201c])|(?P<line>--|//|\#[ !])|(?P<block>/\*)"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)|\$(?P<tag>[A-Za-z0-9_]*)\$"""
)
_CLOSING = {"'": "'", '"': '"', "`": "`", "\u2018": "\u2019", "\u201c": "\u201d"}
_TAIL = re.compile(r"[-/#]$|\$[A-Za-z0-9_]*$")
"""What at the end of a piece may be the beginning of something."""
_BACKSLASHED = frozenset("'\"`")
_QUOTE_OR_ESCAPE = re.compile(r"\\.|['\"`]", re.DOTALL)
_COMMENT_END = re.compile(r"/\*|\*/")
_PLAIN = re.compile(r"[\w.:]*(?:-[\w.:]+)*(?: [0-9:.]+)?")
"""A word, a number, a time: outside of quotes it is at worst a name nobody asked for."""


class State(NamedTuple):
    """What the lexer is in: `end` closes it ("" = outside); `tail` is read again with what follows."""

    end: str = ""
    depth: int = 0
    tail: str = ""


class Place:
    """The end of the SQL made so far."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = State()

    def feed(self, text: str) -> None:
        """Go on over text of the template itself."""
        self.state = _after(self.state, text)

    def put(self, text: str) -> str:
        """Go on over the text of a value (`values.wrapped`) and return it as it is to be put.

        Raises TemplateRefused when a part of the value would stand outside of quotes.
        """
        state = self.state
        if state.end:
            self._within(text)
            return text
        self.state = State()
        if state.tail and (
            (state.tail == "-" and text.startswith("-"))
            or (state.tail in {"x", "X", "b", "B"} and text.startswith("'"))
        ):
            return f" {text}"
        return text

    def _within(self, text: str) -> None:
        end = self.state.end
        if end == "\n":
            self.feed(text)
            return
        outside = _outside(self.state, text)
        self.state = State(end, self.state.depth)
        if outside is None or not _PLAIN.fullmatch(outside):
            raise TemplateRefused(
                f"A value stands inside the template's own {_called(end)}, where its quotes would "
                "end them and the value would be read as SQL. Write no quotes around {{ }}: "
                "concat('%', {{String(name)}}, '%').",
                hint="{{ String(name) }} brings its quotes along; concat() joins it to other texts.",
            )


def _called(end: str) -> str:
    if end == "*/":
        return "comment"
    return "quotes"


def _outside(state: State, text: str) -> str | None:
    """Return the parts of `text` that leave the quotes; None when they do not come back."""
    end = state.end
    if end.startswith("$"):
        # Without its end it is a name, and what follows is read as if it were not there.
        return text
    if end not in _BACKSLASHED:
        # A comment, typographic quotes: nothing in them is escaped.
        return None if ("*" if end == "*/" else end[0]) in text else ""
    out: list[str] = []
    inside, at = True, 0
    text = state.tail + text
    for found in _QUOTE_OR_ESCAPE.finditer(text):
        if found[0] == end:
            if not inside:
                out.append(text[at : found.start()])
            inside, at = not inside, found.end()
    return "".join(out) if inside else None


@lru_cache(CHUNKS_KEPT)
def _after(state: State, text: str) -> State:
    """Return the state after `text`."""
    text, end, depth = state.tail + text, state.end, state.depth
    at = 0
    while True:
        if end:
            at, depth, tail = _leave(text, at, end, depth)
            if at < 0:
                return State(end, depth, tail)
            end = ""
            continue
        found = _OUTSIDE.search(text, at)
        if found is None:
            rest = _TAIL.search(text, at)
            return State("", 0, rest[0] if rest else "")
        at = found.end()
        if found["word"] is not None:
            if at == len(text):
                return State("", 0, found["word"])
            continue
        end, depth = _entered(found)


def _entered(found: re.Match[str]) -> tuple[str, int]:
    if found["open"]:
        return _CLOSING[found["open"]], 0
    if found["line"]:
        return "\n", 0
    if found["block"]:
        return "*/", 1
    return f"${found['tag']}$", 0


def _leave(text: str, at: int, end: str, depth: int) -> tuple[int, int, str]:
    """Return where `end` ends, or -1, the depth of comments and what is to be read again."""
    if end in _BACKSLASHED:
        while at < len(text):
            if text[at] == "\\":
                if at + 1 == len(text):
                    return -1, 0, "\\"
                at += 2
            elif text[at] == end:
                return at + 1, 0, ""
            else:
                at += 1
        return -1, 0, ""
    if end == "*/":
        return _leave_comment(text, at, depth)
    found = text.find(end, at)
    if found < 0:
        tail = text[max(at, text.rfind("$")) :] if end[0] == "$" and "$" in text[at:] else ""
        return -1, 0, tail
    return found + len(end), 0, ""


def _leave_comment(text: str, at: int, depth: int) -> tuple[int, int, str]:
    for found in _COMMENT_END.finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
        if depth == 0:
            return at, 0, ""
    return -1, depth, text[-1] if len(text) > at and text[-1] in "*/" else ""
