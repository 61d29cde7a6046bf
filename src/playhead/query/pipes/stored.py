"""What the store holds of data sources: columns, engine, rows, bytes."""

from collections.abc import Sequence
from typing import Final

import msgspec

from playhead.query.pipes.workspace import PLAYHEAD
from playhead.store.async_client import AsyncStoreClient

_TABLES: Final = (
    "SELECT database, name, engine, sorting_key, partition_key, primary_key, total_rows, total_bytes"
    " FROM system.tables WHERE has({databases:Array(String)}, database)"
    " AND engine NOT LIKE '%View'"
)
_COLUMNS: Final = (
    "SELECT database, table, name, type, default_expression FROM system.columns"
    " WHERE has({databases:Array(String)}, database) ORDER BY database, table, position"
)


class StoredColumn(msgspec.Struct, frozen=True):
    """A column as the engine has it."""

    name: str
    type: str
    default: str = ""


class StoredTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table as the engine has it; rows are None where it keeps none."""

    engine: str
    sorting_key: str = ""
    partition_key: str = ""
    primary_key: str = ""
    row_count: int | None = None
    bytes: int | None = None
    columns: tuple[StoredColumn, ...] = ()


async def stored(
    store: AsyncStoreClient, databases: Sequence[str]
) -> dict[tuple[str, str], StoredTable]:
    """Return Playhead's own tables and those of a project's databases, by database and name.

    Raises:
        StoreUnavailable: The store is away.
    """
    bound = {"databases": [PLAYHEAD, *databases]}
    columns: dict[tuple[str, str], list[StoredColumn]] = {}
    for database, table, *rest in (await store.rows(_COLUMNS, bound)).rows:
        columns.setdefault((database, table), []).append(StoredColumn(*rest))
    found: dict[tuple[str, str], StoredTable] = {}
    for database, name, engine, sorting, partition, primary, rows, size in (
        await store.rows(_TABLES, bound)
    ).rows:
        found[database, name] = StoredTable(
            engine=engine,
            sorting_key=sorting,
            partition_key=partition,
            primary_key=primary,
            row_count=None if rows is None else int(rows),
            bytes=None if size is None else int(size),
            columns=tuple(columns.get((database, name), ())),
        )
    return found
