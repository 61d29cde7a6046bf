import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.collect.columns import EXTRA_MAX, Fault
from playhead.collect.frames import frame

FILE = Path(__file__).parents[2] / "vectors" / "frames" / "rows.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS if "row" in one], ids=lambda one: str(one["name"])
)
def test_a_record_becomes_its_row(vector: dict[str, Any]) -> None:
    assert json.loads(msgspec.json.encode(frame(vector["input"]))) == vector["row"]


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS if "fault" in one], ids=lambda one: str(one["name"])
)
def test_a_fault_names_value_and_column(vector: dict[str, Any]) -> None:
    with pytest.raises(Fault) as caught:
        frame(vector["input"])
    assert [caught.value.code, caught.value.message] == vector["fault"]


def test_unknown_fields_have_a_limit() -> None:
    many = {f"k{number}": number for number in range(EXTRA_MAX + 8)}
    found = frame({"streamId": "a", "timestamp": 1_765_837_003_411, **many})
    assert found.extra is not None
    assert list(found.extra) == list(many)[:EXTRA_MAX]


def test_every_vector_says_what_it_stands_for() -> None:
    assert len({one["name"] for one in VECTORS}) == len(VECTORS) >= 25
    assert all(one["why"] and ("row" in one) != ("fault" in one) for one in VECTORS)
