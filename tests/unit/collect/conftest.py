"""A small MaxMind-format file, made here: real ones have licences of their own."""

import ipaddress
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Ranges = Mapping[str, Mapping[str, Any]]
WriteMmdb = Callable[[Path, Ranges], None]


def _control(kind: int, size: int) -> bytes:
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind > 7:
        return bytes([low, kind - 7]) + more
    return bytes([kind << 5 | low]) + more


class _Small(int):
    """A number of 16 bits, where the format wants one."""


class _Large(int):
    """A number of 64 bits."""


def _encoded(value: Any) -> bytes:
    if isinstance(value, _Small):
        return _control(5, 2) + struct.pack(">H", value)
    if isinstance(value, _Large):
        return _control(9, 8) + struct.pack(">Q", value)
    if isinstance(value, str):
        text = value.encode()
        return _control(2, len(text)) + text
    if isinstance(value, int):
        return _control(6, 4) + struct.pack(">I", value)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encoded, value))
    pairs = (_encoded(key) + _encoded(one) for key, one in value.items())
    return _control(7, len(value)) + b"".join(pairs)


def _tree(ranges: Ranges) -> tuple[list[list[int | None]], bytes]:
    """Nodes of two records each: a node's index, None, or -1 - offset of a value."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    for text, record in ranges.items():
        network = ipaddress.ip_network(text)
        bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
        if network.version == 4:
            bits = "0" * 96 + bits
        at = 0
        for bit in map(int, bits[:-1]):
            after = nodes[at][bit]
            if after is None:
                nodes.append([None, None])
                after = nodes[at][bit] = len(nodes) - 1
            at = after
        nodes[at][int(bits[-1])] = -1 - len(data)
        data += _encoded(record)
    return nodes, data


def _write(path: Path, ranges: Ranges) -> None:
    nodes, data = _tree(ranges)
    tree = b""
    for record in (record for node in nodes for record in node):
        number = len(nodes) if record is None else record
        tree += (number if number >= 0 else len(nodes) + 16 - 1 - number).to_bytes(3, "big")
    about = {
        "node_count": len(nodes),
        "record_size": _Small(24),
        "ip_version": _Small(6),
        "database_type": "Test",
        "languages": ["en"],
        "binary_format_major_version": _Small(2),
        "binary_format_minor_version": _Small(0),
        "build_epoch": _Large(1),
        "description": {"en": "synthetic"},
    }
    marker = b"\xab\xcd\xefMaxMind.com"
    draft = path.with_suffix(".new")
    draft.write_bytes(tree + b"\0" * 16 + data + marker + _encoded(about))
    draft.replace(path)


@pytest.fixture
def write_mmdb() -> WriteMmdb:
    return _write
