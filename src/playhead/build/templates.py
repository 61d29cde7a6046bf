"""Templates of a pipe: what is wrong with them, at which place of the file."""

import re
from typing import Final

from playhead.errors import InvalidRequest
from playhead.project.lines import lines_of
from playhead.project.problem import Problem
from playhead.project.resources import Node, Pipe
from playhead.template.rendering import TemplateInvalid
from playhead.template.template import Template

_PLACE: Final = re.compile(r"(?: at line \d+)? at (\S+):\d+$")
"""The end of a template's error; it counts the template's lines, not the file's."""
_NAMED: Final = re.compile(r"'([^']+)'|: (\w+)$")
_TAG: Final = re.compile(r"\{[{%#]")


def faults(pipe: Pipe) -> list[Problem]:
    """Return why templates of a pipe cannot be compiled: one problem a node."""
    found = []
    for node in pipe.nodes:
        if not node.template:
            continue
        try:
            Template.compile(node.sql, name=node.name)
        except TemplateInvalid as error:
            found.append(fault(pipe, node, error))
    return found


def fault(pipe: Pipe, node: Node, error: TemplateInvalid) -> Problem:
    """Return the problem of a template, at the line of the file."""
    sentence = _PLACE.sub("", " ".join(error.message.split()))
    named = _NAMED.search(sentence)
    word = (named[1] or named[2]) if named else ""
    place = _PLACE.search(error.message)
    is_own = place is not None and place[1] == node.name  # else of a pipe that this one reads
    line = _line(pipe.text, node.line, error.line) if error.line and is_own else 0
    line, column = _place(pipe.text, node.line, line, word)
    hint = "" if error.hint == InvalidRequest.hint else error.hint
    ended = sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."
    return Problem(pipe.path, f"node '{node.name}': {ended}", line, column, hint)


def _line(text: str, from_line: int, count: int) -> int:
    """Return the line of the file that a template has as its `count`-th; both count from 1.

    A block's empty lines and comments are no part of the template.
    """
    lines = lines_of(text, "")[from_line - 1 :]
    kept = [line.number for line in lines if not line.blank and not line.comment]
    return kept[count - 1] if count <= len(kept) else from_line


def _place(text: str, from_line: int, line: int, word: str) -> tuple[int, int]:
    """Return line and column of a word inside braces; without a line, the first there is."""
    pattern = re.compile(rf"\{{[{{%](?:[^}}]*?[^\w}}])??({re.escape(word)})(?!\w)")
    numbers = [line] if line else range(from_line, text.count("\n") + 2)
    lines = lines_of(text, "")
    for number in numbers:
        found = pattern.search(lines[number - 1].text) if word and number <= len(lines) else None
        if found:
            return number, found.start(1) + 1
    tag = _TAG.search(lines[line - 1].text) if 0 < line <= len(lines) else None
    return line or from_line, tag.start() + 1 if tag else 1
