"""What the engine makes of CSV is what `RowReader.csv` makes of it; what it is unsure of, it refuses."""

import asyncio
import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.errors import QueryFailed
from playhead.project.csv_insert import READ_SETTINGS, csv_insert, is_plain
from playhead.project.resources import Column, Datasource
from playhead.project.rows import INSERT_SETTINGS, Refused, RowReader
from playhead.project.table import CREATE_SETTINGS, create_table
from playhead.store.async_client import AsyncStoreClient
from playhead.store.external import External
from support.running_store import RunningStore, running_store

TYPES = (
    "String", "Nullable(String)", "LowCardinality(String)", "LowCardinality(Nullable(String))",
    "FixedString(3)", "UInt8", "Int16", "Int32", "UInt64", "Int64", "Nullable(Int32)", "Float32",
    "Float64", "Nullable(Float64)", "Bool", "Nullable(Bool)", "Date", "Date32", "Nullable(Date)",
    "DateTime", "DateTime('Europe/Berlin')", "Nullable(DateTime)", "DateTime64(3)",
    "DateTime64(6, 'UTC')", "Nullable(DateTime64(3))", "UUID", "Enum8('a' = 1, '1' = 2)", "IPv4",
    "SimpleAggregateFunction(max, Int32)",
)  # fmt: skip
CELLS = (
    "", r"\N", "a", " a", "a ", "'a'", 'a"b', "a,b", "a\nb", "\\", "ä", "abc", "äb", "abcd", "null", "0", "1",
    "-1", "+5", " 5", "5 ", "255", "256", "-129", "007", "1.0", "1.", ".5", "-.5", "1e3", "1e", "1e+", ".",
    "-", "1e400", "-1e400", "1e-400", "nan", "NaN", "+nan", "inf", "-Infinity", "+inf", "0x10", "1_0", "1,5",
    "0.1", "123456789.123456789", "1.7976931348623157e308", "3.4028236e38", "9007199254740993",
    "99999999999999999999", "18446744073709551615", "-9223372036854775808", "true", "T", "yes", "oN",
    "2", "false", "2024-01-01", "2024-02-30", "2024-1-1", "1960-01-01", "2149-06-07", "2300-01-01", "20240101",
    "0000-00-00", "01/02/2024", "2024-01-01 10:00:00", "2024-01-01T10:00:00", "2024-01-01T10:00:00Z",
    "2024-01-01 10:00:00Z", "2024-01-01 10:00", "2024-01-01 10:00:00.5", "2024-01-01T10:00:00.123Z",
    "2024-01-01 10:00:00.123456789", "2024-01-01 10:00:00.", "2024-01-01 10:00:00.1x", "2024-01-01 24:00:00",
    "2024-01-01 10:00:60", "2024-01-01T10:00:00+02:00", "2024-01-01 10:00:00 UTC", "2024-03-31 02:30:00",
    "2024-10-27 02:30:00", "1970-01-01 00:00:00", "1969-12-31 23:59:59", "2106-02-07 00:00:00",
    "2106-02-06 23:59:59", "2299-12-31 23:59:59.999", "1899-12-31 00:00:00", "1700000000", "1700000000.5",
    "1700000000000", "2024-01-01x10:00:00", "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
    "61F0C404-5CB3-11E7-907B-A6006AD3DBA0", "61f0c4045cb311e7907ba6006ad3dba0", "1.2.3.4", "01.2.3.4", "::1",
    "0" * 130, "0.1" + "0" * 130,
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("csv")) as found:
        found.client.command("CREATE DATABASE c")
        yield found


class Both:
    """A data source of one type, filled by the engine and by the reader."""

    def __init__(self, store: RunningStore, kind: str, default: str | None) -> None:
        columns = (Column(name="k", type="UInt32"), Column(name="v", type=kind, default=default))
        self.source = Datasource(name="v", path="v", columns=columns)
        self.reader = RowReader(self.source)
        self.insert = csv_insert(self.source)
        self.client, self._location = store.client, store.location
        self.client.command("DROP TABLE IF EXISTS c.v SYNC")
        self.client.command(create_table(self.source, database="c"), settings=CREATE_SETTINGS)
        self._token = 0

    def rows(self) -> list[list[object]]:
        found = self.client.rows("SELECT k, v, toString(v) FROM c.v ORDER BY k").rows
        self.client.command("TRUNCATE TABLE c.v")
        return [list(row) for row in found]

    def by_engine(self, body: bytes) -> list[list[object]] | None:
        assert self.insert is not None
        self._token += 1
        given = External(self.insert.structure, "CSV", body)
        try:
            self.client.insert_given(
                self.insert.insert("c", "v"), given, token=str(self._token), settings=READ_SETTINGS
            )
        except QueryFailed:
            return None
        return self.rows()

    def by_reader(self, body: bytes) -> list[list[object]] | None:
        text = io.StringIO(body.decode(), newline="")
        made = [self.reader.csv(record) for record in csv.reader(text) if record]
        good = [row for row in made if not isinstance(row, Refused)]
        if len(good) < len(made):
            return None
        asyncio.run(self._insert(self.reader.body(good)))
        return self.rows()

    async def _insert(self, body: bytes) -> None:
        client = AsyncStoreClient(self._location)
        await client.insert_rows(self.reader.insert("c"), body, settings=INSERT_SETTINGS)
        await client.close()


def csv_of(cells: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(enumerate(cells))
    return text.getvalue().encode()


@pytest.mark.slow
@pytest.mark.parametrize("default", [None, "some"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_cell_is_what_the_reader_makes_of_it(
    store: RunningStore, kind: str, default: str | None
) -> None:
    if default and kind.startswith(("Enum", "Simple")):
        return
    both = Both(
        store,
        kind,
        default and f"defaultValueOfTypeName('{kind.replace(chr(39), chr(92) + chr(39))}')",
    )
    if both.insert is None:
        assert default
        assert "Nullable" in kind
        return
    taken = 0
    for cell in CELLS:
        body = csv_of([cell])
        found = both.by_engine(body)
        if found is not None:
            assert found == both.by_reader(body), repr(cell)
            taken += 1
    assert taken


RECORDS = (
    "0,a", "0, a ", '0,"a"', '0,"a" ', '0,"a"x', '0, "a"', '0,a"b', '0,a"', '0,"a""b"', '0,"a\nb"',
    "0,a,", "0", "0,a,b", "", " ", "0,'a,b'", '0,"', '0,"a', "0,a\rb", '0,"a\rb"', "0,a\x00b", "\ufeff0,a",
    "0,\t", "\t0,a", "0,a\\,b", "0,\\", '"0",a', "'0',a", '0,"\\N"', '0,""', "0;a", "0,a\r",
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(RECORDS) | st.text("0,\"\n\r '\\a", max_size=8), max_size=4))
def test_records_are_cut_as_the_reader_cuts_them(store: RunningStore, lines: list[str]) -> None:
    both = Both(store, "String", None)
    body = "".join(f"{line}\n" for line in lines).encode()
    found = both.by_engine(body) if is_plain(body) else None
    assert found is None or found == both.by_reader(body)
