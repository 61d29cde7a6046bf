"""Deleted rows leave the files: a deletion only marks them, this writes their parts anew."""

from typing import Final

from playhead.store.client import StoreClient

PARTITIONS_PER_ROUND: Final = 8
MASKED_SQL: Final = (
    "SELECT database, table, partition_id, count() FROM system.parts"
    " WHERE active AND has_lightweight_delete GROUP BY database, table, partition_id"
    " ORDER BY database, table, partition_id"
)
"""Partitions with rows that are marked as deleted."""


def delete_sql(table: str, partition: str, condition: str) -> str:
    """Return the statement that deletes rows of one partition, which has the engine's own id."""
    return f"DELETE FROM {table} IN PARTITION ID '{partition}' WHERE {condition}"  # noqa: S608


def apply_sql(database: str, table: str, partition: str) -> str:
    """Return the statement that writes a partition anew without deleted rows."""
    if (database, table) == ("playhead", "views"):
        # A merge leaves the sums of the other days alone: see `rollup_carry.py`.
        return f"OPTIMIZE TABLE playhead.views PARTITION ID '{partition}' FINAL"
    names = (f"`{name.replace('`', '')}`" for name in (database, table))
    return f"ALTER TABLE {'.'.join(names)} APPLY DELETED MASK IN PARTITION ID '{partition}'"


def purge_some(client: StoreClient) -> int:
    """Do so for a few partitions; return how many. For idle time.

    Raises:
        PlayheadError: As `StoreClient.command`; what was done until then stays.
    """
    found = client.rows(MASKED_SQL).rows[:PARTITIONS_PER_ROUND]
    for database, table, partition, _ in found:
        client.command(apply_sql(database, table, partition), settings={"mutations_sync": 2})
    return len(found)
