"""Whatever comes: a row, or a refusal that says why and keeps what came."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from playhead.project.expression import fault, parts, tokens
from playhead.project.fixtures import blocks
from playhead.project.resources import Column, Datasource
from playhead.project.rows import Refused, RowReader

TYPES = (
    "String", "Nullable(UInt8)", "Int64", "Float32", "Decimal(10, 2)", "Bool", "UUID", "Date",
    "DateTime", "DateTime64(3)", "Enum8('a' = 1)", "IPv4", "IPv6", "FixedString(3)",
    "Array(Array(Int8))", "Map(String, Date)", "Tuple(UInt8, String)", "Tuple(a UInt8)", "JSON",
    "Nested(a UInt8)", "Dynamic", "Variant(UInt8, String)", "LowCardinality(Nullable(String))",
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS | st.datetimes().map(str) | st.dates().map(str) | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def every(default: str | None = None, path: str = "$.v") -> RowReader:
    columns = tuple(
        Column(name=f"c{number}", type=kind, json_path=path, default=default)
        for number, kind in enumerate(TYPES)
    )
    return RowReader(Datasource(name="v", path="v", columns=columns))


EACH = [
    RowReader(
        Datasource(name="v", path="v", columns=(Column(name="v", type=kind, json_path="$.v"),))
    )
    for kind in TYPES
]
EVERY = every()


@given(VALUES)
def test_one_value_is_a_row_or_a_refusal(value: Any) -> None:
    for reader in EACH:
        row = reader.row({"v": value})
        if isinstance(row, Refused):
            assert row.columns == ("v",)
            assert row.reasons[0]
        else:
            assert len(reader.body([row]).splitlines()) == 1


@given(VALUES)
def test_line_and_event_agree(value: Any) -> None:
    event = {"v": value}
    for reader in EACH:
        line = reader.line(msgspec.json.encode(event))
        assert reader.row(event).__class__ is line.__class__


@given(VALUES)
def test_a_refusal_names_only_columns_at_fault(value: Any) -> None:
    found = EVERY.row({"v": value})
    alone = [isinstance(reader.row({"v": value}), Refused) for reader in EACH]
    assert isinstance(found, Refused) is any(alone)
    if isinstance(found, Refused):
        assert len(found.columns) == sum(alone)
        assert len(found.values) == len(TYPES)


@given(st.lists(st.text()))
def test_cells_are_a_row_or_a_refusal(cells: list[str]) -> None:
    row = EVERY.csv(cells)
    assert isinstance(row, (list, Refused))
    assert not isinstance(row, Refused) or row.reasons


@given(st.binary() | st.text().map(str.encode))
def test_any_file_is_counted_to_the_last_line(data: bytes) -> None:
    lines = [line for line in data.split(b"\n") if line.strip()]
    found = list(blocks(EACH[0], data, "ndjson"))
    if data.lstrip()[:1] != b"[":
        assert sum(one.row_count + len(one.refused) for one in found) == len(lines)
    else:
        assert len(found) <= 1


SQL = st.text(alphabet="ab01'\"`()[]{},;-/*# \\$\n\u2018") | st.text()


@given(SQL)
def test_what_passes_as_an_expression_cannot_end_it(sql: str) -> None:
    if fault(sql) == "":
        outside = "".join(t.text for t in tokens(sql) if t.kind not in ("text", "name"))
        assert not any(mark in outside for mark in (";", "--", "/*", "#"))
        assert outside.count("(") == outside.count(")")


@given(st.lists(st.sampled_from(["a", "f(x, y)", "'a,b'", "`c,d`", "[1, 2]"]), min_size=1))
def test_parts_put_together_are_the_same_again(some: list[str]) -> None:
    assert parts(", ".join(some)) == some
    assert fault(",".join(some)) == ""
