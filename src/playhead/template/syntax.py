"""From the text of a template to its blocks. Nothing here looks inside an expression."""

import re
from typing import Literal

import msgspec

from playhead.template.rendering import TemplateInvalid
from playhead.template.weight import is_whole

TEXT_MAX = 1_048_576
"""Longest template, in characters."""
DEPTH_MAX = 40
"""Deepest nesting of blocks."""

Whitespace = Literal["all", "single", "oneline"]
BlockKind = Literal["if", "for", "while", "try"]

_JOINTS: dict[str, tuple[str, ...]] = {
    "else": ("if", "for", "while", "try"),
    "elif": ("if",),
    "except": ("try",),
    "finally": ("try",),
}
_FORBIDDEN = frozenset(
    {"apply", "autoescape", "block", "extends", "from", "import", "include", "module", "raw"}
)
_CLOSE = {"{{": "}}", "{%": "%}", "{#": "#}"}
_NOUN = {"{{": "expression", "{%": "block", "{#": "comment"}


class Position(msgspec.Struct, frozen=True):
    """Where in a project a piece stands: the node's name and the line, from 1, of the template."""

    node: str
    line: int


def invalid(message: str, position: Position) -> TemplateInvalid:
    """Return the error of a piece that cannot be used, with the place of it at the end."""
    return TemplateInvalid(f"{message} at {position.node}:{position.line}", line=position.line)


class Text(msgspec.Struct, frozen=True):
    """Text that is kept."""

    text: str


class Output(msgspec.Struct, frozen=True):
    """A `{{ }}`: the source of its expression and its line, which counts from 1."""

    source: str
    line: int


class Assignment(msgspec.Struct, frozen=True):
    """A `{% set %}`: everything after the word."""

    source: str
    line: int


class Jump(msgspec.Struct, frozen=True):
    """A `{% break %}` or `{% continue %}`."""

    kind: Literal["break", "continue"]


class Branch(msgspec.Struct, frozen=True):
    """One arm of a block: the word it starts with, what follows the word, what it holds."""

    word: str
    source: str
    line: int
    body: "tuple[Piece, ...]"


class Block(msgspec.Struct, frozen=True):
    """A block from its first word to `{% end %}`; its first branch has the block's own word."""

    kind: BlockKind
    branches: tuple[Branch, ...]


Piece = Text | Output | Assignment | Jump | Block


def read_template(text: str, *, name: str = "") -> tuple[Piece, ...]:
    """Return the pieces of a template; TemplateInvalid, with ` at <name>:<line>`, when it has none."""
    if len(text) > TEXT_MAX:
        raise TemplateInvalid(f"The template {name!r} is longer than {TEXT_MAX} characters.")
    if not is_whole(text):
        raise TemplateInvalid(f"The template {name!r} holds half a character.")
    return _Reader(text, name).whole()


class _Open:
    """A block whose `{% end %}` has not been met yet."""

    def __init__(self, kind: BlockKind, source: str, line: int) -> None:
        self.kind = kind
        self.line = line
        self.branches: list[Branch] = []
        self.word: str = kind
        self.source = source
        self.word_line = line
        self.body: list[Piece] = []

    def turn(self, word: str, source: str, line: int) -> None:
        """Close the branch in hand and start the next."""
        self.branches.append(Branch(self.word, self.source, self.word_line, tuple(self.body)))
        self.word, self.source, self.word_line, self.body = word, source, line, []

    def closed(self) -> Block:
        self.turn("end", "", self.line)
        return Block(self.kind, tuple(self.branches))


