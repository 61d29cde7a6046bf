import pytest

from playhead.log.base import Record
from playhead.model.command import DOOR
from playhead.process.commands import cut_at_commands


def record(offset: int, door: str) -> Record:
    return Record(offset=offset, door=door, key="", received_at=0, events=0, meta=b"{}", body=b"[]")


@pytest.mark.parametrize(
    ("doors", "first"),
    [("", ""), ("rr", "rr"), ("c", "c"), ("cr", "c"), ("cc", "c"), ("rrcr", "rr"), ("rrcc", "rr")],
)
def test_a_range_is_one_command_or_holds_none(doors: str, first: str) -> None:
    names = {"r": "events", "c": DOOR}
    records = [record(offset, names[door]) for offset, door in enumerate(doors)]
    cut = cut_at_commands(records)
    assert [one.door for one in cut] == [names[door] for door in first]
    assert cut == records[: len(cut)]
