"""How a query runs for a token that may not see every row.

The engine applies the token's conditions itself (`additional_table_filters`), in joins, sub-queries and
FINAL too. What could still tell of a hidden row is an error: indexes and partitions are looked at with
the query's own conditions before the filter is. So a query that fails runs a second time without these
short cuts, and only what fails then is an error: a row the token sees has caused it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from playhead.errors import QueryRefused
from playhead.query.guard.examine import VIRTUAL_COLUMNS
from playhead.store.client import Answered

HIDING: Final = {
    # A condition moved to PREWHERE would see rows before the filter does.
    "optimize_move_to_prewhere": "0",
    # It would keep what one token's filter left over for the same condition of another.
    "use_query_condition_cache": "0",
    # Keys of a join are worked out for a runtime filter before the token's filter is asked.
    "enable_join_runtime_filters": "0",
}
"""Settings of the first run."""
HIDING_AGAIN: Final = {
    **HIDING,
    "use_skip_indexes": "0",
    "use_partition_pruning": "0",
    "use_primary_key": "0",
    "use_statistics": "0",
    "optimize_use_projections": "0",
    "optimize_use_implicit_projections": "0",
}
"""Settings of the second."""
_STATISTICS: Final = re.compile(rb'("(?:rows|bytes)_read":\s*)\d+')
_STATISTICS_BYTES_MAX: Final = 200


def without_counts(answered: Answered) -> Answered:
    """Return an answer that does not say how much was read: hidden rows would count."""
    head, mark, tail = answered.body.rpartition(b'"statistics":')
    body = answered.body
    if mark and len(tail) <= _STATISTICS_BYTES_MAX:
        body = head + mark + _STATISTICS.sub(rb"\g<1>0", tail)
    return msgspec.structs.replace(answered, body=body, rows_read=0, bytes_read=0)


def check_hiding(tree: Any, tables: Iterable[str]) -> None:
    """Refuse a query that would lead the engine around the conditions of a token.

    Args:
        tree: The query as the caller wrote it.
        tables: The tables that have a condition, with their database.

    Raises:
        QueryRefused: It names a column of the engine's own, or calls a table by the name of another:
            the engine looks for a table's condition by its alias too.
    """
    keys = frozenset(tables)
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            todo.extend(node.values())
            if node.get("type") == "Identifier":
                _check_column(node)
            if node.get("alias") in keys:
                raise QueryRefused(
                    f"The name '{str(node['alias'])[:80]}' is a table's; give it another one.",
                    hint="This token sees some rows only.",
                )


def _check_column(node: dict[str, Any]) -> None:
    names = node.get("name_parts") or str(node.get("name", "")).split(".")
    found = next((str(one) for one in names if str(one) in VIRTUAL_COLUMNS), None)
    if found is not None:
        raise QueryRefused(
            f"The column {found} is not for this token: it tells of rows that are hidden from it."
        )
