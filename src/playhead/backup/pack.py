"""Packs: files that are sent together, as one tar; a part of a table is one, and so is a segment.

A pack is named by what it holds, so what has not changed has the name it had, and is not sent again.
"""

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal

import msgspec
import zstandard

from playhead.errors import BackupDamaged

Kind = Literal["part", "segment", "file", "bundle"]
READ_BYTES: Final = 1 << 20
CHUNK_BYTES: Final = 4 << 20
"""About this much goes to the bucket at a time."""
LEVEL: Final = 1
SAID_MAX_BYTES: Final = 1 << 16
"""Of a part's files of text, which say what its other files hold, so much is read for its name."""
SAYING: Final = (".txt", ".json")
MEMBERS_MAX: Final = 1_000_000
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class File(msgspec.Struct, frozen=True):
    """A file of a pack: its name there, where it is now, and how much of it belongs to the pack."""

    name: str
    source: Path
    bytes: int


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Files that are sent together; `root` is the folder they are in, below the data folder."""

    kind: Kind
    root: str
    files: tuple[File, ...]
    stamp: str = ""
    """Of what never changes in place: the same stamp and place mean the same content."""

    @property
    def bytes(self) -> int:
        """Return how much it holds."""
        return sum(file.bytes for file in self.files)

    @property
    def form(self) -> str:
        """Return how it is packed: columns are compressed already."""
        return "tar" if self.kind == "part" else "tar.zst"


def file_of(path: Path, name: str) -> File:
    """Return a file as it is now."""
    return File(name, path, path.stat().st_size)


def key_of(pack: Pack) -> str:
    """Return the name of what a pack holds.

    Of a part the small files of text are read, which hold the engine's own checksums of the others;
    of everything else all is read.
    """
    hashed = hashlib.sha256(msgspec.json.encode((pack.kind, pack.root)))
    for file in sorted(pack.files, key=lambda one: one.name):
        hashed.update(msgspec.json.encode((file.name, file.bytes)))
        whole = pack.kind != "part" or (file.name.endswith(SAYING) and file.bytes <= SAID_MAX_BYTES)
        if whole:
            for chunk in _content(file):
                hashed.update(chunk)
    return hashed.hexdigest()


def packed(pack: Pack) -> Iterator[bytes]:
    """Yield a pack as it is sent, in chunks of about `CHUNK_BYTES`.

    Raises:
        BackupDamaged: A file has become shorter.
    """
    if pack.form == "tar":
        yield from _gathered(_tar(pack.files))
        return
    compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj()

    def squeezed() -> Iterator[bytes]:
        for chunk in _tar(pack.files):
            yield compressor.compress(chunk)
        yield compressor.flush()

    yield from _gathered(squeezed())


def unpack(source: Path, form: str, target: Path) -> int:
    """Write the files of a pack into a folder, for this user alone; return how many bytes.

    Raises:
        BackupDamaged: It is no such pack, or names a place outside of the folder.
    """
    written = 0
    try:
        with ExitStack() as held:
            stream: IO[bytes] = held.enter_context(source.open("rb"))
            if form == "tar.zst":
                stream = held.enter_context(zstandard.ZstdDecompressor().stream_reader(stream))
            tar = held.enter_context(tarfile.open(fileobj=stream, mode="r|"))
            for number, member in enumerate(tar):
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or number >= MEMBERS_MAX:
                    raise BackupDamaged(f"The pack {source.name} holds what is no file.")
                written += _write(target / inside(member.name), content)
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BackupDamaged(f"The pack {source.name} cannot be unpacked ({error}).") from error
    return written


def inside(name: str) -> PurePosixPath:
    """Return a relative path that stays where it is put; raises BackupDamaged."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise BackupDamaged(f"The backup names a place outside of the folder: '{name[:80]}'.")
    return path


def _write(path: Path, content: IO[bytes]) -> int:
    make_folder(path.parent)
    written = 0
    with path.open("xb") as file:
        path.chmod(_FILE_MODE)
        while chunk := content.read(READ_BYTES):
            written += file.write(chunk)
    return written


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, for this user alone."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def _tar(files: Sequence[File]) -> Iterator[bytes]:
    for file in sorted(files, key=lambda one: one.name):
        info = tarfile.TarInfo(file.name)
        info.size, info.mode = file.bytes, _FILE_MODE
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from _content(file)
        yield bytes(-file.bytes % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _content(file: File) -> Iterator[bytes]:
    """Yield the bytes of a file that belong to the pack; what was added behind them does not."""
    left = file.bytes
    with file.source.open("rb") as opened:
        while left:
            chunk = opened.read(min(READ_BYTES, left))
            if not chunk:
                raise BackupDamaged(f"{file.name} became shorter while it was read.")
            left -= len(chunk)
            yield chunk


def _gathered(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in fewer, larger chunks."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
