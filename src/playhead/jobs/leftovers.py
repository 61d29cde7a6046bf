"""What jobs that are over have left in the store: databases and tables of their own."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final

from playhead.build.definition import quoted
from playhead.jobs.draft import Draft
from playhead.observe import logger
from playhead.store.async_client import AsyncStoreClient

_LOG = logger("jobs")
_OWN_CHARS: Final = 12
"""So much of a job's id, without dashes, is in the name of a database that replaces rows."""
_DATABASE: Final = re.compile(r"_(?:job_([0-9a-f]{32})|new_([0-9a-f]{12})_[0-9]+(?:_raw)?)")
_TABLE: Final = re.compile(r"job_([0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12})")


class Leftovers:
    """Finds what belongs to no job any more, and removes it.

    Args:
        store: The store.
        databases: Those of the projects; only what is named after one of them is looked at.
    """

    def __init__(self, store: AsyncStoreClient, databases: Iterable[str]) -> None:
        self._store = store
        self._databases = tuple(databases)

    async def sweep(self, wanted: Callable[[], Iterable[str]]) -> list[str]:
        """Remove what no wanted job has made; return its names, quoted.

        Args:
            wanted: Called in a thread, gives the ids of the jobs that go on or may be tried again. It
                is asked when the store was looked at: a job that begins later has nothing there.
        """
        found = await self._found()
        asked = await asyncio.to_thread(wanted) if found else ()
        ids = [one.replace("-", "") for one in asked]
        names = {*ids, *(one[-_OWN_CHARS:] for one in ids)}
        gone = [(what, name) for what, name, owner in found if owner not in names]
        for what, name in gone:
            await self._store.command(f"DROP {what} IF EXISTS {name} SYNC")
            _LOG.info("left_by_job_removed", name=name)
        return [name for _, name in gone]

    async def _found(self) -> list[tuple[str, str, str]]:
        """Return DATABASE or TABLE, its name, and whose it is, of all that jobs have made."""
        found = []
        rows = (await self._store.rows("SELECT name FROM system.databases")).rows
        for name in (str(row[0]) for row in rows):
            for of in self._databases:
                match = _DATABASE.fullmatch(name.removeprefix(of)) if name.startswith(of) else None
                if match:
                    found.append(("DATABASE", quoted(name), str(match[1] or match[2])))
        drafts = [Draft(of, "").database for of in self._databases]
        tables = await self._store.rows(
            "SELECT database, name FROM system.tables WHERE has({drafts:Array(String)}, database)",
            {"drafts": drafts},
        )
        for database, name in tables.rows:
            match = _TABLE.fullmatch(str(name))
            if match:
                full = f"{quoted(str(database))}.{quoted(str(name))}"
                found.append(("TABLE", full, match[1].replace("_", "")))
        return found
