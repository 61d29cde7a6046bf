"""Where a viewer is still named after a deletion: files of the data folder that are nobody's rows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playhead.privacy.viewer import Viewer

CHUNK_BYTES: Final = 4 << 20
LISTED_MAX: Final = 100
_SKIPPED: Final = frozenset({"store", "log", "run"})
"""Folders of the data folder that are looked at in another way, or hold sockets and locks."""


def files_naming(data_dir: Path, viewer: Viewer) -> list[str]:
    """Return files of the data folder that hold the id: settings, projects, imports on their way.

    Named relative to the folder, `LISTED_MAX` at most. Packed files are not looked into.
    """
    found: list[str] = []
    name = viewer.id.encode()
    for path in _files(data_dir):
        if len(found) >= LISTED_MAX:
            break
        if _holds(path, name, viewer):
            found.append(path.relative_to(data_dir).as_posix())
    return found


def _files(data_dir: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(data_dir):
        if Path(folder) == data_dir:
            names[:] = [name for name in names if name not in _SKIPPED]
        names.sort()
        for file in sorted(files):
            path = Path(folder, file)
            if path.is_file() and not path.is_symlink():
                yield path


def _holds(path: Path, name: bytes, viewer: Viewer) -> bool:
    around = 8 * len(name)
    try:
        with path.open("rb") as file:
            before = b""
            while chunk := file.read(CHUNK_BYTES):
                text = before + chunk
                at = -1
                while (at := text.find(name, at + 1)) >= 0:
                    if viewer.is_in(text[max(0, at - around) : at + len(name) + around]):
                        return True
                before = text[-2 * around :]
    except OSError:  # removed meanwhile
        return False
    return False
