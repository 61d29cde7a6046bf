"""A condition on rows that are to go: checked by the guard, and counted."""

from playhead.access.condition import condition
from playhead.errors import InvalidRequest, QueryFailed
from playhead.project.table import qualified
from playhead.query.pipes.row_filter import check_filters
from playhead.store.async_client import AsyncStoreClient


async def checked_condition(
    store: AsyncStoreClient, database: str, table: str, text: str
) -> tuple[str, int]:
    """Return a condition on the rows of a table, and how many of them it is about.

    Raises:
        InvalidRequest: It is none, or names what the table has not.
        StoreUnavailable: The engine, which reads it, does not answer.
    """
    checked = condition(text)
    await check_filters(store, [checked])
    try:
        found = await store.rows(
            f"SELECT count() FROM {qualified(database, table)} WHERE ({checked})"  # noqa: S608
        )
    except QueryFailed as error:
        said = error.message.partition("DB::Exception: ")[2] or error.message
        raise InvalidRequest(f"The condition cannot be used: {said[:300]}") from error
    return checked, int(found.rows[0][0])
