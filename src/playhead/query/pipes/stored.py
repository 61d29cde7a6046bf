"""What the store holds of data sources: columns, engine, rows, bytes."""

from typing import Final

import msgspec

from playhead.query.pipes.workspace import PLAYHEAD
from playhead.store.async_client import AsyncStoreClient

_TABLES: Final = (
    "SELECT database, name, engine, sorting_key, partition_key, primary_key, total_rows, total_bytes"
    " FROM system.tables WHERE database IN ({playhead:String}, {project:String})"
    " AND engine NOT LIKE '%View'"
)
_COLUMNS: Final = (
    "SELECT database, table, name, type, default_expression FROM system.columns"
    " WHERE database IN ({playhead:String}, {project:String}) ORDER BY database, table, position"
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
    store: AsyncStoreClient, project_database: str
) -> dict[tuple[str, str], StoredTable]:
    """Return Playhead's own tables and those of a project, by database and name.

    Raises:
        StoreUnavailable: The store is away.
    """
    bound = {"playhead": PLAYHEAD, "project": project_database}
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
