"""What the commands about backups print: sizes, times, and how far they are."""

import sys
from datetime import UTC, datetime
from typing import Self

import click

_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1_000


def bytes_text(size: int) -> str:
    """Return a size as people read it: `12.3 MB`."""
    value = float(size)
    for unit in _UNITS[:-1]:
        if value < _STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} {_UNITS[-1]}"


def when(at_ms: int) -> str:
    """Return a time as `2026-11-22 21:30:05Z`."""
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%d %H:%M:%SZ}"


class Bar:
    """One line that says how far something is; nothing where nobody looks at a terminal."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._shown = -1
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            click.echo("\r" + " " * 40 + "\r", err=True, nl=False)

    async def told(self, done: int, total: int) -> None:
        """Show how far it is."""
        self.show(done, total)

    def show(self, done: int, total: int) -> None:
        """Show how far it is."""
        percent = 100 * done // total if total else 100
        if self._is_terminal and percent != self._shown:
            self._shown = percent
            click.echo(f"\r{percent:3d} % {self._word}", err=True, nl=False)
