"""What a build says of an error, and at which place of which file."""

import re
from difflib import get_close_matches
from typing import Final

from playhead.build.templates import fault
from playhead.errors import PlayheadError, QueryFailed
from playhead.project.problem import Problem
from playhead.project.resources import Datasource, Node, Pipe
from playhead.query.pipes.fault import sentence_of
from playhead.query.pipes.workspace import Namespace
from playhead.template.rendering import TemplateInvalid

UNKNOWN_COLUMN: Final = 47
UNKNOWN_FUNCTION: Final = 46
_IN_NODE: Final = re.compile(r"Node '([^']*)' of pipe '([^']*)': ")
_NO_TABLE: Final = re.compile(r"There is no table (?:([^\s.]+)\.)?(\S+) here")
_NOT_MADE: Final = re.compile(r"Unknown table expression identifier '([^']+)'")
_SYNTAX: Final = re.compile(
    r"Syntax error (in line (\d+), column \d+,) near '(.*?)(?:': expected|'\.?$)", re.DOTALL
)
_NEAR_CHARS_SURE: Final = 6
"""A text of so many letters is the one that is meant, wherever it stands."""
_NAMED: Final = re.compile(r"[`'\"]([^`'\"\s]+)[`'\"]")


def said(error: PlayheadError) -> str:
    """Return an error as one sentence, the engine's own text without its frame."""
    if isinstance(error, QueryFailed):
        return sentence_of(error.message)
    text = " ".join(error.message.split())
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def in_source(source: Datasource, error: PlayheadError, *, database: str) -> Problem:
    """Return the problem of a data source whose table cannot be made."""
    sentence = said(error).replace(f"{database}.", "")
    line = next((c.line for c in source.columns if _mentions(sentence, c.name)), 0)
    column = 1 if line else 0
    if not line:
        words = (*_NAMED.findall(sentence), "ENGINE_SORTING_KEY", "ENGINE", "SCHEMA")
        line, column = _found(source.text, words, 1)
    return Problem(source.path, sentence, line, column)


def place_of(source: Datasource, column: str) -> tuple[int, int]:
    """Return line and column, in its file, of a column; the file's first letter without one."""
    line = next((one.line for one in source.columns if one.name == column), 0)
    return _found(source.text, (column,), line) if line else (1, 1)


def in_node(
    pipe: Pipe, node: Node, error: PlayheadError, *, database: str, known: Namespace | None = None
) -> Problem:
    """Return the problem of a node that cannot be compiled or asked.

    Args:
        pipe: The pipe.
        node: Its node.
        error: What was raised.
        database: Where the tables are; its name is left out of the sentence.
        known: What names mean, to say which one may be meant.
    """
    sentence = said(error).replace(f"{database}.", "")
    if isinstance(error, TemplateInvalid) and (error.line or not _IN_NODE.match(sentence)):
        return fault(pipe, node, error)
    within = _IN_NODE.match(sentence)
    if within and within[2] != pipe.name:
        return reads(pipe, within[2], node.line)
    sentence = _IN_NODE.sub("", sentence)
    not_made = _NOT_MADE.search(sentence)
    if not_made:  # the project has a table of this name; making it failed
        return reads(pipe, not_made[1], node.line)
    syntax = _SYNTAX.search(error.message)
    if syntax:
        line, column, sentence = _syntax(pipe.text, node.line, sentence, syntax)
        return Problem(pipe.path, f"node '{node.name}': {sentence}", line, column)
    hint = "" if isinstance(error, QueryFailed) else _short(error.hint)
    missing = _NO_TABLE.search(sentence)
    if missing and known is not None:
        sentence = known.sentence(missing[1] or "", missing[2])
        hint = close_to(missing[2], [*known.names(), *(one.name for one in pipe.nodes)])
        line, column = _found(pipe.text, (missing[2],), node.line)
    else:
        line, column = _found(pipe.text, tuple(_NAMED.findall(sentence)), node.line)
    return Problem(pipe.path, f"node '{node.name}': {sentence}", line, column, hint)


def reads(pipe: Pipe, name: str, line: int) -> Problem:
    """Return the problem of a pipe that only fails because of what it reads."""
    line, column = _found(pipe.text, (name,), line)
    return Problem(pipe.path, f"it reads '{name}', which cannot be built.", line, column)


def counted(count: int, noun: str) -> str:
    """Return "1 row", "1,200 rows"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def close_to(name: str, names: list[str]) -> str:
    """Return "Did you mean 'x'?", or "" when nothing is near."""
    near = get_close_matches(name, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def one_a_file(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the first problem of each file; it says how many more there are."""
    every: dict[str, list[Problem]] = {}
    for problem in problems:
        every.setdefault(problem.file, []).append(problem)
    return tuple(_with_count(found) for _, found in sorted(every.items()))


def _syntax(text: str, from_line: int, sentence: str, found: re.Match[str]) -> tuple[int, int, str]:
    """Return where in a file its SQL stops making sense, and the sentence without its own place.

    The engine counts lines of the SQL that a node makes; the file has others above and between.
    """
    near = found[3].split("\n")[0].strip() or "\n"
    likely = from_line + int(found[2]) - 1
    lines = enumerate(text.splitlines()[from_line - 1 :], from_line)
    places = [
        (number, line.find(near) + 1)
        for number, line in lines
        if near in line and (number == likely or len(near) >= _NEAR_CHARS_SURE)
    ]
    if not places:
        return from_line, 1, sentence.replace(found[1], f"{found[1][:-1]} of its SQL,")
    line, column = min(places, key=lambda place: abs(place[0] - likely))
    return line, column, sentence.replace(f"{found[1]} ", "")


def _with_count(found: list[Problem]) -> Problem:
    first, more = found[0], len(found) - 1
    if not more:
        return first
    hint = f"{first.hint} ({more} more in this file)".strip()
    return Problem(first.file, first.message, first.line, first.column, hint)


def _short(hint: str) -> str:
    return hint if hint.startswith("Did you mean") else ""


def _mentions(sentence: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", sentence) is not None


def _found(text: str, words: tuple[str, ...], from_line: int) -> tuple[int, int]:
    """Return line and column of the first of the words that stands in the text from a line on."""
    lines = text.splitlines()
    for word in words:
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for number, line in enumerate(lines[max(0, from_line - 1) :], max(1, from_line)):
            match = pattern.search(line)
            if match:
                return number, match.start() + 1
    return max(from_line, 1), 1
