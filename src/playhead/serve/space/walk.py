"""What lies in the data folder, and how much disk each part of it takes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

FILES_MAX: Final = 3_000_000
"""Most files and folders looked at; beyond it the sums are too small, and say so."""
STORE: Final = "store"
RUN: Final = "run"
"""What lives as long as the server runs; a backup under way has its links there."""
FROZEN: Final = "shadow"
"""Where the engine links the parts that a backup has frozen."""
DETACHED: Final = "detached"
BLOCK_BYTES: Final = 512
_COMPANIONS: Final = ("-wal", "-shm", "-journal", ".lock", ".xml")


class Walked(msgspec.Struct, kw_only=True):
    """Bytes on disk. What several names share counts once, with the one that is live."""

    entries: dict[str, int] = {}
    """By name in the data folder, but the store's; companions of a file (`-wal`, …) with it."""
    tables: dict[str, int] = {}
    """By UUID: folders of tables, and of what the engine knows of databases."""
    detached: int = 0
    """Parts of all tables that the engine has set aside."""
    frozen: int = 0
    """What frozen parts hold that no live part does."""
    engine: int = 0
    """What else the engine keeps."""
    files: int = 0
    is_whole: bool = True

    @property
    def bytes(self) -> int:
        """Return the sum of all, as `du` would."""
        tables = sum(self.tables.values())
        return sum(self.entries.values()) + tables + self.detached + self.frozen + self.engine


def walk(data_dir: Path, *, files_max: int = FILES_MAX) -> Walked:
    """Measure a data folder; takes some seconds per million files, so call it in a thread.

    What vanishes meanwhile counts as nothing. Links are not followed.
    """
    return _Walk(files_max).take(data_dir)


class _Walk:
    """One walk: what it has seen, and how far it may go."""

    def __init__(self, files_max: int) -> None:
        self._left = files_max
        self._seen: set[tuple[int, int]] = set()
        self._found = Walked()

    def take(self, data_dir: Path) -> Walked:
        """Walk; what a backup has frozen last, for most of it are files of what is live."""
        found = self._found
        with suppress(OSError):
            found.entries["."] = self._blocks(data_dir.lstat())
        for entry in sorted(_inside(data_dir), key=lambda one: (one.name == RUN, one.name)):
            if entry.name == STORE:
                self._store(entry)
            else:
                name = _without_companion(entry.name)
                if name == STORE:
                    found.engine += self._bytes(entry)
                else:
                    found.entries[name] = found.entries.get(name, 0) + self._bytes(entry)
        found.is_whole = self._left > 0
        return found

    def _store(self, store: "os.DirEntry[str]") -> None:
        found = self._found
        found.engine += self._own(store)
        inside = {entry.name: entry for entry in _inside(store.path)}
        frozen = inside.pop(FROZEN, None)
        tables = inside.pop(STORE, None)
        if tables is not None:
            found.engine += self._own(tables)
            for group in _inside(tables.path):
                found.engine += self._own(group)
                for table in _inside(group.path):
                    self._table(table)
        for entry in inside.values():
            found.engine += self._bytes(entry)
        if frozen is not None:
            found.frozen += self._bytes(frozen)

    def _table(self, table: "os.DirEntry[str]") -> None:
        size = self._own(table)
        for entry in _inside(table.path):
            if entry.name == DETACHED:
                size += self._own(entry)
                self._found.detached += sum(self._bytes(one) for one in _inside(entry.path))
            else:
                size += self._bytes(entry)
        self._found.tables[table.name] = size

    def _bytes(self, top: "os.DirEntry[str]") -> int:
        """Return what an entry takes, with all below it."""
        total = 0
        todo = [top]
        while todo and self._left > 0:
            entry = todo.pop()
            total += self._own(entry)
            if entry.is_dir(follow_symlinks=False):
                todo += _inside(entry.path)
        return total

    def _own(self, entry: "os.DirEntry[str]") -> int:
        with suppress(OSError):
            return self._blocks(entry.stat(follow_symlinks=False))
        return 0

    def _blocks(self, stat: os.stat_result) -> int:
        self._left -= 1
        self._found.files += 1
        if stat.st_nlink > 1 and stat.st_blocks:
            node = (stat.st_dev, stat.st_ino)
            if node in self._seen:
                return 0
            self._seen.add(node)
        return stat.st_blocks * BLOCK_BYTES


def _inside(folder: Path | str) -> Iterator["os.DirEntry[str]"]:
    """Yield what lies in a folder; nothing where there is none (any more)."""
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries


def _without_companion(name: str) -> str:
    for ending in _COMPANIONS:
        name = name.removesuffix(ending)
    return name
