"""The port of a bucket: whole files by path."""

from collections.abc import AsyncIterator
from typing import Final, Protocol

import msgspec

PATH_CHARS_MAX: Final = 1_000
"""Longest path of a file: object stores take 1,024 bytes."""


class Bucket(Protocol):
    """A place for files."""

    async def put(self, path: str, content: AsyncIterator[bytes]) -> int:
        """Write a file as a whole; one of this path makes way when the new one is complete.

        Args:
            path: Relative, with `/`; `fitting` has seen it.
            content: Its bytes. What it raises ends the writing; the old file stays.

        Returns:
            How many bytes were written.

        Raises:
            BucketRefused: It could not be written.
        """
        ...


class Kept(msgspec.Struct, frozen=True):
    """A file of an archive, by its path in it."""

    path: str
    bytes: int


class Archive(Bucket, Protocol):
    """A bucket that is read again."""

    def get(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes.

        Raises:
            NotFound: There is no such file.
            BucketRefused: It could not be read.
        """
        ...

    def listed(self, prefix: str) -> AsyncIterator[Kept]:
        """Yield the files below a folder, in any order; raises BucketRefused."""
        ...

    async def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error. Raises BucketRefused."""
        ...

    def free_bytes(self) -> int | None:
        """Return how much it can still take; None = nobody knows."""
        ...


def fitting(path: str) -> str:
    """Return a path as every bucket takes it: without empty parts, `.` and `..`.

    Raises:
        ValueError: It is empty, too long, or holds what cannot be in a path.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", "."}]
    found = "/".join(parts)
    if not found or ".." in parts or not found.isprintable():
        raise ValueError(f"'{path[:80]}' is no path of a file")
    if len(found.encode()) > PATH_CHARS_MAX:
        raise ValueError(f"'{path[:80]}…' is longer than {PATH_CHARS_MAX} bytes")
    return found
