"""The catalogue a token sees: databases, tables, columns, settings, as rows made from the live project.

Nothing of it is read through the engine's own system tables by a client's query: where a query names
`system.tables`, rows that were made here are put in that name's place, as a value bound to the query.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.clock import Clock
from playhead.errors import PlayheadError
from playhead.project.services import SERVICE_TABLES
from playhead.query.pipes.live import Live
from playhead.query.pipes.resolve import Resolver
from playhead.query.pipes.stored import StoredColumn, StoredTable, stored
from playhead.query.pipes.workspace import PLAYHEAD
from playhead.record.tables import columns_of
from playhead.serve.clickhouse.settings import known
from playhead.serve.pipes.reading import Reading
from playhead.store.async_client import AsyncStoreClient

PROJECT: Final = "default"
"""What clients call the database of the project: most of them ask for it unless told otherwise."""
PIPES_MAX: Final = 500
"""Most pipes whose columns are worked out for the catalogue."""
STORED_KEPT_S: Final = 2.0
"""How long it is remembered how many rows a table has, and which columns."""
_Stored = Mapping[tuple[str, str], StoredTable]
ENGINES: Final = (
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree",
    "CollapsingMergeTree", "VersionedCollapsingMergeTree", "Join", "Null", "View",
)  # fmt: skip
TYPES: Final = (
    "Array", "Bool", "Date", "Date32", "DateTime", "DateTime64", "Decimal", "Enum8", "Enum16",
    "FixedString", "Float32", "Float64", "IPv4", "IPv6", "Int8", "Int16", "Int32", "Int64", "Int128",
    "Int256", "JSON", "LowCardinality", "Map", "Nullable", "String", "Tuple", "UInt8", "UInt16",
    "UInt32", "UInt64", "UInt128", "UInt256", "UUID", "AggregateFunction", "SimpleAggregateFunction",
)  # fmt: skip
_NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
_INTEGERS: Final = {"8": 8, "16": 16, "32": 32, "64": 64, "128": 128, "256": 256}

SHAPES: Final[Mapping[str, str]] = {
    "databases": (
        "name String, engine String, data_path String, metadata_path String, uuid UUID,"
        " engine_full String, comment String, is_external UInt8, `database` String"
    ),
    "tables": (
        "`database` String, name String, uuid UUID, engine String, is_temporary UInt8,"
        " data_paths Array(String), metadata_path String, metadata_modification_time DateTime,"
        " dependencies_database Array(String), dependencies_table Array(String),"
        " create_table_query String, engine_full String, as_select String, partition_key String,"
        " sorting_key String, primary_key String, sampling_key String, storage_policy String,"
        " total_rows Nullable(UInt64), total_bytes Nullable(UInt64), parts Nullable(UInt64),"
        " active_parts Nullable(UInt64), total_marks Nullable(UInt64),"
        " lifetime_rows Nullable(UInt64), lifetime_bytes Nullable(UInt64), `comment` String,"
        " has_own_data UInt8, loading_dependencies_database Array(String),"
        " loading_dependencies_table Array(String), `table` String"
    ),
    "columns": (
        "`database` String, `table` String, name String, type String, position UInt64,"
        " default_kind String, default_expression String, data_compressed_bytes UInt64,"
        " data_uncompressed_bytes UInt64, marks_bytes UInt64, `comment` String,"
        " is_in_partition_key UInt8, is_in_sorting_key UInt8, is_in_primary_key UInt8,"
        " is_in_sampling_key UInt8, compression_codec String,"
        " character_octet_length Nullable(UInt64), numeric_precision Nullable(UInt64),"
        " numeric_precision_radix Nullable(UInt64), numeric_scale Nullable(UInt64),"
        " datetime_precision Nullable(UInt64), `column` String"
    ),
    "settings": (
        "name String, value String, changed UInt8, description String, min Nullable(String),"
        " max Nullable(String), readonly UInt8, type String, `default` String, is_obsolete UInt8"
    ),
    "table_engines": "name String, supports_ttl UInt8, supports_sort_order UInt8",
    "data_type_families": "name String, case_insensitive UInt8, alias_to String",
    "dictionaries": "`database` String, name String, status String, type String, source String",
    "clusters": "cluster String, shard_num UInt32, host_name String, port UInt16",
    "processes": "query_id String, user String, query String, elapsed Float64",
    "parts": "`database` String, `table` String, name String, rows UInt64, active UInt8",
}
"""The tables of `system` that are answered, and their columns, in the names of ClickHouse."""


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table as clients see it."""

    database: str
    name: str
    engine: str
    columns: Sequence[StoredColumn] = ()
    comment: str = ""
    sorting_key: str = ""
    partition_key: str = ""
    primary_key: str = ""
    rows: int | None = None
    bytes: int | None = None


