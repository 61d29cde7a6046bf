"""What reading any data file has in common: instructions found, values filled in, faults said."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from playhead.project.findings import Findings
from playhead.project.include import Expansion, ReadInclude, no_includes
from playhead.project.instructions import PREFIXES, TABLES, Kind, Known, suggestion
from playhead.project.lines import Instruction, Line, dedented, items, lines_of, unquoted, value_of
from playhead.project.resources import Permission, TokenGrant
from playhead.project.secrets import filled, substituted

FILE_BYTES_MAX: Final = 1_048_576
"""Largest data file."""
VERSION_MAX: Final = 1_000_000
"""Highest number of VERSION."""
_PLAIN: Final = frozenset({"DESCRIPTION", "TOKEN"})
"""Instructions whose `$` is a letter."""


class Around(msgspec.Struct, frozen=True):
    """What a file may take from outside itself."""

    secrets: Mapping[str, str] | None = {}
    """Of tb_secret; None = the calls stay as they are written."""
    environ: Mapping[str, str] = {}
    """For `$NAME` in the values of instructions."""
    include: ReadInclude = no_includes


class Reading:
    """One file being read; the readers of its kind ask it for instructions and values."""

    def __init__(self, text: str, *, kind: Kind, path: str, around: Around) -> None:
        self.findings = Findings(path)
        self.kind = kind
        self.known = TABLES[kind]
        self.version: int | None = None
        self._around = around
        self._text = text
        self._path = path
        self.templated = kind != "pipe"
        """Whether tb_secret is filled in."""

    def instructions(self) -> Iterator[tuple[Known, Instruction]]:
        """Yield the instructions of the kind, those of every kind already seen to.

        Raises:
            Unreadable: The file is too large, or has too many problems.
        """
        if len(self._text) > FILE_BYTES_MAX:
            self.findings.whole(f"The file is longer than {FILE_BYTES_MAX} letters.")
            raise self.findings.unreadable()
        if "\0" in self._text:
            self.findings.whole("The file holds a NUL character: it is no text.")
            raise self.findings.unreadable()
        lines = lines_of(self._text, self._path)
        expansion = Expansion(lines, self._around.include, self.findings)
        for item in items(expansion.lines(), self.known):
            if isinstance(item, Line):
                continue
            known = self._known(item)
            if known is not None and not self._handled(known, item):
                yield known, item

    def _known(self, item: Instruction) -> Known | None:
        known = self.known.get(item.key)
        if known is not None:
            return self.known[known.same_as] if known.same_as else known
        if item.key.startswith(PREFIXES.get(self.kind, ("\0",))):
            return Known(name=item.key, meaning="")
        name = item.name[:80]
        hint = suggestion(item.key.rstrip(">:"), self.known)
        if item.key.rstrip(">:") in self.known:
            hint = f"Write '{item.key.rstrip('>:')}', then a space."
        self.error(item, f"'{name}' is no instruction of a .{self.kind} file.", hint=hint)
        return None

    def _handled(self, known: Known, item: Instruction) -> bool:
        """See to what every kind of file has; returns whether that was all."""
        if known.refusal:
            self.error(item, known.refusal)
            return True
        if known.form == "block" and item.block is None:
            self.error(
                item,
                f"{known.name} is followed by '>' and its lines below.",
                hint=f"Write '{known.name} >' and the text on the lines below it.",
            )
            return True
        if known.warning:
            self.warn(item, known.warning)
        if known.name == "VERSION":
            self._set_version(item)
        elif known.name == "INCLUDE":
            self.error(item, "INCLUDE begins at the left edge.")
        return known.name in ("VERSION", "INCLUDE", "MAINTAINER")

    def _set_version(self, item: Instruction) -> None:
        value = value_of(item.words)
        if value.isascii() and value.isdigit() and len(value) < 8 and int(value) <= VERSION_MAX:
            self.version = int(value)
        else:
            self.warn(item, f"VERSION is followed by a whole number, not '{value[:80]}'.")

    def error(self, item: Instruction, message: str, *, column: int = 0, hint: str = "") -> None:
        """Say an error of an instruction, at its name unless a column is given."""
        self.findings.error(item.line, message, column=column or item.column, hint=hint)

    def warn(self, item: Instruction, message: str) -> None:
        """Say a warning of an instruction."""
        self.findings.warn(item.line, message, column=item.column)

    def value(self, item: Instruction) -> str:
        """Return what an instruction says: the rest of its line, or its block as text."""
        if item.block is not None:
            return self.text(item)
        value = self._filled(item.line, value_of(item.words), self._column(item))
        return value if item.key in _PLAIN else substituted(value, self._around.environ)

    def text(self, item: Instruction) -> str:
        """Return a block's lines, without what all of them are indented by."""
        return "\n".join(dedented([line.text for line in self.content(item)])).strip()

    def content(self, item: Instruction) -> tuple[Line, ...]:
        """Return a block's lines that count, secrets filled in."""
        if not self.templated:
            return item.content
        return tuple(
            msgspec.structs.replace(line, text=self._filled(line, line.text, 1))
            if "{" in line.text
            else line
            for line in item.content
        )

    def _filled(self, line: Line, text: str, column: int) -> str:
        if not self.templated or "{" not in text:
            return text
        found, faults = filled(text, self._around.secrets)
        for fault in faults:
            self.findings.error(line, fault.message, column=column + fault.at, hint=fault.hint)
        return found

    @staticmethod
    def _column(item: Instruction) -> int:
        return item.words[0].column if item.words else item.column

    def token(self, item: Instruction, allowed: tuple[Permission, ...]) -> TokenGrant | None:
        """Return what `TOKEN "name" PERMISSION` grants; None = it was refused."""
        words = [unquoted(word.text) for word in item.words]
        if self.kind == "pipe" and len(words) == 1:
            self.warn(item, "TOKEN is followed by a name and READ; READ is taken.")
            words.append("READ")
        if len(words) != 2 or not words[0] or item.block is not None:
            self.error(
                item,
                f"TOKEN is followed by a name and a permission; {len(words)} words stand here.",
                hint=f'Write TOKEN "name" {allowed[0]}.',
            )
            return None
        permission = words[1].upper()
        if permission not in allowed:
            usual = " or ".join(one for one in allowed if one != "CREATE")
            self.error(
                item,
                f"A TOKEN of a .{self.kind} file cannot have '{words[1][:80]}'.",
                column=item.words[1].column,
                hint=f"Write {usual}.",
            )
            return None
        if permission == "CREATE":
            self.warn(item, "TOKEN … CREATE is of the older dialect; the token may append.")
        return TokenGrant(words[0], permission)

    def tags(self, item: Instruction) -> tuple[str, ...]:
        """Return the tags between the commas."""
        return listed(self.value(item))


def listed(text: str) -> tuple[str, ...]:
    """Return the words between commas and line ends, without quotes."""
    cut = (unquoted(word.strip()) for word in text.replace("\n", ",").split(","))
    return tuple(word for word in cut if word)
