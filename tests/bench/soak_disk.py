"""A disk of its own for a soak, that can be filled without harm to the machine's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20
DISK_BYTES: Final = 6_144 * MIB
MEMORY_DISK_BYTES: Final = 2_048 * MIB
FLOOR_BYTES: Final = 512 * MIB


class Disk:
    """Where the data folder lies. `kind` says what it is, in words for the report."""

    def __init__(self, folder: Path, kind: str, *, fillable: bool) -> None:
        self.folder = folder
        self.kind = kind
        self.fillable = fillable
        self._ballast = folder / "ballast"

    def fill(self, *, leave: int) -> None:
        """Take all free space but `leave` bytes, at once where the file system can."""
        with self._ballast.open("ab") as file:
            while (free := self.free_bytes()) > leave + MIB:
                take = free - leave
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), take)
                except OSError:  # the server, or the file system's own needs, were faster
                    take = min(take, 64 * MIB)
                    if not self._grown(file.fileno(), take):
                        return

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return what is free."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def _grown(self, descriptor: int, most: int) -> bool:
        while most >= 4_096:
            try:
                os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, most)
            except OSError:
                most //= 2
            else:
                return True
        return False


@contextmanager
def own_disk(folder: Path) -> Iterator[Disk]:
    """A file system in a file, one in memory, or, without the right to mount, the folder itself."""
    place = folder / "disk"
    place.mkdir(parents=True)
    kind = _mounted(folder / "disk.img", place)
    if not kind:
        yield Disk(place, "the machine's own; full disks are played by the floor", fillable=False)
        return
    try:
        yield Disk(place, kind, fillable=True)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def _mounted(image: Path, place: Path) -> str:
    """Mount something small; return what it is, or nothing."""
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    size = f"{DISK_BYTES / (1 << 30):g} GiB"
    # Without reserved blocks: root, too, must find the disk full.
    if _ran("mkfs.ext4", "-q", "-m", "0", "-F", str(image)) and _ran(
        "mount", "-o", "loop", str(image), str(place)
    ):
        return f"ext4 of {size} in a file"
    image.unlink()
    options = f"size={MEMORY_DISK_BYTES}"
    if _ran("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)):
        return f"tmpfs of {MEMORY_DISK_BYTES / (1 << 30):g} GiB"
    return ""


def _ran(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
