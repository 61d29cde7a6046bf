"""A data file, line by line: instructions, the blocks below them, comments, empty lines.

Nothing here knows what an instruction means. Every step looks at a character a bounded number of
times, whatever the text.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

import msgspec

_QUOTES: Final = "\"'"
_INDENT: Final = (" ", "\t")


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a file, without its end."""

    file: str
    number: int
    """Counts from 1."""
    text: str

    @property
    def blank(self) -> bool:
        """Whether nothing stands on it."""
        return not self.text.strip()

    @property
    def comment(self) -> bool:
        """Whether its first mark is a `#`."""
        return self.text.lstrip().startswith("#")


class Word(msgspec.Struct, frozen=True, gc=False):
    """One word of an instruction line, its quotes still on."""

    text: str
    column: int
    """Counts from 1."""


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """`KEY words…  # comment`, or `KEY >` and the lines below it."""

    name: str
    """As it is written."""
    line: Line
    column: int
    words: tuple[Word, ...] = ()
    comment: str = ""
    """What follows the words, from the `#` on."""
    block: tuple[Line, ...] | None = None
    """Every line of the block, comments and empty ones too; None = no block."""

    @property
    def key(self) -> str:
        """Return its name in capitals."""
        return self.name.upper()

    @property
    def content(self) -> tuple[Line, ...]:
        """Return the block's lines that count: neither empty nor a comment."""
        return tuple(line for line in self.block or () if not line.blank and not line.comment)


Item = Instruction | Line
"""A `Line` is a comment or an empty line between instructions."""


def lines_of(text: str, file: str) -> list[Line]:
    """Cut a text into lines; Windows and old Mac line ends are line ends too."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return [Line(file, number, line) for number, line in enumerate(text.split("\n"), 1)]


def items(lines: Iterable[Line], known: Container[str]) -> Iterator[Item]:
    """Yield what the lines say, in order.

    A block ends at the first line that does not begin with a space or a tab and whose first word
    is one of `known` (upper-case): so SQL at the left edge stays in its block.
    """
    opened: Instruction | None = None
    block: list[Line] = []
    for line in lines:
        if opened is not None:
            if not _ends_block(line, known):
                block.append(line)
                continue
            yield msgspec.structs.replace(opened, block=tuple(block))
            opened = None
        if line.blank or line.comment:
            yield line
            continue
        found, opens = _instruction(line)
        if opens:
            opened, block = found, list(found.block or ())
        else:
            yield found
    if opened is not None:
        yield msgspec.structs.replace(opened, block=tuple(block))


def _ends_block(line: Line, known: Container[str]) -> bool:
    if line.text.startswith(_INDENT) or line.blank:
        return False
    return line.text.split(None, 1)[0].upper() in known


def _instruction(line: Line) -> tuple[Instruction, bool]:
    """Return what stands on the line, and whether a block begins there."""
    first, *rest = line.text.split(None, 1)
    column = line.text.index(first)
    start = column + len(first)
    if rest and rest[0].startswith(">"):
        at = line.text.index(">", start)
        after = line.text[at + 1 :]
        kept = () if not after.strip() else (Line(line.file, line.number, " " * (at + 1) + after),)
        return Instruction(name=first, line=line, column=column + 1, block=kept), True
    words, comment = words_of(line.text, start)
    return (
        Instruction(name=first, line=line, column=column + 1, words=words, comment=comment),
        False,
    )


def words_of(text: str, start: int = 0) -> tuple[tuple[Word, ...], str]:
    """Cut an instruction's line into words, and the comment after them.

    What quotes or `{{ }}` enclose stays together; a quote that is never closed is a letter.
    A `#` where a word could begin starts the comment.
    """
    words: list[Word] = []
    hopeless: set[str] = set()  # closing marks that do not come any more: looked for only once
    at, length = start, len(text)
    while at < length:
        if text[at].isspace():
            at += 1
            continue
        if text[at] == "#":
            return tuple(words), text[at:].rstrip()
        begin = at
        while at < length and not text[at].isspace():
            at = _past(text, at, hopeless)
        words.append(Word(text[begin:at], begin + 1))
    return tuple(words), ""


def _past(text: str, at: int, hopeless: set[str]) -> int:
    """Return where the next letter, or what is enclosed here, ends."""
    closing = text[at] if text[at] in _QUOTES else "}}" if text.startswith("{{", at) else ""
    if not closing or closing in hopeless:
        return at + 1
    end = text.find(closing, at + len(closing))
    if end < 0:
        hopeless.add(closing)
        return at + 1
    return end + len(closing)


def value_of(words: Sequence[Word]) -> str:
    """Return the words joined by one space, without one pair of quotes around the whole."""
    return unquoted(" ".join(word.text for word in words))


def unquoted(text: str) -> str:
    """Take one pair of quotes off, if it encloses the whole text."""
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        inner = text[1:-1]
        # `"{{ tb_secret("x") }}"`: quotes inside braces close nothing.
        if text[0] not in inner or ("{{" in inner and _balanced(inner, text[0])):
            return inner
    return text


def _balanced(inner: str, quote: str) -> bool:
    """Whether every such quote stands inside `{{ }}`."""
    at = 0
    while True:
        opening = inner.find("{{", at)
        quoted = inner.find(quote, at, opening if opening >= 0 else len(inner))
        if quoted >= 0:
            return False
        if opening < 0:
            return True
        closing = inner.find("}}", opening)
        at = closing + 2 if closing >= 0 else len(inner)


def dedented(texts: Sequence[str]) -> list[str]:
    """Take off the white space that all lines begin with; lines of white space alone count not."""
    counted = [text for text in texts if text.strip()]
    if not counted:
        return [text.strip() for text in texts]
    low, high = min(counted), max(counted)
    width = next((i for i, c in enumerate(low) if c not in " \t" or c != high[i : i + 1]), len(low))
    return [text[width:] if text.strip() else "" for text in texts]
