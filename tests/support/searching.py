"""Searches a data folder for a text: every file's bytes, and what is packed inside them."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import zstandard

_LZ4, _ZSTD = 0x82, 0x90


def files_with(data: Path, text: str) -> list[str]:
    """Files that hold it: as bytes, in a row of SQLite once unpacked, in a block of the engine."""
    sought = text.encode()
    found = []
    for path in sorted(one for one in data.rglob("*") if one.is_file()):
        name = path.relative_to(data).as_posix()
        content = path.read_bytes()
        if sought in content:
            found.append(name)
        if path.suffix == ".db":
            found += [f"{name}: {table}" for table, value in _rows(path) if sought in value]
        if path.suffix == ".bin" and sought in b"".join(blocks(content)):
            found.append(f"{name}: block")
    return sorted(set(found))


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        yield table, _unpacked(value)
                    elif isinstance(value, str):
                        yield table, value.encode()


def _unpacked(value: bytes) -> bytes:
    for unpack in (zstandard.ZstdDecompressor().decompress, zlib.decompress):
        try:
            return unpack(value)
        except (zstandard.ZstdError, zlib.error):
            continue
    return value


def blocks(content: bytes) -> Iterator[bytes]:
    """What the engine's compressed blocks hold: 16 bytes of checksum, method, two sizes, data."""
    at = 0
    while at + 25 <= len(content):
        method = content[at + 16]
        packed, plain = (
            int.from_bytes(content[at + place : at + place + 4], "little") for place in (17, 21)
        )
        data = content[at + 25 : at + 16 + packed]
        if method == _LZ4:
            yield _lz4(data)
        elif method == _ZSTD:
            yield zstandard.ZstdDecompressor().decompress(data, max_output_size=plain)
        else:
            yield data
        at += 16 + packed


def _lz4(data: bytes) -> bytes:
    out, at = bytearray(), 0

    def length(start: int, nibble: int) -> tuple[int, int]:
        while nibble >= 15 and data[start] == 255:
            nibble, start = nibble + 255, start + 1
        return (nibble + data[start], start + 1) if nibble >= 15 else (nibble, start)

    while at < len(data):
        token = data[at]
        count, at = length(at + 1, token >> 4)
        out += data[at : at + count]
        at += count
        if at >= len(data):
            break
        offset = int.from_bytes(data[at : at + 2], "little")
        count, at = length(at + 2, token & 15)
        for _ in range(count + 4):
            out.append(out[-offset])
    return bytes(out)
