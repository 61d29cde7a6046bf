"""The locks of a data folder's builds.

`locked`: whoever changes what is live holds it, for as long as that takes. `barrier`: held for short
cuts only; meanwhile no rows go into the project's tables, and every row is either in them as a
whole or not at all.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playhead.build.manifest import FOLDER
from playhead.clock import Clock
from playhead.errors import DataDirBusy, RowsUnsettled
from playhead.log.lock import WriterLock, gate_of
from playhead.log.offsets import Ledger
from playhead.project.manifest import LOCK_FILE

BUILDS_FILE: Final = "builds.lock"
LEDGER_FILE: Final = "worker.db"
"""The worker's ledger, in the data folder."""
LOOK_EVERY_S: Final = 0.2
"""How often one that waits looks whether the other has ended."""
PASS_EVERY_S: Final = 0.02
"""The same for the rows on their way, which take a fraction of a second."""
BARRIER_WAIT_S: Final = 60.0
"""How long a build waits for the rows on their way."""


@asynccontextmanager
async def locked(data_dir: Path, clock: Clock, wait_s: float) -> AsyncGenerator[None, None]:
    """Hold the lock of builds.

    Raises:
        DataDirBusy: Another has held it for longer than `wait_s`.
    """
    lock = await _taken(data_dir / FOLDER / BUILDS_FILE, clock, wait_s, LOOK_EVERY_S)
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def barrier(
    folder: Path, clock: Clock, *, wait_s: float = BARRIER_WAIT_S
) -> AsyncGenerator[None, None]:
    """Hold off the rows of a project; every row logged before the worker's position is stored.

    Args:
        folder: The data folder, or that of a workspace.
        clock: For the wait.
        wait_s: How long to wait for rows on their way.

    Raises:
        RowsUnsettled: Rows stay on their way; nothing was changed.
    """
    until_s = clock.monotonic_s() + wait_s
    path = folder / LOCK_FILE
    ledger = _ledger_of(folder)
    while True:
        held = await _passed(path, clock, until_s)
        try:
            if not await asyncio.to_thread(rows_pending, ledger):
                yield
                return
        finally:
            for lock in held:
                lock.release()
        # A worker that was cut off takes the lock as well when it takes up its range again.
        if clock.monotonic_s() >= until_s:
            raise RowsUnsettled
        await asyncio.sleep(LOOK_EVERY_S)


async def rows_read(
    folder: Path,
    clock: Clock,
    offset: int,
    *,
    check: Callable[[], None],
    wait_s: float = BARRIER_WAIT_S,
) -> None:
    """Wait until the worker has stored everything that the log holds before an offset.

    Args:
        folder: The data folder, or that of a workspace.
        clock: For the wait.
        offset: Of the log.
        check: Called while it waits; what it raises ends the wait.
        wait_s: How long to wait.

    Raises:
        RowsUnsettled: The worker does not get there.
    """
    until_s = clock.monotonic_s() + wait_s
    ledger = Ledger(_ledger_of(folder), writable=False)
    try:
        while await asyncio.to_thread(ledger.position) < offset:
            check()
            if clock.monotonic_s() >= until_s:
                raise RowsUnsettled
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        ledger.close()


def rows_pending(ledger: Path) -> bool:
    """Return whether the worker has begun, and not ended, a range of the log with rows of projects."""
    if not ledger.exists():
        return False
    found = Ledger(ledger, writable=False)
    try:
        return any(intent.detail for intent in found.intents())
    finally:
        found.close()


def _ledger_of(folder: Path) -> Path:
    """Return the worker's ledger: of a workspace's folder it is that of the data folder above."""
    here = folder / LEDGER_FILE
    return here if here.exists() else folder.parent.parent / LEDGER_FILE


async def _passed(path: Path, clock: Clock, until_s: float) -> tuple[WriterLock, WriterLock]:
    """Return the gate's lock and the rows' own: nobody begins a range while the first is held."""
    wait_s = until_s - clock.monotonic_s()
    try:
        gate = await _taken(gate_of(path), clock, wait_s, PASS_EVERY_S)
    except DataDirBusy:
        raise RowsUnsettled from None
    try:
        return await _taken(path, clock, until_s - clock.monotonic_s(), PASS_EVERY_S), gate
    except BaseException as error:
        gate.release()
        if isinstance(error, DataDirBusy):
            raise RowsUnsettled from None
        raise


async def _taken(path: Path, clock: Clock, wait_s: float, every_s: float) -> WriterLock:
    until_s = clock.monotonic_s() + wait_s
    while True:
        try:
            return WriterLock(path)
        except DataDirBusy:
            if clock.monotonic_s() >= until_s:
                raise
            await asyncio.sleep(every_s)
