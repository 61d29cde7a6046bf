"""The clone that a job makes of a data source's table, to read rows that stay as they were."""

from typing import Final

from playhead.store.async_client import AsyncStoreClient

CLONE: Final = ".clone"
"""Its name in the job's database: no data source can have it."""
_COLUMNS_SQL: Final = (
    "SELECT name FROM system.columns WHERE database = {database:String}"
    " AND table = {table:String} AND default_kind IN ('', 'DEFAULT') ORDER BY position"
)


async def columns_of(store: AsyncStoreClient, database: str, table: str) -> list[str]:
    """Return the columns of a table that an insert names, in order."""
    found = await store.rows(_COLUMNS_SQL, {"database": database, "table": table})
    return [str(row[0]) for row in found.rows]
