"""The table of a job's own: what its query makes, made once, frozen until it was passed on."""

from collections.abc import Mapping

import msgspec

from playhead.build.definition import quoted
from playhead.errors import QueryFailed
from playhead.project.table import CREATE_SETTINGS
from playhead.query.pipes.fault import told
from playhead.query.pipes.resolve import Prepared
from playhead.query.pipes.run import SETTINGS
from playhead.store.async_client import AsyncStoreClient
from playhead.store.pour import PART_SETTINGS


class Draft(msgspec.Struct, frozen=True):
    """The table of one job."""

    of: str
    """The database of the project."""
    job: str

    @property
    def database(self) -> str:
        """Return the database for such tables."""
        return f"{self.of}_jobs"

    @property
    def name(self) -> str:
        """Return the table's name."""
        return f"job_{self.job.replace('-', '_')}"

    @property
    def full(self) -> str:
        """Return the table's name with its database, quoted."""
        return f"{quoted(self.database)}.{quoted(self.name)}"

    async def fill(
        self,
        store: AsyncStoreClient,
        sql: str,
        bound: Mapping[str, str],
        *,
        columns: str = "",
        order: str = "tuple()",
    ) -> None:
        """Make it anew of a query's rows.

        Args:
            store: The store.
            sql: The query; the guard has seen it.
            bound: Values bound in it.
            columns: Names and types that the rows are converted to; "" = those of the query.
            order: The sorting key.

        Raises:
            QueryRefused: The query fails; the sentence says what to change.
        """
        await self.drop(store)
        await store.command(f"CREATE DATABASE IF NOT EXISTS {quoted(self.database)}")
        frozen = ", ".join(f"{name} = {value}" for name, value in PART_SETTINGS.items())
        try:
            await store.command(
                f"CREATE TABLE {self.full} {f'({columns})' if columns else ''} ENGINE = MergeTree"
                f" ORDER BY {order} SETTINGS {frozen} AS {sql}",
                bound,
                settings={**CREATE_SETTINGS, **SETTINGS},
            )
        except QueryFailed as error:
            raise told(error, secret=bool(bound)) from error

    async def drop(self, store: AsyncStoreClient) -> None:
        """Remove it, if it is there."""
        await store.command(f"DROP TABLE IF EXISTS {self.full} SYNC")


async def described(store: AsyncStoreClient, prepared: Prepared) -> list[str]:
    """Return the names of a query's columns, in order; raises QueryRefused."""
    try:
        found = await store.rows(f"DESCRIBE ({prepared.sql})", prepared.bound, settings=SETTINGS)
    except QueryFailed as error:
        raise told(error, secret=bool(prepared.bound)) from error
    return [str(row[0]) for row in found.rows]
