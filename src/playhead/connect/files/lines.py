"""Files line by line, plain, gzip or zstd, with a position that a later run can go on from."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import zstandard

from playhead.errors import InvalidRequest

LINE_BYTES_MAX: Final = 1 << 20
"""Longest line; a longer one is refused, the file goes on."""
FILES_MAX: Final = 100_000
"""Most files of one replay."""
HEAD_BYTES: Final = 64 << 10
"""How much of a file, besides its name and size, makes its identity."""
WINDOW_MAX_BYTES: Final = 8 << 20
"""Memory a zstd frame may ask for."""
PACKED: Final = (".gz", ".zst")
SUFFIXES: Final = (".ndjson", ".jsonl", ".json", ".log", ".csv", ".tsv", ".txt", ".cmcd")
"""What is taken out of a folder, packed or not; a file named itself may be called anything."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


class Source(msgspec.Struct, frozen=True):
    """One file. `name` is relative to what was asked for, so another machine calls it the same."""

    path: Path
    name: str
    size: int
    """Bytes on disk."""
    identity: str
    """Hash of name, size and first 64 KiB: the same file again has the same one."""


class Line(msgspec.Struct, frozen=True):
    """A line without its end. `after` = bytes of the unpacked file up to here, the end included."""

    number: int
    text: bytes
    after: int
    fault: str = ""
    """Why the line cannot be used; empty if it can."""


def find(asked: list[str]) -> list[Source]:
    """Return the files behind paths, folders and globs, each once, in the order of their names.

    Raises:
        InvalidRequest: A path is not there, a folder or glob holds nothing, a file is empty or
            cannot be read, or there are too many.
    """
    found: dict[Path, str] = {}
    for one in asked:
        for path, name in _behind(one):
            found.setdefault(path.absolute(), name)
            if len(found) > FILES_MAX:
                raise InvalidRequest(
                    f"These are more than {FILES_MAX:,} files.", hint="Replay them in parts."
                )
    return [_source(path, name) for path, name in found.items()]


def _behind(asked: str) -> list[tuple[Path, str]]:
    """Return the files behind one word of the command line with their relative names."""
    path = Path(asked)
    if path.is_dir():
        inside = sorted(child for child in path.rglob("*") if child.is_file() and _usual(child))
        if not inside:
            raise InvalidRequest(
                f"There is no file to replay in the folder {path}.",
                hint=f"It takes {', '.join(SUFFIXES)}, each also with .gz or .zst; "
                "name other files themselves.",
            )
        return [(child, child.relative_to(path).as_posix()) for child in inside]
    if path.exists():
        return [(path, path.name)]
    if any(sign in asked for sign in "*?["):
        root = Path(path.anchor)
        matches = sorted(root.glob(str(path.relative_to(root))))
        files = [match for match in matches if match.is_file()]
        if not files:
            raise InvalidRequest(f"No file matches {asked}.", hint="Check the pattern.")
        return [(match, match.name) for match in files]
    raise InvalidRequest(f"There is no file or folder {path}.", hint="Check the path.")


def _usual(path: Path) -> bool:
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(SUFFIXES) and not path.name.startswith(".")


def _source(path: Path, name: str) -> Source:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InvalidRequest(
            f"The file {path} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
    mixed = hashlib.blake2b(digest_size=16)
    mixed.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
    mixed.update(head)
    return Source(path, name, size, mixed.hexdigest())


class Lines:
    """The lines of one file, from its beginning or from where an earlier run stopped.

    Args:
        source: The file.
        number: Lines to leave out at the beginning.
        after: Where that is in bytes of the unpacked file.
    """

    def __init__(self, source: Source, *, number: int = 0, after: int = 0) -> None:
        self._source = source
        self._number = number
        self._after = after
        self._raw: BinaryIO | None = None
        self.finished = False

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file on disk have been read."""
        if self.finished:
            return self._source.size
        return 0 if self._raw is None or self._raw.closed else self._raw.tell()

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines; one that cannot be read further ends the file with a fault."""
        try:
            with self._source.path.open("rb") as raw:
                self._raw = raw
                stream = _unpacked(raw)
                if stream is raw:
                    raw.seek(self._after)
                else:
                    _skip(stream, self._after)
                yield from self._lines(stream)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield Line(self._number + 1, b"", self._after, f"cannot be read further: {reason}")
        self.finished = True

    def _lines(self, stream: BinaryIO) -> Iterator[Line]:
        while text := stream.readline(LINE_BYTES_MAX + 1):
            fault = ""
            self._after += len(text)
            if len(text) > LINE_BYTES_MAX and not text.endswith(b"\n"):
                fault = f"the line is longer than {LINE_BYTES_MAX >> 20} MiB"
                while rest := stream.readline(LINE_BYTES_MAX):
                    self._after += len(rest)
                    if rest.endswith(b"\n"):
                        break
                text = b""
            self._number += 1
            yield Line(self._number, text.rstrip(b"\r\n"), self._after, fault)


def _unpacked(raw: BinaryIO) -> BinaryIO:
    """Return the stream without its compression, which the first bytes tell better than a name."""
    magic = raw.read(4)
    raw.seek(0)
    if magic[:2] == _GZIP_MAGIC:
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if magic == _ZSTD_MAGIC:
        unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX_BYTES)
        return io.BufferedReader(unpacker.stream_reader(raw, read_across_frames=True))
    return raw


def _skip(stream: BinaryIO, count: int) -> None:
    while count > 0 and (part := stream.read(min(count, 1 << 20))):
        count -= len(part)


def first_line(source: Source) -> bytes:
    """Return the first line that is not blank, up to 64 KiB of it, to tell what the file holds.

    Raises:
        InvalidRequest: The file is empty or holds no text.
    """
    head = b""
    for line in Lines(source):
        if line.fault:
            raise InvalidRequest(
                f"The file {source.path}, line {line.number}, {line.fault}.",
                hint="Nothing of it was sent.",
            )
        head = line.text.removeprefix(b"\xef\xbb\xbf").strip()[:HEAD_BYTES]
        if head:
            break
    if not head:
        raise InvalidRequest(f"The file {source.path} is empty.", hint="Leave it out.")
    if b"\0" in head:
        raise InvalidRequest(
            f"The file {source.path} is no text.", hint="It takes lines of text, gzip or zstd."
        )
    return head
