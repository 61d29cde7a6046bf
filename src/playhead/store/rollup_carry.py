"""Sums of days that a deletion did not touch, carried over.

A deletion gives every part of a table a new number of mutation, also those of days it changes nothing
in, and the sums of a day count only while its parts are as they were (`rollup.py`). Whoever deletes
and inserts nothing meanwhile says so here: else all days would have to be summed up anew.
"""

# ruff: noqa: S608 (days and numbers: nothing of it comes from outside)

from collections.abc import Collection
from typing import Final

from playhead.store.client import StoreClient

_PARTS: Final = (
    "SELECT toDate(partition) AS first_seen_day, min(min_block_number) AS first_block,"
    " max(max_block_number) AS last_block,"
    " max(toInt64OrZero(splitByChar('_', name)[5])) AS last_mutation"
    " FROM system.parts WHERE database = 'playhead' AND table = 'views' AND active"
    " GROUP BY first_seen_day"
)
_COUNTING: Final = (
    "SELECT made FROM playhead.view_rollup_state FINAL"
    f" WHERE (first_seen_day, first_block, last_block, last_mutation) IN ({_PARTS})"
)


def counting(client: StoreClient) -> list[int]:
    """Return the makings that count now; raises as `StoreClient.rows`."""
    return [int(row[0]) for row in client.rows(_COUNTING).rows]


def carry_over(client: StoreClient, made: Collection[int], *, except_days: Collection[str]) -> None:
    """Let makings count whose days were not changed.

    Args:
        client: The store.
        made: Those that counted before.
        except_days: Days that were changed, as the engine names their partition (`20260102`).

    Raises:
        PlayheadError: As `StoreClient.command`; the days are summed up anew then.
    """
    if not made:
        return
    numbers = ", ".join(map(str, made))
    days = ", ".join(str(int(day)) for day in except_days) or "0"
    client.command(
        "INSERT INTO playhead.view_rollup_state (first_seen_day, made, layout, first_block,"
        " last_block, last_mutation, dimensions, start_hours, end_hours, row_count)"
        " SELECT s.first_seen_day, s.made, s.layout, s.first_block, s.last_block, p.last_mutation,"
        " s.dimensions, s.start_hours, s.end_hours, s.row_count"
        " FROM (SELECT * FROM playhead.view_rollup_state FINAL"
        f" WHERE made IN ({numbers})) AS s INNER JOIN ({_PARTS}) AS p"
        " ON p.first_seen_day = s.first_seen_day AND p.first_block = s.first_block"
        " AND p.last_block = s.last_block"
        f" WHERE toYYYYMMDD(s.first_seen_day) NOT IN ({days})"
    )
