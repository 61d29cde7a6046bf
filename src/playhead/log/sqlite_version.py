"""The version in a SQLite file, read without opening it as a database: nothing on disk changes.

SQLite would make companion files even for a reader. `PRAGMA user_version` stands in the first page, and
the newest copy of that page may still be in the write-ahead file.
"""

from pathlib import Path
from typing import Final

from playhead.log.database import companions

_MAGIC: Final = b"SQLite format 3\x00"
_HEAD_BYTES: Final = 100
_AT: Final = 60
_WAL_HEAD_BYTES: Final = 32
_FRAME_HEAD_BYTES: Final = 24


def user_version(path: Path) -> int | None:
    """Return the `user_version` of a SQLite file; None where there is no such file.

    Raises:
        OSError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        return None
    newest = _in_wal(companions(path)[0])
    if newest is not None:
        return newest
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        return None
    return _version_in(head)


def _in_wal(path: Path) -> int | None:
    """Return the version in the newest committed copy of the first page; None where there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        head = file.read(_WAL_HEAD_BYTES)
        if len(head) < _WAL_HEAD_BYTES:
            return None
        page_bytes, salts = int.from_bytes(head[8:12], "big"), head[16:24]
        committed = pending = None
        while len(frame := file.read(_FRAME_HEAD_BYTES)) == _FRAME_HEAD_BYTES:
            if frame[8:16] != salts:  # left from before the file was begun anew
                break
            page = file.read(min(page_bytes, _HEAD_BYTES))
            file.seek(page_bytes - len(page), 1)
            if int.from_bytes(frame[:4], "big") == 1 and page.startswith(_MAGIC):
                pending = _version_in(page)
            if int.from_bytes(frame[4:8], "big"):  # a commit ends here
                committed = pending
        return committed


def _version_in(head: bytes) -> int:
    return int.from_bytes(head[_AT : _AT + 4], "big")
