"""A folder of this machine as a bucket."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Final

from playhead.connect.buckets.bucket import Kept, fitting
from playhead.errors import BucketRefused, NotFound

DRAFT: Final = ".draft-"
READ_BYTES: Final = 1 << 20


class Folder:
    """Files below one folder; links out of it are not followed.

    Args:
        root: The folder; made at the first writing.
        private: Only this user may read what is written, and the folders it is in.
    """

    def __init__(self, root: Path, *, private: bool = False) -> None:
        self._root = root
        self._private = private

    async def put(self, path: str, content: AsyncIterator[bytes]) -> int:
        """Write a file as a whole; see `Bucket.put`."""
        try:
            target = await asyncio.to_thread(self._target, fitting(path))
            draft = target.with_name(f"{DRAFT}{secrets.token_hex(8)}")
            try:
                written = await _write(draft, content, 0o600 if self._private else 0o666)
                await asyncio.to_thread(_move, draft, target)
            finally:
                await asyncio.to_thread(draft.unlink, missing_ok=True)
        except (OSError, ValueError) as error:
            raise BucketRefused(f"The file '{path[:200]}' was not written: {error}.") from error
        return written

    async def get(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes; see `Archive.get`."""
        try:
            file = await asyncio.to_thread(self._opened, fitting(path))
            try:
                while chunk := await asyncio.to_thread(file.read, READ_BYTES):
                    yield chunk
            finally:
                file.close()
        except FileNotFoundError as error:
            raise NotFound(f"There is no file '{path[:200]}' in {self._root}.") from error
        except (OSError, ValueError) as error:
            raise BucketRefused(f"The file '{path[:200]}' was not read: {error}.") from error

    async def listed(self, prefix: str) -> AsyncIterator[Kept]:
        """Yield the files below a folder, drafts too; see `Archive.listed`."""
        try:
            found = await asyncio.to_thread(lambda: list(self._walked(fitting(prefix))))
        except (OSError, ValueError) as error:
            raise BucketRefused(f"The folder {self._root} was not read: {error}.") from error
        for one in found:
            yield one

    async def remove(self, path: str) -> None:
        """Remove a file; see `Archive.remove`."""
        try:
            target = self._root / fitting(path)
            await asyncio.to_thread(target.unlink, missing_ok=True)
            await asyncio.to_thread(self._tidy, target.parent)
        except (OSError, ValueError) as error:
            raise BucketRefused(f"The file '{path[:200]}' was not removed: {error}.") from error

    def free_bytes(self) -> int | None:
        """Return the free space of its disk."""
        place = self._root
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    def _opened(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")

    def _walked(self, prefix: str) -> Iterator[Kept]:
        for folder, _, names in os.walk(self._root / prefix):
            for name in names:
                file = Path(folder, name)
                try:
                    size = file.stat().st_size
                except FileNotFoundError:  # removed meanwhile
                    continue
                yield Kept(file.relative_to(self._root).as_posix(), size)

    def _tidy(self, folder: Path) -> None:
        """Remove a folder that has become empty; the root stays."""
        if folder == self._root:
            return
        try:
            folder.rmdir()
        except OSError:  # something is in it
            return

    def _target(self, path: str) -> Path:
        target = self._root / path
        if self._private and not target.parent.exists():
            for folder in reversed([target.parent, *target.parent.parents]):
                folder.mkdir(mode=0o700, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(self._root.resolve()):
            raise ValueError("it lies outside of the folder")
        return target


def _move(draft: Path, target: Path) -> None:
    """Put a file in place, and its name on disk."""
    draft.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _write(draft: Path, content: AsyncIterator[bytes], mode: int) -> int:
    written = 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        async for chunk in content:
            written += len(chunk)
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.flush)
        await asyncio.to_thread(os.fsync, file.fileno())
    return written
