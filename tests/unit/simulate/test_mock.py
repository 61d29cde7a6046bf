from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from playhead.errors import ProjectInvalid
from playhead.project.folder import read_project, read_texts
from playhead.project.resources import Datasource
from playhead.project.rows import RowReader
from playhead.simulate.mock import rows

UNTIL = datetime(2025, 3, 1, tzinfo=UTC)
PROJECTS = sorted((Path(__file__).parents[2] / "conformance/projects").iterdir())
TYPES = (
    "String", "LowCardinality(String)", "Nullable(String)", "LowCardinality(Nullable(String))",
    "FixedString(4)", "UUID", "Bool", "UInt8", "Int8", "UInt64", "Int256", "Float32",
    "Decimal(9, 2)", "Decimal64(4)", "Date", "Date32", "DateTime", "DateTime('UTC')",
    "DateTime64(3)", "DateTime64(9, 'UTC')", "IPv4", "IPv6", "Enum8('a=b' = 1, 'c' = 2)",
    "Array(String)", "Array(Array(UInt8))", "Map(String, UInt32)", "Tuple(a String, b UInt8)",
    "Array(Tuple(String, Float64))", "SimpleAggregateFunction(sum, UInt64)", "JSON",
)  # fmt: skip


def source(schema: str) -> Datasource:
    project = read_texts({"datasources/one.datasource": f"SCHEMA >\n    {schema}\n"})
    assert not project.problems, project.problems
    return project.datasources["one"]


def refused(one: Datasource, count: int = 30) -> list[object]:
    made = list(rows(one, count=count, seed=7, until=UNTIL))
    _, _, found = RowReader(one).batch([msgspec.json.encode(event) for event in made])
    return [reason.reasons for reason in found]


@pytest.mark.parametrize("type_", TYPES)
def test_rows_of_every_type_are_taken(type_: str) -> None:
    assert refused(source(f"`c` {type_}")) == []
    assert refused(source(f"`c` {type_} `json:$.a.b`")) == []


def test_paths_into_objects_and_arrays_are_filled_together() -> None:
    one = source(
        "`whole` String `json:$.order`, `id` String `json:$.order.id`,"
        " `names` Array(String) `json:$.order.items[:].name`,"
        " `prices` Array(Float64) `json:$.order.items[:].price`, `all` String `json:$`"
    )
    assert refused(one) == []
    (event,) = rows(one, count=1, seed=1, until=UNTIL)
    assert {"name", "price"} == set(event["order"]["items"][0])


def test_the_same_seed_makes_the_same_rows_up_to_the_time_given() -> None:
    one = source("`at` DateTime, `title` String")
    first = list(rows(one, count=50, seed=3, until=UNTIL))
    assert first == list(rows(one, count=50, seed=3, until=UNTIL))
    assert first != list(rows(one, count=50, seed=4, until=UNTIL))
    times = [event["at"] for event in first]
    assert times == sorted(times)
    assert times[-1] <= "2025-03-01 00:00:00"


def test_a_column_of_states_is_refused_by_name() -> None:
    with pytest.raises(ProjectInvalid, match=r"one.datasource:2: .*'n' .*states"):
        list(rows(source("`n` AggregateFunction(sum, UInt64)"), count=1, seed=1, until=UNTIL))


def _sources() -> Iterator[tuple[str, Datasource]]:
    for folder in PROJECTS:
        for name, one in read_project(folder).datasources.items():
            if not any("AggregateFunction" in c.type[:17] for c in one.columns):
                yield f"{folder.name}-{name}", one


@pytest.mark.parametrize(("_name", "one"), [pytest.param(*each, id=each[0]) for each in _sources()])
def test_whole_projects_take_their_rows(_name: str, one: Datasource) -> None:
    assert refused(one) == []
