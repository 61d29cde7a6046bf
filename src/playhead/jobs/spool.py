"""The files of imports on their way: `<data_dir>/imports/<job>/`, on disk before anybody is answered."""

import gzip
import io
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import zstandard

from playhead.config import Config
from playhead.errors import BodyTooLarge, DiskLow, InvalidBody

FOLDER: Final = "imports"
BODY: Final = "body"
"""The file as it was sent."""
ROWS: Final = "rows"
"""The same in a form that is read in pieces, where it was sent in another."""
LOOK_BYTES: Final = 32 * 1024 * 1024
"""After so many bytes free space and limits are looked at again."""
READ_BYTES: Final = 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_WINDOW_BYTES: Final = 1 << 27
_ZSTD_READ_BYTES: Final = 1_024
"""A few bytes of zstd may unpack to thirty thousand times as many."""


class Spooled(msgspec.Struct, frozen=True):
    """What lies in a file: bytes `start` to `end` of it."""

    start: int
    end: int


class Spool:
    """Keeps the files of imports within their limits."""

    def __init__(self, config: Config) -> None:
        self._root = config.data_dir / FOLDER
        self._limits = config.jobs
        self._floor_bytes = config.log.free_space_floor_bytes

    def folder(self, job: str) -> Path:
        """Return the folder of a job's files."""
        return self._root / job

    def writer(self, job: str) -> "SpoolWriter":
        """Return what a job's file is written with.

        Raises:
            DiskLow: There is no room for one more.
        """
        self.check()
        folder = self.folder(job)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return SpoolWriter(self, folder / BODY, self._limits.max_import_bytes)

    def check(self) -> None:
        """Return if there is room for more.

        Raises:
            DiskLow: There is none.
        """
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._root).free < self._floor_bytes:
            raise DiskLow(
                "The disk is below its floor; the import was not taken.", retry_after_s=30
            )
        if self.size() > self._limits.max_spool_bytes:
            raise DiskLow(
                "The files of imports take as much as jobs.max_spool_bytes allows; this one was"
                " not taken.",
                retry_after_s=30,
            )

    def size(self) -> int:
        """Return how many bytes all files take."""
        total = 0
        for path in self._root.glob("*/*"):
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def has(self, job: str) -> bool:
        """Return whether a job's file is there."""
        return (self.folder(job) / BODY).exists() or (self.folder(job) / ROWS).exists()

    def drop(self, job: str) -> None:
        """Remove a job's files; calling it again does nothing."""
        shutil.rmtree(self.folder(job), ignore_errors=True)

    def sweep(self, wanted: Iterable[str], *, older_than_ms: int) -> None:
        """Remove the files of all other jobs; younger ones may be of a job that is still to come."""
        keep = set(wanted)
        if not self._root.is_dir():
            return
        for folder in self._root.iterdir():
            with suppress(OSError):
                changed_ms = folder.stat().st_mtime_ns // 1_000_000
                if folder.name not in keep and changed_ms < older_than_ms:
                    shutil.rmtree(folder, ignore_errors=True)


class SpoolWriter:
    """Writes one file; it counts once `close` has returned. Leave it to release the file."""

    def __init__(self, spool: Spool, path: Path, bytes_max: int) -> None:
        self._spool = spool
        self._path = path
        self._max = bytes_max
        self._file = path.open("wb")
        self._looked = 0
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            BodyTooLarge: More than `jobs.max_import_bytes`.
            DiskLow: No room is left.
        """
        self.size += len(data)
        if self.size > self._max:
            raise BodyTooLarge(
                f"The file has more than {self._max} bytes; nothing of it was imported.",
                hint="Import it in parts, or raise jobs.max_import_bytes.",
            )
        if self.size - self._looked > LOOK_BYTES:
            self._looked = self.size
            self._spool.check()
        try:
            self._file.write(data)
        except OSError as error:
            raise DiskLow(f"The file cannot be kept ({error}); nothing was imported.") from error

    def close(self) -> None:
        """Bring the file to the disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            _sync(self._path.parent)
            _sync(self._path.parent.parent)
        except OSError as error:
            raise DiskLow(f"The file cannot be kept ({error}); nothing was imported.") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Packed:
    """A file, read unpacked where it is packed.

    Args:
        path: The file.
        part: Which bytes of it.
        bytes_max: Most bytes, unpacked.
    """

    def __init__(self, path: Path, part: Spooled, bytes_max: int) -> None:
        self._raw = _Part(path, part)
        self._max = bytes_max
        head = self._raw.peek()
        buffered: io.BufferedReader[Any] = io.BufferedReader(self._raw, READ_BYTES)
        self._read: Callable[[int], bytes] = buffered.read
        if head.startswith(_GZIP):
            self._read = gzip.GzipFile(fileobj=buffered).read
        elif head.startswith(_ZSTD):
            self._read = _Zstd(buffered).read
        self.size = 0

    @property
    def position(self) -> int:
        """Return how far the file itself was read."""
        return self._raw.tell()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end.

        Raises:
            InvalidBody: It is packed wrongly.
            BodyTooLarge: Unpacked it is larger than allowed.
        """
        found: list[bytes] = []
        left = size
        try:
            while left > 0 and (data := self._read(min(left, READ_BYTES))):
                found.append(data)
                left -= len(data)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            raise InvalidBody(f"The file cannot be unpacked ({error}).", hint=_REPACK) from error
        self.size += size - left
        if self.size > self._max:
            raise BodyTooLarge(
                f"Unpacked the file has more than {self._max} bytes.",
                hint="Import it in parts, or raise jobs.max_import_bytes.",
            )
        return b"".join(found)

    def blocks(self) -> Iterator[bytes]:
        """Yield all of it."""
        while data := self.read(READ_BYTES):
            yield data

    def close(self) -> None:
        """Release the file."""
        self._raw.close()


_REPACK: Final = "Pack it again with gzip or zstd, or send it as it is."


class _Zstd:
    """Unpacks zstd, and says so where the file ends too early, which the library's reader does not."""

    def __init__(self, file: "io.BufferedReader[Any]") -> None:
        self._file = file
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._held = bytearray()
        self._left = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        while len(self._held) < size:
            data = self._left or self._file.read(_ZSTD_READ_BYTES)
            self._left = b""
            if not data:
                if self._frame is not None:
                    raise EOFError("it ends too early")
                break
            if self._frame is None:
                self._frame = self._unpacker.decompressobj()
            self._held += self._frame.decompress(data)
            if self._frame.eof:
                self._left, self._frame = self._frame.unused_data, None
        found = bytes(self._held[:size])
        del self._held[:size]
        return found


class _Part(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, path: Path, part: Spooled) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._part = part
        self._file.seek(part.start)

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._file.tell() - self._part.start

    def peek(self) -> bytes:
        """Return the first bytes without reading on."""
        head = self._file.read(min(4, self._part.end - self._part.start))
        self._file.seek(self._part.start)
        return head

    def readinto(self, buffer: object) -> int:
        """Read into a buffer; return how many bytes."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        left = self._part.end - self._file.tell()
        return self._file.readinto(view[: max(0, left)]) or 0

    def close(self) -> None:
        """Release the file."""
        self._file.close()
        super().close()
