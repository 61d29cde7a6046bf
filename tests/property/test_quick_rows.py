"""The quick way from lines to rows takes nothing that the careful way does not make the same of."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from playhead.project.resources import Column, Datasource
from playhead.project.rows import RowReader

TYPES = (
    "String", "LowCardinality(String)", "Nullable(String)", "Int8", "UInt8", "UInt32", "Int64",
    "UInt64", "Nullable(Int64)", "Int128", "Float32", "Nullable(Float64)", "Bool",
    "Nullable(Bool)", "UUID", "Date", "DateTime", "Nullable(DateTime64(3))", "Enum8('a' = 1)",
    "IPv4", "Array(String)", "Array(UInt8)", "Map(String, String)", "JSON", "FixedString(3)",
)  # fmt: skip
EACH = [
    RowReader(Datasource(name="v", path="v", columns=(
        Column(name="v", type=kind, json_path="$.v", default=default),
        Column(name="w", type="Nullable(String)", json_path="$.w"),
    )))
    for kind in TYPES
    for default in (None, "'2030-01-01'")
    if default is None or not kind.startswith("Nullable")
]  # fmt: skip
EDGES = st.sampled_from([
    0, -1, 127, 128, 255, 256, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1,
    2**64, -(2**63), -(2**63) - 1, 2**100, 0.0, -0.0, 1.0, 1.5, 1e15, 1e22, 1e300, True, False, None,
    "", "a", "1", "nan", "2030-01-01", "2030-02-30", "2030-01-01 10:00:00", "2030-01-01T10:00:00.5Z",
    "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "192.0.2.1", [], ["a"], ["a", None], [1], {}, {"a": "b"},
])  # fmt: skip
VALUES = EDGES | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.fixed_dictionaries({}, optional={"v": VALUES, "w": VALUES, "x": VALUES})
RAW = st.sampled_from([
    b"", b" ", b"{", b"null", b"[]", b'{"v":1}{"v":2}', b'{"v":1e999}', b'{"w":"\xc3"}', b'{"x":1e999}',
    b'{"v":"\\ud800"}', b'{"v":1,"v":2}', b'{"\\u0076":1}', b'{"v":01}', b'{"v":1.}', b'{"v":-0}',
    b'{"v":1E2}', b'{"v":12345678901234567890123}', b'{"v":\n1}', b'{"v":"a"} ', b'{"v":0.1}',
])  # fmt: skip
LINES = st.lists(EVENTS.map(msgspec.json.encode) | RAW, min_size=1, max_size=3)


@given(LINES)
def test_quick_and_careful_are_the_same(lines: list[bytes]) -> None:
    for reader in EACH:
        assert reader.batch(lines) == reader.careful_batch(lines)


@given(EVENTS)
def test_what_both_take_is_one_line(event: dict[str, Any]) -> None:
    for reader in EACH:
        body, count, refused = reader.batch([msgspec.json.encode(event)])
        assert (count, len(refused)) in {(1, 0), (0, 1)}
        assert body.count(b"\n") == count
