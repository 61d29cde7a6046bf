"""SQL text from a data file that becomes part of a statement: it must stay the part it is.

Whoever writes a project's files is trusted to build tables, but an expression must not be able to
end the statement it stands in, nor to hide a part of it. What an expression *does* (which
functions it calls) is looked at elsewhere, on the engine's own tree.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

EXPRESSION_BYTES_MAX: Final = 65_536
"""Longest expression that is read."""
DEPTH_MAX: Final = 200
"""Deepest nesting of brackets."""
_TOKEN: Final = re.compile(
    r"""
    (?P<text>'(?:[^'\\]|\\.|'')*')
  | (?P<name>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
  | (?P<open>[(\[{]) | (?P<close>[)\]}])
  | (?P<comma>,)
  | (?P<comment>--|/\*|\#)
  | (?P<end>;)
  | (?P<quote>['"`])
  | (?P<heredoc>\$\w*\$)
  | (?P<space>[ \t\r\n\f\v]+)
  | (?P<word>[A-Za-z0-9_.]+)
  | (?P<mark>[!-~])
  | (?P<strange>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_FAULTS: Final = {
    "comment": "a comment",
    "end": "a ';'",
    "quote": "a quote that is not closed",
    "heredoc": "a text between dollar signs",
    "strange": "a character that is no SQL outside quotes",
}


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of SQL text; `depth` counts the brackets around it, `at` is where it begins."""

    kind: str
    text: str
    at: int
    depth: int


def tokens(sql: str) -> Iterator[Token]:
    """Yield the pieces of an expression, white space too.

    Raises:
        ValueError: It is too long, holds a comment, a `;`, or what is open is not closed; the
            message is the end of a sentence: "holds a ';'".
    """
    if len(sql) > EXPRESSION_BYTES_MAX:
        raise ValueError(f"is longer than {EXPRESSION_BYTES_MAX} characters")
    if "\0" in sql:
        raise ValueError("holds a NUL character")
    stack: list[str] = []
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "strange", match[0]
        if kind in _FAULTS:
            raise ValueError(f"holds {_FAULTS[kind]}")
        if kind == "close" and (not stack or stack.pop() != _PAIRS[text]):
            raise ValueError(f"closes a '{text}' that was not opened")
        yield Token(kind, text, match.start(), len(stack))
        if kind == "open":
            stack.append(text)
            if len(stack) > DEPTH_MAX:
                raise ValueError(f"nests deeper than {DEPTH_MAX} brackets")
    if stack:
        raise ValueError(f"opens a '{stack[-1]}' that is not closed")


def fault(sql: str) -> str:
    """Return why the text is not one whole expression, as the end of a sentence; "" = it is."""
    try:
        some = [token for token in tokens(sql) if token.kind != "space"]
    except ValueError as error:
        return str(error)
    return "" if some else "is empty"


def parts(sql: str) -> list[str]:
    """Return the text cut at its outermost commas, each part stripped; [] for no text.

    Raises:
        ValueError: As `tokens`.
    """
    found: list[str] = []
    start = 0
    for token in tokens(sql):
        if token.kind == "comma" and token.depth == 0:
            found.append(sql[start : token.at].strip())
            start = token.at + 1
    last = sql[start:].strip()
    return [*found, last] if last or found else []


def word_at(sql: str, words: tuple[str, ...]) -> tuple[int, str]:
    """Return where the first of these upper-case words stands outside brackets, or (-1, "").

    Raises:
        ValueError: As `tokens`.
    """
    for token in tokens(sql):
        if token.kind == "word" and token.depth == 0 and token.text.upper() in words:
            return token.at, token.text.upper()
    return -1, ""


def quoted(text: str) -> str:
    """Return a text literal of the engine."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def unquoted(literal: str) -> str:
    """Return what a text literal without unusual escapes holds."""
    inner = literal.strip()[1:-1].replace("''", "'")
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def backquoted(name: str) -> str:
    """Return a name as the engine quotes it.

    Raises:
        ValueError: It is none: empty, too long, or with a character that no name may have.
    """
    if not name or len(name) > 255 or any(c.isspace() or c in "`\\\0" for c in name):
        raise ValueError(f"{name!r} is no name of a table, column or index")
    return f"`{name}`"
