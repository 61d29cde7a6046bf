"""Where the store answers: a Unix socket of the embedded engine, or the URL of a ClickHouse."""

import hashlib
import tempfile
from pathlib import Path

import msgspec

SOCKET_PATH_BYTES_MAX = 100
"""Kernels take 104 to 108 bytes for the path of a Unix socket; a few stay for safety."""


class Location(msgspec.Struct, frozen=True):
    """One of `socket` (a path) and `url` is set; user and password only go with `url`."""

    socket: str = ""
    url: str = ""
    user: str = ""
    password: str = ""


def embedded(data_dir: Path) -> Location:
    """Return where the store process of this data folder listens.

    The socket lies in the data folder's `run`; where that path is too long for a socket, at a
    short path under the temporary folder that only depends on the data folder.
    """
    path = data_dir / "run" / "store.sock"
    if _fits(path):
        return Location(socket=str(path))
    digest = hashlib.blake2b(str(data_dir).encode(), digest_size=8).hexdigest()
    path = Path(tempfile.gettempdir()) / f"playhead-{digest}" / "store.sock"
    if not _fits(path):  # TMPDIR may be as long; this folder every system has
        path = Path("/tmp") / path.parent.name / path.name  # noqa: S108 (the folder is made 0700)
    return Location(socket=str(path))


def _fits(path: Path) -> bool:
    return len(str(path).encode()) <= SOCKET_PATH_BYTES_MAX
