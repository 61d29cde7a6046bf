"""Where a backup that is being made keeps what it has taken: in the data folder, gone with it."""

import errno
import os
import shutil
from pathlib import Path
from typing import Final

from playhead.backup.pack import make_folder
from playhead.errors import Conflict, DataDirBusy
from playhead.log.lock import WriterLock
from playhead.observe import logger

FOLDER: Final = Path("run") / "backup"
LOCK_FILE: Final = Path("run") / "backup.lock"
STORE: Final = "store"
SHADOW: Final = Path(STORE) / "shadow"
"""Where the engine puts frozen parts: hard links, which take space only once their parts are gone."""
_UNLINKED: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP})
"""Where a file cannot be linked: another disk, a file system without links."""
_LOG = logger("backup")


class Draft:
    """The one backup that is being made of a data folder.

    Raises:
        Conflict: Another one is being made.
    """

    def __init__(self, data_dir: Path, id_: str) -> None:
        try:
            self._lock = WriterLock(data_dir / LOCK_FILE)
        except DataDirBusy as error:
            raise Conflict(
                "Another backup of this data folder is being made; this one was not begun.",
                hint="Wait until it has ended.",
            ) from error
        self.frozen = "playhead_" + id_.replace("-", "_")
        """Under which name parts are frozen: one that the engine writes as it is."""
        self.folder = data_dir / FOLDER
        self.shadow = data_dir / SHADOW / self.frozen
        self._data_dir = data_dir
        try:
            _clear(data_dir)
            make_folder(self.folder)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Remove what was taken, and let another backup begin."""
        try:
            _clear(self._data_dir)
        finally:
            self._lock.release()


def sweep(data_dir: Path) -> None:
    """Remove what a backup that was cut off has left; nothing while one is being made."""
    if not (data_dir / FOLDER).exists() and not any((data_dir / SHADOW).glob("playhead_*")):
        return
    try:
        lock = WriterLock(data_dir / LOCK_FILE)
    except DataDirBusy:
        return
    try:
        _clear(data_dir)
        _LOG.info("backup_leftovers_removed")
    finally:
        lock.release()


def link(path: Path, target: Path) -> None:
    """Keep a file that is written once as it is now, without taking space where that can be."""
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in _UNLINKED:
            raise
        shutil.copyfile(path, target)


def _clear(data_dir: Path) -> None:
    shutil.rmtree(data_dir / FOLDER, ignore_errors=True)
    for folder in (data_dir / SHADOW).glob("playhead_*"):
        shutil.rmtree(folder, ignore_errors=True)
