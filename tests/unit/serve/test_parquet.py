import json

import pytest

from playhead.serve.parquet import NOTHING, TIME, columns_of, lines_of, structure_of

ROWS = [
    {"group": "a", "value": 2, "time": "2026-11-22T10:00:00.000Z", "on": True, "more": {"k": [1]}},
    {"group": "b", "value": 2.5, "time": None, "on": None, "more": None, "extra": 1},
]


def test_types_come_from_what_the_rows_hold() -> None:
    assert columns_of(ROWS, {}) == {
        "group": "Nullable(String)",
        "value": "Nullable(Float64)",
        "time": f"Nullable({TIME})",
        "on": "Nullable(Bool)",
        "more": "Nullable(String)",
        "extra": "Nullable(Float64)",
    }


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[1:], ROWS])
def test_types_do_not_hang_on_which_rows_there_are(rows: list[dict[str, object]]) -> None:
    columns = columns_of(rows, {})
    assert (columns["value"], columns["time"]) == ("Nullable(Float64)", f"Nullable({TIME})")


def test_known_columns_are_there_without_rows() -> None:
    assert columns_of([], {"a": "Nullable(Int64)"}) == {"a": "Nullable(Int64)"}
    assert columns_of([], {}) == NOTHING
    assert columns_of([{"a": 1}], {"a": "Nullable(Int64)"}) == {"a": "Nullable(Int64)"}


@pytest.mark.parametrize("values", [[1, "x"], [True, 2], [None, None], [[1], {"a": 1}]])
def test_what_has_no_type_of_its_own_is_text(values: list[object]) -> None:
    rows = [{"a": value} for value in values]
    columns = columns_of(rows, {})
    assert columns == {"a": "Nullable(String)"}
    for line in lines_of(rows, columns).splitlines():
        assert isinstance(json.loads(line)["a"], str | None)


def test_a_moment_is_one_by_name_and_value() -> None:
    rows = [{"started_at": "soon", "label": "2026-11-22T10:00:00Z", "from": "2026-11-22T10:00:00Z"}]
    columns = columns_of(rows, {})
    assert [kind for kind in columns.values() if "DateTime64" in kind] == [columns["from"]]


def test_no_name_breaks_the_structure() -> None:
    assert structure_of({"a`b\\c\n": "Nullable(String)"}) == "`a_b_c_` Nullable(String)"
