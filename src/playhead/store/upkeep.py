"""What the worker does for the store in idle time."""

from datetime import date

import msgspec

from playhead.store.client import StoreClient


class TableSize(msgspec.Struct, frozen=True):
    """What a table takes on disk."""

    table: str
    rows: int
    bytes: int
    parts: int


def optimize_closed_days(client: StoreClient, today: date, *, partitions_max: int = 2) -> list[str]:
    """Merge days of `views` before yesterday that have several parts to one; return those days.

    Queries read a day of one part without removing replaced rows first. A few days a call, oldest
    first, so that one call stays short.
    """
    found = client.rows(
        "SELECT partition FROM system.parts"
        " WHERE database = 'playhead' AND table = 'views' AND active"
        " GROUP BY partition"
        " HAVING count() > 1 AND toDate(partition) < toDate({today:String}) - 1"
        " ORDER BY partition LIMIT {most:UInt32}",
        {"today": today.isoformat(), "most": partitions_max},
    )
    days: list[str] = []
    for (partition,) in found.rows:
        day = date.fromisoformat(partition).isoformat()
        client.command(f"OPTIMIZE TABLE playhead.views PARTITION '{day}' FINAL")
        days.append(day)
    return days


def disk_usage(client: StoreClient) -> list[TableSize]:
    """Return what each table of Playhead takes on disk, largest first."""
    found = client.rows(
        "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM system.parts"
        " WHERE database = 'playhead' AND active GROUP BY table ORDER BY 3 DESC"
    )
    return [TableSize(*row) for row in found.rows]
