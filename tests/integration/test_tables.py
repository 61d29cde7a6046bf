"""Tables of data sources on a real store: what the reader lets through, the engine takes."""

import operator
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.project.datasource import read_datasource
from playhead.project.resources import Column, Datasource, Engine
from playhead.project.rows import INSERT_SETTINGS, Refused, RowReader
from playhead.project.table import CREATE_SETTINGS, create_table, quarantine_table
from playhead.store.client import StoreClient
from support.running_store import running_store

TYPES = (
    "String", "LowCardinality(String)", "Nullable(String)", "FixedString(4)", "Int8", "UInt8",
    "Int16", "UInt32", "Int64", "UInt64", "Int128", "UInt256", "Float32", "Float64", "BFloat16",
    "Decimal(9, 3)", "Decimal64(2)", "Decimal(38, 10)", "Bool", "Nullable(Bool)", "UUID", "Date",
    "Date32", "DateTime", "DateTime('Europe/Stockholm')", "DateTime64(3)", "DateTime64(6, 'UTC')",
    "DateTime64(9)", "Nullable(DateTime)", "Enum8('a' = 1, 'b' = -2)", "IPv4", "IPv6",
    "Array(String)", "Array(Int8)", "Array(Nullable(Float64))", "Array(Array(UInt8))",
    "Array(DateTime64(3))", "Map(String, String)", "Map(LowCardinality(String), UInt16)",
    "Map(UInt8, Float64)", "Tuple(UInt8, String)", "Tuple(a Int8, b Nullable(String))",
    "Nested(x UInt8, y String)", "JSON", "Dynamic", "Variant(String, UInt8)", "Point", "Polygon",
    "SimpleAggregateFunction(max, UInt8)", "LowCardinality(Nullable(String))", "Time", "Time64(3)",
)  # fmt: skip
SEEDS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 127, 128, 255, 256, -129, 2**31, 2**32, 2**53, 2**63, 2**64,
    2**100, -(2**64), 0.5, -0.0, 1e10, 1e300, 5e-324, 3.0, 1704103200, 1704103200123,
    1704103200123456, 1704103200.25, "", " ", "0", "7", "-7", "+7", "007", "1e3", "1e400", "nan",
    "-INF", ".5", "5.", "0x1", "1_0", "\u0661", "a", "b", "true", "No", "t", "\x00", "\\", "\\N",
    "'", '"', "`", "\n", "\t", "é", "𝄞", "\u2028", "[]", "{}", "null", "[1,2]", '{"a":1}',
    "2024-01-01", "2024-1-1", "20240101", "2024", "2024-02-29", "2023-02-29", "0000-00-00",
    "0000-00-00 00:00:00", "1900-01-01", "2299-12-31", "2149-06-06", "2106-02-06 23:59:59",
    "1970-01-01 00:00:00", "1970-01-01T00:00:00+14:00", "2024-01-01T10:00:00Z",
    "2024-01-01T10:00:00.123Z", "2024-01-01 10:00:00.123456789", "2024-01-01T10:00:00,5",
    "2024-01-01T10:00:00+02:00", "2024-01-01T10:00:00+02:00:30", "2024-01-01T10+05:00",
    "2024-01-01T100000", "2024-W01-1", "2024-01-01T24:00:00", "2024-01-01 10:00", "10:00:00",
    "-10:00:00.5", "999:59:59", "Mon, 01 Jan 2024 10:00:00 GMT", "Jan 2, 2024", "31/12/2024",
    "1900-01-01T00:00:00+05:00", "2299-12-31T23:59:59-05:00", "1704103200", "1704103200123",
    "-1704103200", "170410320.5", "192.0.2.1", "192.0.2.256", "::1", "fe80::1%eth0", "1.2.3",
    "::ffff:1.2.3.4", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "61F0C4045CB311E7907BA6006AD3DBA0",
)  # fmt: skip
ROWS = 3_000


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreClient]:
    folder: Path = tmp_path_factory.mktemp("tables")
    with running_store(folder) as store:
        store.client.command("CREATE DATABASE project")
        yield store.client


def value(dice: random.Random, depth: int = 0) -> Any:
    pick = dice.random()
    if depth > 2 or pick < 0.7:
        return dice.choice(SEEDS)
    if pick < 0.85:
        return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    names = ("a", "b", "x", "y", "1", "é", "a.b", "")
    return {dice.choice(names): value(dice, depth + 1) for _ in range(dice.randrange(3))}


@pytest.mark.parametrize("kind", TYPES)
def test_what_the_reader_takes_the_engine_takes(client: StoreClient, kind: str) -> None:
    source = Datasource(
        name="any", path="any.datasource", columns=(Column(name="v", type=kind, json_path="$.v"),)
    )
    client.command("DROP TABLE IF EXISTS project.any SYNC")
    client.command(create_table(source, database="project"), settings=CREATE_SETTINGS)
    reader, dice = RowReader(source), random.Random(kind)
    lines = [msgspec.json.encode({"v": value(dice)}) for _ in range(ROWS)]
    rows = [row for line in lines if not isinstance(row := reader.line(line), Refused)]
    body = reader.body(rows).decode()
    client.command(f"{reader.insert('project')}\n{body}", settings=INSERT_SETTINGS)
    assert len(rows) > 5
    assert client.rows("SELECT count() FROM project.any").rows == [[len(rows)]]


