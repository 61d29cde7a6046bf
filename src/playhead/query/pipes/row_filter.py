"""A token's filter as the guard sees it: one condition over the columns of one table."""

from typing import Final

from playhead.errors import InvalidRequest, QueryRefused
from playhead.query.guard.examine import TreeLimits, examine
from playhead.query.guard.functions import function_list
from playhead.query.guard.reference import TableRef
from playhead.query.guard.trees import Trees
from playhead.store.client import AsyncStoreClient

LIMITS: Final = TreeLimits(depth_max=50, nodes_max=1_000)
TREES_MAX: Final = 10
_TABLE: Final = "filtered"


class _One:
    """Knows the table that is filtered and no other."""

    def table(self, database: str, name: str) -> TableRef | None:
        """Return it, for its own name alone."""
        return TableRef("", name) if not database and name == _TABLE else None


async def check_filters(store: AsyncStoreClient, conditions: list[str]) -> None:
    """Refuse a condition that calls or reads what a query from outside may not.

    Raises:
        InvalidRequest: The sentence says what is not allowed.
        StoreUnavailable: The engine, which reads it, does not answer.
    """
    functions = await function_list(store)
    trees = Trees(store, entries_max=TREES_MAX)
    for condition in conditions:
        try:
            tree = await trees.parse(f"SELECT 1 FROM {_TABLE} WHERE ({condition})")  # noqa: S608
            references = examine(tree, _One(), functions=functions, limits=LIMITS).references
        except QueryRefused as error:
            raise InvalidRequest(f"A filter cannot be used: {error.message}") from error
        if len(references) != 1:
            raise InvalidRequest("A filter reads the columns of its own table alone.")
