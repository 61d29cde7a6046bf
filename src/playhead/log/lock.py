"""Locks between processes: one writes a file or folder; many work in it or one changes it."""

import fcntl
import os
from pathlib import Path

from playhead.errors import DataDirBusy


class WriterLock:
    """A file locked for as long as this object, or its process, lives.

    The kernel drops it with the process, so `kill -9` leaves nothing to clean up.

    Raises:
        DataDirBusy: Another process (or another object of this one) holds it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise DataDirBusy(f"Process {owner} already writes in {path.parent}.") from error
        os.ftruncate(self._file, 0)
        # On a full disk the number is missing; the lock itself needs no space.
        self._note_owner()

    def release(self) -> None:
        """Let another process write; calling it again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _note_owner(self) -> None:
        try:
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError:
            return


class SharedLock:
    """Held by many at once, and by nobody while a `WriterLock` of the same path is held or awaited.

    Whoever wants the writer's lock of a path that is shared first takes that of `gate_of(path)`:
    who shares then lets it pass at the next turn, and it does not wait for ever.

    Raises:
        DataDirBusy: Somebody holds the writer's lock, or waits for it; or the file cannot be opened
            now (too many open files, a full disk). Later it may be had.
    """

    def __init__(self, path: Path) -> None:
        gate = _shared(gate_of(path))
        try:
            self._file = _shared(path)
        finally:
            os.close(gate)

    def release(self) -> None:
        """Let a writer in; calling it again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def gate_of(path: Path) -> Path:
    """Return the lock that is taken before the writer's lock of a path that others share."""
    return path.with_name(path.name + ".gate")


def _shared(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)  # never the folder of a workspace that is gone
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataDirBusy(f"{path.name} cannot be opened now: {error}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise DataDirBusy(
            f"{path.name} is held by a process that changes {path.parent}."
        ) from error
    return file
