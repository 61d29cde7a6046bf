"""History made inside the store: finished views of past days, one statement a chunk of a day.

Every value is a function of the row's number, the day and the seed, so a repeated statement makes
the same rows again and the table keeps one of each. The tables of audience, networks and titles
are the ones the live simulation draws from.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from playhead.model.view import COLUMNS
from playhead.simulate.history_columns import columns_of, totals
from playhead.simulate.history_draws import DAY_MS, draws_sql

CHUNK_ROWS = 400_000
"""Rows of one statement: bounds the store's memory and the time of a statement."""
LONGEST_VIEW_MS = 3 * 3_600_000
"""No made-up view lasts longer; history ends this long before `until_ms`."""


class StoreClient(Protocol):
    """What is needed of a store: to run a statement that answers nothing."""

    def command(self, sql: str, /) -> object:
        """Run the statement."""
        ...


def day_start_ms(day: date) -> int:
    """Return the first UTC millisecond of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000)


def history_sql(  # noqa: PLR0913 (what varies is named at the call)
    views: int, day: date, seed: int, *, first: int = 0, of: int = 0, span_ms: int = DAY_MS,
    table: str = "playhead.views",
) -> str:  # fmt: skip
    """Return the statement that makes `views` finished views started on `day`.

    Args:
        views: How many.
        day: Their UTC day.
        seed: Other seeds make other views.
        first: Number of the first one, so that a day can be made in chunks.
        of: How many views the whole day has; 0 = just these.
        span_ms: They begin within this much of the day, ms from its start.
        table: Where they go.
    """
    draws = draws_sql(
        day_start_ms(day),
        seed,
        totals(),
        span_ms=span_ms,
        rows=(first, views),
        day_rows=of or first + views,
    )
    made = columns_of(day, seed)
    columns = ",\n".join(f"  {made[name]} AS `{name}`" for name in COLUMNS)
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    return (
        f"INSERT INTO {table} ({names})\n"
        f"SELECT\n{columns}\n"
        f"FROM ({draws})\n"
        "SETTINGS optimize_on_insert = 0, compile_expressions = 0"
    )


def backfill(
    client: StoreClient,
    views: int,
    days: int,
    *,
    until_ms: int,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make `views` finished views spread over the `days` days that end at `until_ms`.

    Args:
        client: The store.
        views: How many in all.
        days: Over how many UTC days, the day of `until_ms` the last.
        until_ms: No view ends after this moment (UTC ms).
        seed: Other seeds make other views.
        progress: Called with (rows made, rows in all) after each statement.

    Returns:
        The rows made.
    """
    made = 0
    plan = _plan(views, days, until_ms)
    for day, count, span_ms in plan:
        for first in range(0, count, CHUNK_ROWS):
            rows = min(CHUNK_ROWS, count - first)
            client.command(history_sql(rows, day, seed, first=first, of=count, span_ms=span_ms))
            made += rows
            if progress is not None:
                progress(made, views)
    return made


def _plan(views: int, days: int, until_ms: int) -> list[tuple[date, int, int]]:
    """Return (day, views, ms of the day in use), the views shared out by time in use."""
    last_start_ms = until_ms - LONGEST_VIEW_MS
    last = datetime.fromtimestamp(last_start_ms / 1_000, tz=UTC).date()
    spans: list[tuple[date, int]] = []
    for back in range(max(1, days) - 1, -1, -1):
        day = last - timedelta(days=back)
        spans.append((day, min(DAY_MS, last_start_ms - day_start_ms(day) + 1)))
    whole_ms = sum(span for _, span in spans)
    plan: list[tuple[date, int, int]] = []
    used_ms = given = 0
    for day, span in spans:
        used_ms += span
        count = views * used_ms // whole_ms - given
        given += count
        plan.append((day, count, span))
    return plan
