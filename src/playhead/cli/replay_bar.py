"""How far a replay is: a bar on a terminal with `rich`, one line on one without, else a line now and then."""

import contextlib
import sys
from types import TracebackType
from typing import Any, Self, TextIO

from playhead.clock import Clock

EVERY_S = 5.0
"""Where output is no terminal, one line this often."""
DRAWN_EVERY_S = 0.1


class Bar:
    """Shows progress on `out` (standard error, so that the summary can be kept apart)."""

    def __init__(self, total_bytes: int, clock: Clock, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._total_bytes = max(total_bytes, 1)
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._shown_s = self._began_s
        self._drawn = ""
        self._live: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Take the terminal when there is one and `rich` is installed."""
        if self._out.isatty():
            with contextlib.suppress(ImportError):
                self._live = _rich(self._out)
                self._task = self._live.add_task("", total=self._total_bytes, said="")
                self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
        elif self._drawn:
            self._out.write("\r" + " " * len(self._drawn) + "\r")
            self._out.flush()

    def show(self, read_bytes: int, accepted: int, refused: int) -> None:
        """Show how far it is, if the last time was long enough ago."""
        now_s = self._clock.monotonic_s()
        terminal = self._out.isatty()
        if now_s - self._shown_s < (DRAWN_EVERY_S if terminal else EVERY_S):
            return
        self._shown_s = now_s
        rate = accepted / max(now_s - self._began_s, 0.001)
        said = f"{accepted:,} sent, {rate:,.0f}/s" + (f", {refused:,} refused" if refused else "")
        if self._live is not None:
            self._live.update(self._task, completed=read_bytes, said=said)
            return
        text = f"{min(100, 100 * read_bytes // self._total_bytes):3d} %  {said}"
        if not terminal:
            self._out.write(text + "\n")
        else:
            self._out.write("\r" + text.ljust(len(self._drawn)))
            self._drawn = text
        self._out.flush()


def _rich(out: TextIO) -> Any:
    from rich.console import Console  # noqa: PLC0415 (an extra, and slow to import)
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    return Progress(
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        console=Console(file=out),
        transient=True,
        expand=True,
    )
