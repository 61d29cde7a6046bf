"""The Native format, as far as we write it ourselves: the head of an empty result, and a greeting.

Results are written by the engine for revision 0 of the protocol, whatever a client says. Clients in Go
read the answer to their first statement for their own revision before they ask for ours.
"""

from collections.abc import Iterable
from typing import Final

from playhead.errors import QueryFailed

BLOCK_INFO: Final = 51_903
"""From this revision on a block begins with what it is."""
CUSTOM_SERIALIZATION: Final = 54_454
"""From this one on a column says whether it is written in a way of its own."""
_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_WIDTHS: Final = {
    "UInt8": 1, "Int8": 1, "UInt16": 2, "Int16": 2, "UInt32": 4, "Int32": 4, "UInt64": 8, "Int64": 8,
}  # fmt: skip


def head(columns: Iterable[tuple[str, str]]) -> bytes:
    """Return a block without rows: the names and types of the columns."""
    named = list(columns)
    parts = [_number(len(named)), _number(0)]
    for name, kind in named:
        parts += [_text(name), _text(kind)]
    return b"".join(parts)


def for_revision(block: bytes, revision: int) -> bytes:
    """Return a block of texts and whole numbers as a client of a revision reads it.

    Raises:
        QueryFailed: It holds columns of other types.
    """
    if revision < BLOCK_INFO:
        return block
    count, at = _read_number(block, 0)
    rows, at = _read_number(block, at)
    parts = [_INFO, _number(count), _number(rows)]
    for _ in range(count):
        name, at = _read_text(block, at)
        kind, at = _read_text(block, at)
        start = at
        if kind.decode() in _WIDTHS:
            at += rows * _WIDTHS[kind.decode()]
        elif kind == b"String":
            for _ in range(rows):
                _, at = _read_text(block, at)
        else:
            raise QueryFailed(
                f"Code: 48. DB::Exception: {kind.decode()} cannot be sent for this revision."
                " (NOT_IMPLEMENTED)",
                engine_code=48,
            )
        flag = b"\x00" if revision >= CUSTOM_SERIALIZATION else b""
        parts += [_number(len(name)), name, _number(len(kind)), kind, flag, block[start:at]]
    return b"".join(parts)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw)) + raw


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_number(block: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = block[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _read_text(block: bytes, at: int) -> tuple[bytes, int]:
    length, at = _read_number(block, at)
    return block[at : at + length], at + length
