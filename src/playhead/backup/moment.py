"""The moment a backup holds: builds and the worker stand still while everything is linked or copied.

A restored folder is as one whose processes were all killed at that moment, after a range was stored
as a whole; what a restart mends after a kill, it mends there. So each file is taken in an order that
leaves nothing further than what it rests on: jobs and keys, then tables, then the log.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from playhead.backup.draft import Draft
from playhead.backup.folder import JOBS_FILE, take_files
from playhead.backup.freeze import Frozen, freeze, part_packs
from playhead.backup.pack import File, Pack
from playhead.backup.segments import copy_open, hold
from playhead.build.lock import BUILDS_FILE, LEDGER_FILE
from playhead.build.manifest import FOLDER as PROJECT
from playhead.clock import Clock
from playhead.errors import DataDirBusy, RowsUnsettled
from playhead.log.database import connect
from playhead.log.lock import WriterLock, gate_of
from playhead.log.offsets import Ledger
from playhead.process.holding import REST_FILE
from playhead.project.homes import FOLDER as WORKSPACES
from playhead.store.client import StoreClient

LOOK_EVERY_S: Final = 0.02
WORKER_GONE_S: Final = 3.0
"""A range stays begun, and no worker runs for so long: nobody goes on with it now."""


class Taken(msgspec.Struct):
    """What was taken, in packs; `held_ms` is how long the others stood still."""

    taken_at: int
    position: int
    log_next: int
    tables: int
    held_ms: int
    packs: list[Pack]
    links: list[tuple[str, str]]
    folders: list[str]


class Patience:
    """How long others are waited for, and whether it is still worth it.

    Args:
        clock: Time.
        wait_s: How long.
        stop: Set by whoever does not want the backup any more.
    """

    def __init__(self, clock: Clock, wait_s: float, stop: threading.Event) -> None:
        self.clock = clock
        self._until_s = clock.monotonic_s() + wait_s
        self._stop = stop

    def wait(self, reason: str) -> None:
        """Wait a little; raises RowsUnsettled, with the reason, when that was too long."""
        if self._stop.wait(LOOK_EVERY_S) or self.clock.monotonic_s() >= self._until_s:
            raise RowsUnsettled(
                f"What changes the data folder does not come to an end: {reason} No backup was made."
            )

    def lock(self, path: Path) -> WriterLock:
        """Return the lock of a file; raises RowsUnsettled as `wait`."""
        while True:
            try:
                return WriterLock(path)
            except DataDirBusy as error:
                self.wait(error.message)


def take(data_dir: Path, store: StoreClient, draft: Draft, patience: Patience) -> Taken:
    """Take everything; blocks, while it waits for others and as long as copying takes after.

    Raises:
        RowsUnsettled: Builds or the worker's range do not come to an end; nothing was taken.
        PlayheadError: The store or a file cannot be read.
    """
    clock = patience.clock
    with _still(data_dir, patience):
        began_s = clock.monotonic_s()
        taken_at = clock.now_ms()
        with _jobs_held(data_dir / JOBS_FILE, patience):
            small, large = take_files(data_dir, draft.folder)
            frozen = freeze(store, data_dir, draft)
            held = hold(data_dir, draft.folder)
        held_ms = round((clock.monotonic_s() - began_s) * 1_000)
    position = _position(draft.folder / LEDGER_FILE)
    segments = [*held.closed, *copy_open(data_dir, draft.folder, held, position)]
    packs = [*_packs((small, large), frozen), *segments, *part_packs(frozen, draft)]
    return Taken(
        taken_at=taken_at,
        position=position,
        log_next=held.next,
        tables=frozen.tables,
        held_ms=held_ms,
        packs=packs,
        links=frozen.links,
        folders=frozen.folders,
    )


def _packs(files: tuple[list[File], list[File]], frozen: Frozen) -> list[Pack]:
    small, large = files
    bundle = Pack(kind="bundle", root="", files=tuple(small + frozen.files))
    return [bundle, *(Pack(kind="file", root="", files=(file,)) for file in large)]


@contextmanager
def _still(data_dir: Path, patience: Patience) -> Generator[None, None, None]:
    """Hold builds and the worker: no table of ours changes, every range is stored or not begun."""
    with ExitStack() as held:
        for folder in (data_dir, *sorted((data_dir / WORKSPACES).glob("*/"))):
            path = folder / PROJECT / BUILDS_FILE
            if path.parent.is_dir():
                held.callback(patience.lock(path).release)
        gone_s = patience.clock.monotonic_s() + WORKER_GONE_S
        while True:
            with ExitStack() as range_held:
                rest = data_dir / REST_FILE
                for path in (gate_of(rest), rest):
                    range_held.callback(patience.lock(path).release)
                if _settled(data_dir / LEDGER_FILE, gone=patience.clock.monotonic_s() >= gone_s):
                    held.push(range_held.pop_all())
                    break
            patience.wait("the worker's range stays begun.")
        yield


def _settled(ledger: Path, *, gone: bool) -> bool:
    """Return whether no range is half stored, or no worker is there to go on with it.

    Then it is repeated where the backup is restored: the log, the tables' tokens and the ledger say
    how, as after a kill.
    """
    found = Ledger(ledger, writable=False)
    try:
        if not found.intents():
            return True
    finally:
        found.close()
    if not gone:
        return False
    try:
        WriterLock(ledger.with_name(ledger.name + ".lock")).release()
    except DataDirBusy:
        return False
    return True


@contextmanager
def _jobs_held(path: Path, patience: Patience) -> Generator[None, None, None]:
    """Let no job write down a step meanwhile: then none is further than what it rests on."""
    if not path.exists():
        yield
        return
    with closing(connect(path, mode="rw")) as jobs:
        while not jobs.in_transaction:
            try:
                jobs.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                patience.wait(f"{error}.")
        try:
            yield
        finally:
            jobs.execute("ROLLBACK")


def _position(ledger: Path) -> int:
    found = Ledger(ledger, writable=False)
    try:
        return found.position()
    finally:
        found.close()
