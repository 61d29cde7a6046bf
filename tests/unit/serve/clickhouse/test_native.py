"""The little of the Native format that is written here."""

import pytest

from playhead.errors import QueryFailed
from playhead.serve.clickhouse.native import for_revision, head

BLOCK = (
    b"\x02\x02\x01aUInt8".replace(b"aUInt8", b"a\x05UInt8")
    + b"\x07\x08"
    + b"\x01b\x06String\x01x\x02yz"
)


def test_a_head_has_names_and_types_and_no_rows() -> None:
    assert (
        head([("a", "UInt8"), ("é", "String")]) == b"\x02\x00\x01a\x05UInt8\x02\xc3\xa9\x06String"
    )


def test_a_block_is_written_for_a_revision() -> None:
    assert for_revision(BLOCK, 0) == BLOCK
    assert for_revision(BLOCK, 54_405) == b"\x01\x00\x02\xff\xff\xff\xff\x00" + BLOCK
    assert b"\x05UInt8\x00\x07\x08\x01b\x06String\x00\x01x" in for_revision(BLOCK, 54_454)


def test_other_types_are_refused() -> None:
    with pytest.raises(QueryFailed):
        for_revision(b"\x01\x01\x01a\x0cArray(UInt8)\x01", 54_454)
