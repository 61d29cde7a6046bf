"""Taking deleted rows out of the store's files, at once.

A deletion hides rows at once; they leave the files when the worker keeps house, and what the engine
wrote anew it keeps some minutes longer in its old form. Both are done here without waiting.
"""

import asyncio
from typing import Final

from playhead.errors import StoreBusy
from playhead.project.table import qualified
from playhead.store.async_client import AsyncStoreClient
from playhead.store.purge import MASKED_SQL, apply_sql

WAIT_S: Final = 60.0
ROUNDS: Final = 5
"""A merge that is under way may keep deleted rows once more."""
NO_PARTITION: Final = "none"
"""The id of no partition: the engine removes old parts of a table whenever one of it is dropped."""
_LOOK_EVERY_S: Final = 0.25
_OLD_SQL: Final = (
    "SELECT database, table, name FROM system.parts WHERE NOT active AND database != 'system'"
)

Part = tuple[str, str, str]


async def purge(store: AsyncStoreClient) -> int:
    """Take deleted rows out of every table's files; return in how many partitions there were any.

    Raises:
        StoreBusy: Old files are still read by somebody; the rest is done.
        PlayheadError: As `AsyncStoreClient.command`; asking again goes on.
    """
    partitions: set[Part] = set()
    for _ in range(ROUNDS):
        found = (await store.rows(MASKED_SQL)).rows
        for database, table, partition, _ in found:
            partitions.add((database, table, partition))
            sql = apply_sql(database, table, partition)
            await store.command(sql, settings={"mutations_sync": 2})
        if not found:
            break
    await _remove_old(store)
    return len(partitions)


async def _remove_old(store: AsyncStoreClient) -> None:
    """Let the engine remove now what is old now; what becomes old meanwhile is not of the deletion."""
    left = await _old(store)
    for _ in range(round(WAIT_S / _LOOK_EVERY_S)):
        for database, table in sorted({(database, table) for database, table, _ in left}):
            await store.command(
                f"ALTER TABLE {qualified(database, table)} DROP PARTITION ID '{NO_PARTITION}'"
            )
        left &= await _old(store)
        if not left:
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise StoreBusy(
        "Somebody reads old files of changed tables; the store removes them within minutes."
        " Everything is deleted from the answers; ask again for the log.",
        retry_after_s=60,
    )


async def _old(store: AsyncStoreClient) -> set[Part]:
    rows = (await store.rows(_OLD_SQL)).rows
    return {(database, table, name) for database, table, name in rows}
