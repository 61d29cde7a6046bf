from typing import Any

import msgspec
import pytest

from playhead.errors import ProjectInvalid
from playhead.project.path import holds, reach, steps
from playhead.project.resources import Column, Datasource
from playhead.project.rows import Refused, RowReader


def reader(*columns: Column, **types: str) -> RowReader:
    return RowReader(Datasource(name="v", path="v.datasource", columns=columns), types)


def column(kind: str, path: str | None = "$.v", default: str | None = None) -> Column:
    return Column(name="v", type=kind, json_path=path, default=default)


EVENT: dict[str, Any] = {
    "a": {"b": [{"c": 1}, {"d": 2}, None]},
    "n": None,
    "x.y": 5,
    "rows": [[], [1], None],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", EVENT), ("$.a.b[:].c", [1, None, None]), ("$.a.b[:]", EVENT["a"]["b"]),
        ("$.a.b[0].c", 1), ("$.a.b[9]", None), ("$.n.x", None), ("$['x.y']", 5), ("$.none", None),
        ("$.a[:].b", EVENT["a"]), ("$.rows[:][:]", [[], [1], None]),
    ],
)  # fmt: skip
def test_a_path_reaches_its_value(path: str, found: Any) -> None:
    assert reach(steps(path))(EVENT) == found
    assert isinstance(holds(steps(path))(EVENT), bool)


@pytest.mark.parametrize("path", ["a", "", "$a", "$.", "$[x]", "$" + ".a" * 60])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="JSON path"):
        steps(path)
    with pytest.raises(ProjectInvalid):
        reader(column("String", path or "?"))


def test_nothing_and_null_are_told_apart() -> None:
    assert holds(steps("$.n"))(EVENT)
    assert not holds(steps("$.m"))(EVENT)


def test_a_row_is_in_the_order_of_the_schema() -> None:
    both = reader(
        Column(name="b", type="UInt8", json_path="$.b"),
        Column(name="a", type="String", json_path="$.a"),
    )
    assert both.row({"a": "x", "b": "7", "c": 1}) == [7, "x"]
    assert both.columns == ("b", "a")


def test_the_body_is_one_array_a_line() -> None:
    one = reader(column("String"))
    assert one.body([["a"], ["b"]]) == b'["a"]\n["b"]\n'
    assert one.insert("p") == "INSERT INTO `p`.`v` (`v`) FORMAT JSONCompactEachRow"


def test_a_nullable_column_with_default_is_left_out_when_absent() -> None:
    one = reader(
        column("Nullable(String)", default="upper('x')"),
        Column(name="n", type="UInt8", json_path="$.n"),
    )
    rows = [one.row({"n": 1}), one.row({"n": 2, "v": None})]
    assert (
        one.body([row for row in rows if isinstance(row, list)]) == b'{"n":1}\n{"v":null,"n":2}\n'
    )
    assert one.insert("p").endswith("FORMAT JSONEachRow")


def test_a_refused_row_keeps_its_values_and_says_why() -> None:
    both = reader(
        Column(name="abslevel", type="Float32", json_path="$.abslevel"),
        Column(name="tags", type="String", json_path="$.tags"),
    )
    assert both.row({"abslevel": "", "tags": [1]}) == Refused(
        ("abslevel",), ("value '' on column 'abslevel' is not Float32",), ("", "[1]")
    )
    refused = both.row({})
    assert isinstance(refused, Refused)
    assert refused.columns == ("abslevel", "tags")


def test_a_long_value_is_shown_in_part_and_kept_whole() -> None:
    refused = reader(column("UInt8")).row({"v": "9" * 5_000})
    assert isinstance(refused, Refused)
    assert len(refused.reasons[0]) < 300
    assert refused.values == ("9" * 5_000,)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"5", b'{"v": "\xff"}', b"[" * 100_000])
def test_a_line_that_is_no_object_is_refused_as_a_whole(line: bytes) -> None:
    refused = reader(column("String")).line(line)
    assert isinstance(refused, Refused)
    assert refused.columns == ()


def test_the_whole_event_keeps_its_own_text() -> None:
    one = reader(column("String", "$"))
    assert one.line(b' {"b": 1.50} ') == ['{"b": 1.50}']
    assert one.row({"b": 1.5}) == ['{"b":1.5}']


@pytest.mark.parametrize(
    ("kind", "value", "row"),
    [
        ("UInt8", 256, None), ("UInt8", "255", 255), ("Int8", True, 1), ("Int32", 4.0, 4),
        ("Int32", 4.5, None), ("UInt64", 2**64 - 1, 2**64 - 1), ("UInt64", 2**64, None),
        ("Float64", "nan", "nan"), ("Float64", "", None), ("Bool", "TRUE", True),
        ("Decimal(4, 2)", "99.999", "99.99"), ("Decimal(4, 2)", "100", None),
        ("FixedString(2)", "é", "é"), ("FixedString(2)", "éa", None),
        ("Enum8('a' = 5, 'b')", 6, "b"), ("Enum8('a;)' = 1)", "a;)", "a;)"),
        ("DateTime", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("DateTime", "2024-01-01T02:00:00+02:00", "2024-01-01 00:00:00Z"),
        ("DateTime", "2024-02-30 00:00:00", None), ("DateTime", "1969-12-31 00:00:00", None),
        ("Date", "2024-01-01T23:00:00-05:00", "2024-01-02"), ("Date", 0, "1970-01-01"),
        ("DateTime64(3)", 1704103200123, "2024-01-01 10:00:00.123000Z"),
        ("Array(UInt8)", ["1", None], [1, None]), ("Array(UInt8)", [256], None),
        ("Map(String, UInt8)", {"a": "1"}, {"a": 1}), ("Tuple(a UInt8)", {"a": 1, "b": 2}, {"a": 1}),
        ("Nullable(UInt8)", None, None), ("LowCardinality(Nullable(String))", "a", "a"),
        ("IPv6", "fe80::1%eth0", None), ("JSON", '{"a":1}', {"a": 1}), ("JSON", "x", None),
        ("SimpleAggregateFunction(sum, UInt8)", 5, 5), ("Variant(String, UInt8)", "7", 7),
    ],
)  # fmt: skip
def test_a_value_is_taken_or_refused_by_its_type(kind: str, value: Any, row: Any) -> None:
    found = reader(column(kind)).row({"v": value})
    if row is None and value is not None:
        assert isinstance(found, Refused)
        assert found.columns == ("v",)
    else:
        assert found == [row]


def test_decimals_keep_all_their_digits() -> None:
    one = reader(column("Decimal(38, 20)"))
    assert one.line(b'{"v": 0.12345678901234567890}') == ["0.12345678901234567890"]
    assert one.line(b'{"v": 1e999999999}').__class__ is Refused


def test_a_default_without_type_takes_what_the_engine_will_judge() -> None:
    assert reader(column("", default="now()")).row({"v": [1]}) == [[1]]
    assert reader(column("", default="5"), v="UInt8").row({"v": 256}).__class__ is Refused


def test_quarantine_rows_have_every_column() -> None:
    one = reader(column("UInt8"))
    refused = [
        found for found in (one.line(b"{"), one.line(b'{"v":-1}')) if isinstance(found, Refused)
    ]
    body = one.refused_body(refused, at_s=5, import_id="i")
    rows = [msgspec.json.decode(line) for line in body.splitlines()]
    assert [len(row) for row in rows] == [5, 5]
    assert rows[1] == ["-1", ["v"], ["value '-1' on column 'v' is not UInt8"], "i", 5]
