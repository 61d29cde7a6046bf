"""The lock that lets exactly one process write a file or folder."""

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
