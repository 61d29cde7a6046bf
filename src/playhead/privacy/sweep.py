"""Deleting the rows that name a viewer in a text, without writing the id into any file.

The engine keeps the text of a statement that changes a table in a file. So rows are found by the id
and deleted by a number that is made of all their values.
"""

# ruff: noqa: S608 (names of ours, hashes and literals: an id is bound, or not there at all)

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from playhead.errors import Conflict
from playhead.privacy.tables import Found
from playhead.privacy.viewer import Viewer
from playhead.store.async_client import AsyncStoreClient
from playhead.store.client import Limits
from playhead.store.purge import delete_sql

ROWS_PER_STATEMENT: Final = 10_000
ROUNDS_MAX: Final = 1_000
"""So many statements a table: ten million rows. What is left then is for another call."""
_LIMITS: Final = Limits(timeout_ms=600_000)


async def sweep(store: AsyncStoreClient, viewer: Viewer, found: Sequence[Found]) -> dict[str, int]:
    """Delete rows that name a viewer; return how many of each table.

    Raises:
        Conflict: A table holds more of them than one call deletes.
        PlayheadError: As `AsyncStoreClient.command`; tables before the one at hand are done.
    """
    deleted: dict[str, int] = {}
    for table in found:
        rows = await _sweep(store, viewer, table)
        if rows:
            deleted[table.name] = deleted.get(table.name, 0) + rows
    return deleted


async def _sweep(store: AsyncStoreClient, viewer: Viewer, table: Found) -> int:
    count = 0
    for _ in range(ROUNDS_MAX):
        rows = await store.rows(
            f"SELECT _partition_id, {table.fingerprint}, count() FROM {table.sql}"
            f" WHERE {table.condition} GROUP BY 1, 2 ORDER BY 1 LIMIT {ROWS_PER_STATEMENT}",
            bound_for(viewer),
            limits=_LIMITS,
        )
        if not rows.rows:
            break
        for partition, found in groupby(rows.rows, key=itemgetter(0)):
            gone = list(found)
            numbers = ", ".join(str(int(row[1])) for row in gone)
            count += sum(int(row[2]) for row in gone)
            condition = f"{table.fingerprint} IN ({numbers})"
            await store.command(delete_sql(table.sql, str(partition), condition))
    else:
        raise Conflict(
            f"{table.name} names the viewer in more rows than one deletion takes: {count:,} of them are"
            " gone, and so are their views and events.",
            hint="Ask again until it is done.",
        )
    return count


def bound_for(viewer: Viewer) -> dict[str, object]:
    """Return the values that conditions of `Found` bind."""
    return {
        "viewer": viewer.id,
        "pattern": viewer.pattern,
        "forms": viewer.forms,
        "property": viewer.property,
    }
