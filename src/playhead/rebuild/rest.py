"""Keeping the worker between two ranges of the log, for a moment.

A range deletes and writes rows of views, too; a viewer's deletion is one. While this is held nothing of
a range is half done, and nothing begins.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Final

from playhead.clock import Clock
from playhead.errors import DataDirBusy, RowsUnsettled
from playhead.log.lock import WriterLock, gate_of
from playhead.process.holding import REST_FILE

WAIT_S: Final = 120.0
"""How long to wait for the range in hand: a large insert into a busy store."""
_LOOK_EVERY_S: Final = 0.02


@contextmanager
def at_rest(data_dir: Path, clock: Clock) -> Generator[None, None, None]:
    """Hold the worker off; what comes in waits in the log.

    Raises:
        RowsUnsettled: A range stays on its way, or a backup holds the worker.
    """
    path = data_dir / REST_FILE
    until_s = clock.monotonic_s() + WAIT_S
    gate = _taken(gate_of(path), clock, until_s)
    try:
        lock = _taken(path, clock, until_s)
    except BaseException:
        gate.release()
        raise
    try:
        yield
    finally:
        lock.release()
        gate.release()


def _taken(path: Path, clock: Clock, until_s: float) -> WriterLock:
    while True:
        try:
            return WriterLock(path)
        except DataDirBusy:
            if clock.monotonic_s() >= until_s:
                raise RowsUnsettled(
                    f"The worker did not come to rest within {WAIT_S:.0f} s, or a backup holds it."
                    " Days that were taken over stay so."
                ) from None
        sleep(_LOOK_EVERY_S)
