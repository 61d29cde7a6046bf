"""What keeps builds away while rows of projects go from the log into their tables.

A range of the log that holds such rows is stored under a shared lock of each project it is for.
Where a build holds the lock, the range ends before the first row of that project, so that the video
events before it go on; what lies behind it waits, for the log is one line.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from playhead.errors import DataDirBusy, NotFound
from playhead.log.base import Record
from playhead.log.lock import SharedLock
from playhead.model.event import Into
from playhead.project.homes import folder_of
from playhead.project.manifest import LOCK_FILE

ROWS = "rows"
"""`Intent.detail` of a range with rows of projects."""
COMMANDS = "commands"
"""The door of commands, which change a project's tables."""
REST_FILE = Path("run") / "rest.lock"
"""Whoever needs the worker to stand still between two ranges, such as a backup, holds its writer's lock."""
_WHOLE = "."
"""Among the locks of a range, by workspace: that of `REST_FILE`, which every range takes."""
_NAMED = b'"into":'


class Hold:
    """The locks of one range."""

    def __init__(self) -> None:
        self._locks: dict[str, SharedLock] = {}
        self.said = ""
        """Why a lock could not be had."""

    def take(self, data_dir: Path, workspace: str) -> bool:
        """Take the lock of a workspace's project; return whether it could be had."""
        if workspace in self._locks:
            return True
        try:
            folder = folder_of(data_dir, workspace)
            folder.stat()
            self._locks[workspace] = SharedLock(folder / LOCK_FILE)
        except (FileNotFoundError, NotFound):
            return True  # the workspace was deleted; nobody builds in it
        except (DataDirBusy, OSError) as error:
            self.said = str(error)
            return False
        return True

    def begin(self, data_dir: Path) -> bool:
        """Take the lock that every range needs; return whether it could be had."""
        try:
            self._locks[_WHOLE] = SharedLock(data_dir / REST_FILE)
        except DataDirBusy as error:
            self.said = str(error)
            return False
        return True

    def release(self) -> None:
        """Let builds in; calling it again does nothing."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()


def admitted(records: Sequence[Record], data_dir: Path) -> tuple[list[Record], Hold]:
    """Return the records that may be stored now, and the locks that must be held meanwhile."""
    hold = Hold()
    if records and not hold.begin(data_dir):
        return [], hold
    for at, record in enumerate(records):
        workspace = workspace_of(record)
        if workspace is not None and not hold.take(data_dir, workspace):
            return list(records[:at]), hold
    return list(records), hold


def workspace_of(record: Record) -> str | None:
    """Return whose project a record's rows or command are for; None where it is for none."""
    if record.door == COMMANDS:
        return _workspace_in(record.body)
    # Inside a JSON text a quote is escaped, so this stands there only as a key.
    if _NAMED not in record.meta:
        return None
    into = _into(record.meta)
    return None if into is None else into.workspace


def has_rows(records: Sequence[Record]) -> bool:
    """Return whether any of the records is for a project."""
    return any(workspace_of(record) is not None for record in records)


class _Meta(msgspec.Struct):
    into: Into | None = None


class _Command(msgspec.Struct):
    workspace: str = ""


_META = msgspec.json.Decoder(_Meta)
_COMMAND = msgspec.json.Decoder(_Command)


@lru_cache(4_096)
def _into(meta: bytes) -> Into | None:
    try:
        return _META.decode(meta).into
    except msgspec.DecodeError:
        return None


def _workspace_in(command: bytes) -> str:
    try:
        return _COMMAND.decode(command).workspace
    except msgspec.DecodeError:
        return ""
