"""INCLUDE: the lines of another file in the place of one line."""

import posixpath
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from playhead.project.findings import Findings
from playhead.project.lines import Line, lines_of, unquoted, words_of
from playhead.project.secrets import substituted

ReadInclude = Callable[[str], str | None]
"""The text of a file by its path (as the data files' own paths are written), None = there is none."""

DEPTH_MAX: Final = 8
"""How deep files may include files."""
INCLUDES_MAX: Final = 100
"""Most INCLUDE lines that one file comes to."""
CHARS_MAX: Final = 1_048_576
"""Most text that one file comes to with all it includes."""


def no_includes(path: str) -> str | None:
    """Say of every file that it is not there."""
    del path
    return None


class Expansion:
    """Yields a file's lines, and those of the files it includes where it includes them."""

    def __init__(self, lines: Iterable[Line], read: ReadInclude, findings: Findings) -> None:
        self._open: list[deque[Line]] = [deque(lines)]
        self._read = read
        self._findings = findings
        self._count = 0
        self._chars = 0

    def lines(self) -> Iterator[Line]:
        """Yield every line; an INCLUDE at the left edge, in a block too, gives way to its file."""
        while self._open:
            if not self._open[-1]:
                self._open.pop()
                continue
            line = self._open[-1].popleft()
            if line.text[:7].upper() == "INCLUDE" and line.text[7:8].isspace():
                self._enter(line)
            else:
                yield line

    def _enter(self, line: Line) -> None:
        words, _ = words_of(line.text, 7)
        texts = [unquoted(word.text) for word in words]
        pairs = [text.partition("=") for text in texts[1:]]
        if not texts or any(not sign for _, sign, _ in pairs):
            self._findings.error(line, 'INCLUDE takes a path and then "key=value" pairs.')
            return
        path = posixpath.normpath(posixpath.join(posixpath.dirname(line.file), texts[0]))
        text = self._text_of(line, path)
        if text is None:
            return
        values = {key.strip(): value for key, _, value in pairs}
        included: deque[Line] = deque()
        for found in lines_of(text, path):
            filled = substituted(found.text, values)
            self._chars += len(filled) + 1
            if self._chars > CHARS_MAX:
                self._findings.error(line, f"What is included is longer than {CHARS_MAX} letters.")
                return
            included.append(Line(path, found.number, filled))
        self._open.append(included)

    def _text_of(self, line: Line, path: str) -> str | None:
        self._count += 1
        if len(self._open) > DEPTH_MAX or self._count > INCLUDES_MAX:
            self._findings.error(
                line,
                "Files include each other too often.",
                hint=f"{DEPTH_MAX} deep and {INCLUDES_MAX} in all is the most.",
            )
            return None
        text = self._read(path) if path.endswith(".incl") else None
        if text is None:
            self._findings.error(
                line,
                f"The file {path} that is included is not there.",
                hint="The path counts from the file that includes it and ends in .incl.",
            )
        return text
