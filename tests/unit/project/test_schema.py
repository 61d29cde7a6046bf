import pytest

from playhead.project.lines import lines_of
from playhead.project.problem import Unreadable
from playhead.project.schema import COLUMNS_MAX, read_schema


def test_a_problem_of_one_column_leaves_the_others_their_own() -> None:
    with pytest.raises(Unreadable) as caught:
        read_schema(lines_of("a Strng,\nb String,\n  c Int", "x"))
    assert [(one.line, one.column) for one in caught.value.problems] == [(1, 3), (3, 5)]


def test_columns_have_a_limit() -> None:
    text = ",\n".join(f"c{number} String" for number in range(COLUMNS_MAX))
    assert len(read_schema(lines_of(text, "x"))) == COLUMNS_MAX
    with pytest.raises(Unreadable, match="at most 1000 columns"):
        read_schema(lines_of(f"{text}, more String", "x"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Array( Nullable (String) )", "Array(Nullable(String))"),
        ("Tuple(id  String,n UInt8)", "Tuple(id String, n UInt8)"),
        ("DateTime64( 3 ,'UTC' )", "DateTime64(3, 'UTC')"),
        (
            "Nullable(SimpleAggregateFunction(any,String))",
            "SimpleAggregateFunction(any, Nullable(String))",
        ),
        ("Nullable(SimpleAggregateFunction(any))", "Nullable(SimpleAggregateFunction(any))"),
    ],
)
def test_types_are_written_in_one_way(given: str, read: str) -> None:
    [column] = read_schema(lines_of(f"a {given}", "x"))
    assert column.type == read
    assert read_schema(lines_of(f"a {read}", "x")) == (column,)


def test_no_lines_are_no_columns() -> None:
    assert read_schema([]) == ()
    assert read_schema(lines_of("  -- nothing", "x")) == ()
