"""A range becomes blocks that the store takes, cut the same way every time."""

import msgspec
import pytest

from playhead.process import loader
from playhead.process.loader import blocks

ROWS = [(number, "x" * 100) for number in range(100)]


def test_a_range_is_one_block_named_by_its_offsets() -> None:
    (block,) = blocks("events", ROWS, "3-9")
    assert block[0] == "events:3-9"
    assert block.rows == 100
    assert list(blocks("events", [], "3-9")) == []


def test_a_block_too_large_for_the_store_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "BLOCK_BYTES_MAX", 3_000)
    cut = list(blocks("events", ROWS, "3-9"))
    lines = b"".join(block.body for block in cut).splitlines()
    assert [tuple(msgspec.json.decode(line)) for line in lines] == ROWS
    assert max(len(block.body) for block in cut) <= 3_000
    assert [block[0] for block in cut[:2]] == ["events:3-9", "events:3-9:1"]
    assert list(blocks("events", ROWS, "3-9")) == cut


def test_views_of_a_repeated_range_are_named_by_what_they_hold() -> None:
    first = next(blocks("views", ROWS, "3-9", by_content=True))
    more = next(blocks("views", [*ROWS, (100, "")], "3-9", by_content=True))
    assert first.token != more.token
    assert next(blocks("views", ROWS, "3-9", by_content=True)) == first