class Catalogue:
    """Makes the rows of system tables for one token after the other; keeps the columns of pipes."""

    def __init__(self, store: AsyncStoreClient, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._stored: tuple[float, Resolver | None, _Stored] = (float("-inf"), None, {})
        self._pipes: tuple[Resolver | None, dict[str, list[StoredColumn]]] = (None, {})

    async def rows(self, name: str, live: Live, reading: Reading) -> str:
        """Return the rows of a system table as JSON, an array for each.

        Raises:
            StoreUnavailable: The store is away.
        """
        made: list[list[Any]]
        if name == "settings":
            made = [
                [key, value, 0, "", None, None, 0, "String", value, 0]
                for key, value in sorted(known().items())
            ]
        elif name == "table_engines":
            made = [
                [engine, int("MergeTree" in engine), int("MergeTree" in engine)]
                for engine in ENGINES
            ]
        elif name == "data_type_families":
            made = [[kind, 0, ""] for kind in TYPES]
        elif name in {"databases", "tables", "columns"}:
            tables = [one async for one in self._tables(live, reading, whole=name == "columns")]
            made = [row for one in tables for row in _ROWS[name](one)]
            if name == "databases":
                made = _databases(made)
        else:
            made = []
        return msgspec.json.encode(made).decode()

    async def _tables(self, live: Live, reading: Reading, *, whole: bool) -> Any:
        """Yield what the token may read: data sources, pipes, tables of Playhead, service tables."""
        workspace = live.workspace
        own = workspace.own_database()
        found = await self._found(live, [*workspace.databases(), own])
        some = reading.conditions()
        for name in _datasources(live):
            if reading.datasource(name):
                table = found.get((workspace.database_of(name), name))
                source = workspace.project.datasources.get(name)
                said = source.description if source else ""
                yield _shown(PROJECT, name, table, said, counted=name not in some)
            refused = name + QUARANTINE
            if reading.datasource(refused):
                yield _shown(PROJECT, refused, found.get((workspace.database, refused)), "")
        for pipe in list(workspace.project.pipes.values())[:PIPES_MAX]:
            if (
                pipe.nodes
                and reading.pipe(pipe.name)
                and pipe.name not in workspace.project.datasources
            ):
                columns = await self._columns(live, pipe.name) if whole else ()
                yield _Table(
                    database=PROJECT, name=pipe.name, engine="View", columns=columns,
                    comment=pipe.description.strip(),
                )  # fmt: skip
        for name in sorted(workspace.tables):
            full = f"{PLAYHEAD}.{name}"
            if reading.datasource(full):
                counted = full not in some
                yield _shown(PLAYHEAD, name, found.get((own, name)), "", counted=counted)
        for full in SERVICE_TABLES:
            if reading.datasource(full) and live.resolver.namespace.serves(full):
                database, _, name = full.partition(".")
                given = (one.split(" ", 1) for one in columns_of(full))
                service = tuple(StoredColumn(*one) for one in given)
                yield _Table(database=database, name=name, engine="MergeTree", columns=service)

    async def _found(self, live: Live, databases: Sequence[str]) -> _Stored:
        """Return what the store holds of databases; tools ask several times in a row."""
        now_s = self._clock.monotonic_s()
        if self._stored[1] is not live.resolver or now_s - self._stored[0] > STORED_KEPT_S:
            self._stored = (now_s, live.resolver, await stored(self._store, databases))
        return self._stored[2]

    async def _columns(self, live: Live, name: str) -> list[StoredColumn]:
        """Return the columns a pipe gives when it is asked without parameters; none where it fails."""
        if self._pipes[0] is not live.resolver:
            self._pipes = (live.resolver, {})
        kept = self._pipes[1]
        if name not in kept:
            pipe = live.workspace.project.pipes[name]
            try:
                made = await live.resolver.node(name, pipe.output.name, None)
                rows = await self._store.rows(f"DESCRIBE ({made.sql})", made.bound)
                kept[name] = [StoredColumn(row[0], row[1]) for row in rows.rows]
            except PlayheadError:
                kept[name] = []
        return kept[name]


def reading_of(name: str) -> str:
    """Return the query that gives the rows of a system table from the value `value_of(name)`."""
    columns = _names(name)
    shown = ", ".join(f"tupleElement(r, '{column}') AS `{column}`" for column in columns)
    return (
        f"SELECT {shown} FROM (SELECT arrayJoin(JSONExtract({{{value_of(name)}:String}},"  # noqa: S608
        f" 'Array(Tuple({SHAPES[name]}))')) AS r)"
    )


def value_of(name: str) -> str:
    """Return the name of the value that holds the rows of a system table."""
    return f"playhead_system_{name}"


def _names(table: str) -> list[str]:
    found, depth = [], 0
    for part in SHAPES[table].split(", "):
        if not depth:
            found.append(part.split(" ", 1)[0].strip("`"))
        depth += part.count("(") - part.count(")")
    return found


def _datasources(live: Live) -> list[str]:
    """Return every data source, those that pipes fill without a file of their own, too."""
    project = live.workspace.project
    targets = (
        node.target
        for pipe in project.pipes.values()
        for node in pipe.nodes
        if node.kind == "materialized" and node.target
    )
    return list(dict.fromkeys((*project.datasources, *targets)))


def _shown(
    database: str, name: str, table: StoredTable | None, comment: str, *, counted: bool = True
) -> _Table:
    table = table or StoredTable(engine="MergeTree")
    return _Table(
        database=database, name=name, engine=table.engine, columns=table.columns,
        comment=comment.strip(), sorting_key=table.sorting_key, partition_key=table.partition_key,
        primary_key=table.primary_key, rows=table.row_count if counted else None,
        bytes=table.bytes if counted else None,
    )  # fmt: skip


def _databases(rows: list[list[Any]]) -> list[list[Any]]:
    """Return each database once; the project's own is there even when it is empty."""
    names = dict.fromkeys([PROJECT, *(row[0] for row in rows)])
    return [[name, "Atomic", "", "", _NO_UUID, "Atomic", "", 0, name] for name in names]


def _database_rows(table: _Table) -> Iterator[list[Any]]:
    yield [table.database]


def _table_rows(table: _Table) -> Iterator[list[Any]]:
    own = int(table.engine != "View")
    yield [
        table.database, table.name, _NO_UUID, table.engine, 0, [], "", 0, [], [], _create(table),
        table.engine, "", table.partition_key, table.sorting_key, table.primary_key, "", "default",
        table.rows, table.bytes, None, None, None, None, None, table.comment, own, [], [], table.name,
    ]  # fmt: skip


def _column_rows(table: _Table) -> Iterator[list[Any]]:
    sorting, primary = _keys(table.sorting_key), _keys(table.primary_key)
    partition = _keys(table.partition_key)
    for position, column in enumerate(table.columns, 1):
        precision = _precision(column.type)
        yield [
            table.database, table.name, column.name, column.type, position,
            "DEFAULT" if column.default else "", column.default, 0, 0, 0, "",
            int(column.name in partition), int(column.name in sorting),
            int(column.name in primary), 0, "", None, *precision, None, column.name,
        ]  # fmt: skip


_ROWS: Final = {"databases": _database_rows, "tables": _table_rows, "columns": _column_rows}


def _create(table: _Table) -> str:
    columns = ", ".join(
        f"`{one.name}` {one.type}" + (f" DEFAULT {one.default}" if one.default else "")
        for one in table.columns
    )
    if table.engine == "View":
        return f"CREATE VIEW {table.database}.{table.name}"
    order = f" ORDER BY ({table.sorting_key})" if table.sorting_key else ""
    return f"CREATE TABLE {table.database}.{table.name} ({columns}) ENGINE = {table.engine}{order}"


def _keys(text: str) -> frozenset[str]:
    return frozenset(part.strip().strip("`") for part in text.split(",")) - {""}


def _precision(kind: str) -> tuple[int | None, int | None, int | None]:
    """Return precision, radix and scale of a type of whole numbers; nothing of any other."""
    bare = kind.removeprefix("Nullable(").rstrip(")")
    for head in ("UInt", "Int"):
        if bare.startswith(head) and bare.removeprefix(head) in _INTEGERS:
            bits = _INTEGERS[bare.removeprefix(head)]
            return bits, 2, 0
    return None, None, None
