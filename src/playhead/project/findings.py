"""What a reader found wrong with one file, in order."""

from typing import Final

from playhead.project.lines import Line
from playhead.project.problem import Problem, Unreadable

PROBLEMS_MAX: Final = 100
"""Most errors, and most warnings, said of one file."""


class Findings:
    """Collects errors and warnings, so that one reading says all of them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._errors: list[Problem] = []
        self._warnings: list[Problem] = []

    def error(self, line: Line, message: str, *, column: int = 1, hint: str = "") -> None:
        """Add an error.

        Raises:
            Unreadable: There are already PROBLEMS_MAX.
        """
        self._errors.append(Problem(line.file, message, line.number, column, hint))
        if len(self._errors) >= PROBLEMS_MAX:
            last = f"There are {PROBLEMS_MAX} problems or more; the rest of the file was not read."
            self._errors.append(Problem(line.file, last, line.number, 1))
            raise self.unreadable()

    def warn(self, line: Line, message: str, *, column: int = 1) -> None:
        """Add a warning; beyond PROBLEMS_MAX they are passed over."""
        if len(self._warnings) < PROBLEMS_MAX:
            self._warnings.append(Problem(line.file, message, line.number, column, warning=True))

    def whole(self, message: str, hint: str = "") -> None:
        """Add an error of the file as a whole."""
        self._errors.append(Problem(self.path, message, hint=hint))

    def checked(self) -> tuple[Problem, ...]:
        """Return the warnings.

        Raises:
            Unreadable: There is an error.
        """
        if self._errors:
            raise self.unreadable()
        return tuple(self._in_order(self._warnings))

    def unreadable(self) -> Unreadable:
        """Return the error for what was found so far."""
        return Unreadable(self._in_order([*self._errors, *self._warnings]))

    def _in_order(self, found: list[Problem]) -> list[Problem]:
        """Return what was found as the file has it; included files follow."""
        return sorted(found, key=lambda one: (one.file != self.path, one.file, one.line))