def test_the_quarantine_takes_every_refused_row(client: StoreClient) -> None:
    source = Datasource(
        name="bad",
        path="bad.datasource",
        columns=(
            Column(name="n", type="UInt8", json_path="$.n"),
            Column(name="s", type="String", json_path="$.s"),
        ),
    )
    client.command(quarantine_table(source, database="project"))
    reader, dice = RowReader(source), random.Random(1)
    events = [{"n": value(dice), "s": value(dice)} for _ in range(ROWS)]
    refused = [one for event in events if isinstance(one := reader.row(event), Refused)]
    body = reader.refused_body(refused, at_s=1_700_000_000).decode()
    client.command(f"{reader.refused_insert('project')}\n{body}", settings=INSERT_SETTINGS)
    found = client.rows(
        "SELECT count(), countIf(length(c__error) = length(c__error_column)), "
        "countIf(isNull(c__import_id)) FROM project.bad_quarantine"
    )
    assert found.rows == [[len(refused)] * 3]


def test_numbers_stay_what_they_were(client: StoreClient) -> None:
    source = Datasource(
        name="exact",
        path="exact.datasource",
        columns=(
            Column(name="i", type="Int64", json_path="$.i"),
            Column(name="f", type="Float64", json_path="$.f"),
            Column(name="s", type="String", json_path="$.s"),
        ),
    )
    client.command(create_table(source, database="project"))
    reader, dice = RowReader(source), random.Random(2)
    events: list[dict[str, Any]] = [
        {
            "i": dice.randrange(-(2**63), 2**63),
            "f": dice.uniform(-1, 1) * 10 ** dice.randrange(-300, 300),
            "s": "".join(chr(dice.randrange(0xD7FF)) for _ in range(5)),
        }
        for _ in range(500)
    ]
    rows = [row for event in events if not isinstance(row := reader.row(event), Refused)]
    client.command(f"{reader.insert('project')}\n{reader.body(rows).decode()}")
    found = client.rows("SELECT toString(i), f, s FROM project.exact ORDER BY i").rows
    events.sort(key=operator.itemgetter("i"))
    exact = [[int(i), float(f), s] for i, f, s in found]
    assert exact == [[event["i"], event["f"], event["s"]] for event in events]


def test_a_file_of_every_part_becomes_a_table(client: StoreClient) -> None:
    text = """SCHEMA >
        at DateTime64(3) `json:$.at` CODEC(DoubleDelta, ZSTD(1)),
        video LowCardinality(String) `json:$.video` DEFAULT 'none',
        tags Array(String) `json:$.tags[:]` DEFAULT [],
        plays SimpleAggregateFunction(sum, UInt64) `json:$.plays`
    INDEXES >
        INDEX by_tag tags TYPE bloom_filter(0.01) GRANULARITY 1
    ENGINE AggregatingMergeTree
    ENGINE_PARTITION_KEY toYYYYMM(at)
    ENGINE_SORTING_KEY video, toStartOfHour(at)
    ENGINE_TTL toDateTime(at) + toIntervalYear(50)
    ENGINE_SETTINGS index_granularity=512
    """.replace("\n    ", "\n")
    source = read_datasource(text, name="whole", path="datasources/whole.datasource")
    client.command(create_table(source, database="project"), settings=CREATE_SETTINGS)
    found = client.rows(
        "SELECT engine, partition_key, sorting_key FROM system.tables WHERE name = 'whole'"
    )
    assert found.rows == [
        ["AggregatingMergeTree", "(toYYYYMM(at))", "video, toStartOfHour(at)"],
    ]


def test_an_object_that_says_a_path_twice_is_taken(client: StoreClient) -> None:
    source = Datasource(
        name="twice",
        path="twice.datasource",
        columns=(Column(name="v", type="JSON", json_path="$"),),
    )
    client.command(create_table(source, database="project"))
    reader = RowReader(source)
    row = reader.line(b'{"a": {"b": 1}, "a.b": 2, "": 3}')
    assert not isinstance(row, Refused)
    body = reader.body([row]).decode()
    client.command(f"{reader.insert('project')}\n{body}", settings=INSERT_SETTINGS)
    assert client.rows("SELECT v.a.b::String FROM project.twice").rows == [["1"]]


def test_a_name_with_odd_characters_is_quoted(client: StoreClient) -> None:
    source = Datasource(
        name="odd-name.x",
        path="odd.datasource",
        columns=(Column(name="sélect-'\"", type="String", json_path="$.s"),),
        engine=Engine(),
    )
    client.command(create_table(source, database="project"))
    reader = RowReader(source)
    rows = [row for row in (reader.row({"s": "x"}),) if not isinstance(row, Refused)]
    client.command(f"{reader.insert('project')}\n{reader.body(rows).decode()}")
    assert client.rows("SELECT * FROM project.`odd-name.x`").rows == [["x"]]
    assert client.rows("SELECT * FROM project.`odd-name.x`").columns == ["sélect-'\""]