class _Reader:
    """Walks the text once; `line` is the line of the tag in hand."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name or "template"
        self.at = 0
        self.line = 1
        self.whitespace: Whitespace = "all"
        self.top: list[Piece] = []
        self.open: list[_Open] = []

    def whole(self) -> tuple[Piece, ...]:
        while (start := self._next_tag()) >= 0:
            self._keep(self._take(start))
            self._tag()
        self._keep(self._take(len(self.text)))
        if self.open:
            block = self.open[-1]
            raise self.problem(
                f"Missing {{% end %}} block for {block.kind} at line {block.line}", block.line
            )
        return tuple(self.top)

    def problem(self, message: str, line: int | None = None) -> TemplateInvalid:
        """Return the error, with the place of it at the end."""
        line = line or self.line
        return invalid(message, Position(self.name, line))

    def _next_tag(self) -> int:
        """Return where the next tag starts, or -1. Of `{{{` the innermost two count."""
        at = self.at
        size = len(self.text)
        while True:
            at = self.text.find("{", at)
            if at < 0 or at + 1 == size:
                return -1
            following = self.text[at + 1]
            if following not in "{%#" or (
                following == "{" and at + 2 < size and self.text[at + 2] == "{"
            ):
                at += 1
                continue
            return at

    def _take(self, end: int) -> str:
        taken = self.text[self.at : end]
        self.at = end
        self.line += taken.count("\n")
        return taken

    def _keep(self, text: str, *, verbatim: bool = False) -> None:
        if text:
            kept = text if verbatim else _spaced(text, self.whitespace)
            self._body().append(Text(kept))

    def _body(self) -> list[Piece]:
        return self.open[-1].body if self.open else self.top

    def _tag(self) -> None:
        brace = self._take(self.at + 2)
        if self.text.startswith("!", self.at):
            self.at += 1
            self._keep(brace, verbatim=True)
            return
        end = self.text.find(_CLOSE[brace], self.at)
        if end < 0:
            raise self.problem(f"Missing end {_NOUN[brace]} {_CLOSE[brace]}")
        line = self.line
        inside = self._take(end).strip()
        self.at += 2
        if brace == "{{":
            if not inside:
                raise self.problem("Empty expression", line)
            self._body().append(Output(inside, line))
        elif brace == "{%":
            if not inside:
                raise self.problem("Empty block tag ({% %})", line)
            word, *rest = inside.split(None, 1)
            self._statement(word, rest[0] if rest else "", line)

    def _statement(self, word: str, rest: str, line: int) -> None:
        if word in _JOINTS:
            self._joint(word, rest, line)
        elif word == "end":
            if not self.open:
                raise self.problem("Extra {% end %} block", line)
            block = self.open.pop().closed()
            self._body().append(block)
        elif word in ("if", "for", "while", "try"):
            if len(self.open) >= DEPTH_MAX:
                raise self.problem(f"More than {DEPTH_MAX} blocks inside each other", line)
            self.open.append(_Open(word, rest, line))  # type: ignore[arg-type]
        else:
            self._single(word, rest, line)

    def _joint(self, word: str, rest: str, line: int) -> None:
        if not self.open:
            raise self.problem(f"{word} outside {_listed(_JOINTS[word])} block", line)
        block = self.open[-1]
        if block.kind not in _JOINTS[word]:
            raise self.problem(f"{word} block cannot be attached to {block.kind} block", line)
        block.turn(word, rest, line)

    def _single(self, word: str, rest: str, line: int) -> None:
        if word == "comment":
            return
        if word == "set":
            if not rest:
                raise self.problem("set missing statement", line)
            self._body().append(Assignment(rest, line))
        elif word in ("break", "continue"):
            if not any(block.kind in ("for", "while") for block in self.open):
                raise self.problem(f"{word} outside for, while block", line)
            self._body().append(Jump(word))  # type: ignore[arg-type]
        elif word == "whitespace":
            if rest not in ("all", "single", "oneline"):
                raise self.problem(f"invalid whitespace mode {rest}", line)
            self.whitespace = rest  # type: ignore[assignment]
        elif word in _FORBIDDEN:
            raise self.problem(f"{word} is forbidden in templates", line)
        else:
            raise self.problem(f"unknown operator: {word!r}", line)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _spaced(text: str, mode: Whitespace) -> str:
    if mode == "all" or "<pre>" in text:
        return text
    if mode == "single":
        return re.sub(r"(\s*\n\s*)", "\n", re.sub(r"([\t ]+)", " ", text))
    return re.sub(r"(\s+)", " ", text)
