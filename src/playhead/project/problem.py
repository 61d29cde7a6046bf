"""What is wrong with a file of a project, and where."""

from collections.abc import Sequence

import msgspec

from playhead.errors import ProjectInvalid


class Problem(msgspec.Struct, frozen=True):
    """One finding. `line` and `column` count from 1; 0 is the file as a whole."""

    file: str
    """As the caller named it, or relative to the project's folder."""
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""
    warning: bool = False
    """It is said and the file is used all the same."""

    def __str__(self) -> str:
        """Return `file:line:column: message`, as editors read it."""
        kind = "warning: " if self.warning else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message}{hint}"


class Unreadable(ProjectInvalid):
    """A data file says what no data file may say; nothing of it was used."""

    code = "file_unreadable"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(one) for one in problems if not one.warning))
        self.problems = tuple(problems)
        """Every problem that was found, in the order of the file; warnings too."""


def invalid(problems: Sequence[Problem]) -> ProjectInvalid:
    """Return the error for what was found; warnings are left out."""
    return ProjectInvalid("\n".join(str(one) for one in problems if not one.warning))
