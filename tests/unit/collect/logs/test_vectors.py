"""Input lines and the rows they become, as data: `tests/vectors/cdn`."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.collect.logs.formats import FORMATS
from playhead.model.cdn_request import CdnRequest
from support.cdn_door import Doorstep, Sent

FOLDER = Path(__file__).parents[3] / "vectors" / "cdn"
UNSAID = msgspec.to_builtins(dict.fromkeys(CdnRequest.__struct_fields__))
for _field in msgspec.structs.fields(CdnRequest):
    if not _field.required:
        UNSAID[_field.name] = _field.default


class Vector(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    format: str
    lines: list[Any]
    rows: list[dict[str, Any]]
    parameters: str = ""
    config: dict[str, Any] = {}
    leave: list[str] = []
    """Columns that are not compared."""
    refused: list[dict[str, Any]] = []


VECTORS = [
    vector
    for path in sorted(FOLDER.glob("*.json"))
    for vector in msgspec.json.decode(path.read_bytes(), type=list[Vector])
]


def sent(vector: Vector) -> Sent:
    lines = [x.encode() if isinstance(x, str) else msgspec.json.encode(x) for x in vector.lines]
    doorstep = Doorstep(**vector.config)
    return doorstep.send(b"\n".join(lines), f"format={vector.format}{vector.parameters}")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_lines_become_rows(vector: Vector) -> None:
    left = set(vector.leave)
    found = [{k: v for k, v in row.items() if k not in left} for row in sent(vector).rows()]
    unsaid = {name: default for name, default in UNSAID.items() if name not in left}
    assert found == [unsaid | row for row in vector.rows]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_what_is_no_row_is_refused_by_itself(vector: Vector) -> None:
    answer = sent(vector).body
    told = [(one["index"], one["code"]) for one in answer["rejected"]]
    assert told == [(one["index"], one["code"]) for one in vector.refused]
    for said, one in zip(answer["rejected"], vector.refused, strict=True):
        assert one["says"] in said["message"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_no_address_is_left(vector: Vector) -> None:
    text = b"\n".join(entry.body for entry in sent(vector).entries)
    kept = vector.config.get("keep_addresses", False)
    assert kept or not any(part in text for part in (b"203.0.113.", b"198.51.100.", b"2001:db8"))


def test_every_format_has_a_vector() -> None:
    used = {sent(vector).metas()[0].source.partition("&")[0] for vector in VECTORS}
    assert used == set(FORMATS)
