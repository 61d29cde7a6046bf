"""The tables: numbered migrations, applied once each, and the retention that config sets."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Protocol

import msgspec

from playhead.config import Config
from playhead.errors import SchemaTooNew
from playhead.store.result import Rows

TIMES: Final[dict[str, frozenset[str]]] = {
    "views": frozenset({"started_at", "ended_at", "last_event_at", "live_until", "received_at"}),
    "events": frozenset({"at", "received_at"}),
    "quarantine": frozenset({"received_at"}),
    "quarantine_retries": frozenset({"retried_at"}),
    "cdn_requests": frozenset({"received_at", "at"}),
    "stream_frames": frozenset({"received_at", "at"}),
}
"""Columns that are DateTime64 in the table and arrive as integer milliseconds.

In JSON the engine reads a bare number for a DateTime64 as *seconds*, so each of them has an
ephemeral twin `<name>_ms Int64` that takes the value; `arriving` names it.
"""
_FILE: Final = re.compile(r"(\d{4})_\w+\.sql")
_TTL: Final = re.compile(r"\bTTL (.+?) SETTINGS", re.DOTALL)
_UNDIVIDED: Final = "quarantine_retries"
"""Not cut by days: were only whole parts dropped, one row a day would keep all of it for ever."""
_WHOLE_PARTS: Final = "ttl_only_drop_parts = 1"
DAYS_MAX: Final = 10_000
"""Longer is for ever: the engine's times end in 2106, and what expires later has expired at once."""


class Migration(msgspec.Struct, frozen=True):
    """One file of `store/migrations`: its number, its name, its statements in order."""

    number: int
    name: str
    statements: tuple[str, ...]


class Statements(Protocol):
    """Whoever runs statements: the engine at its start, or a client of a server."""

    def command(self, sql: str) -> None:
        """Run a statement without a result."""
        ...

    def rows(self, sql: str) -> Rows:
        """Run a query."""
        ...


def arriving(table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns as an INSERT must name them when times come as milliseconds."""
    # A rebuild's table beside `views` is made as that is.
    name = table.rpartition(".")[2].removesuffix("_rebuild")
    times = TIMES.get(name, frozenset())
    return tuple(f"{one}_ms" if one in times else one for one in columns)


def migrations() -> list[Migration]:
    """Return every migration this release knows, in order."""
    found: list[Migration] = []
    for entry in files("playhead.store").joinpath("migrations").iterdir():
        match = _FILE.fullmatch(entry.name)
        if match:
            statements = tuple(split(entry.read_text("utf-8")))
            found.append(Migration(int(match[1]), entry.name, statements))
    return sorted(found, key=lambda migration: migration.number)


def split(text: str) -> list[str]:
    """Return the statements of a file: each ends with `;` at the end of a line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    parts = re.split(r";[ \t]*(?:\n|$)", "\n".join(lines))
    return [part.strip() for part in parts if part.strip()]


def migrate(statements: Statements) -> list[str]:
    """Bring the tables to this release; return the names of the migrations applied now.

    A migration that was cut off is applied again from its first statement, so every statement
    must bear repetition (`IF NOT EXISTS`).

    Raises:
        SchemaTooNew: The store knows a migration this release does not.
    """
    statements.command("CREATE DATABASE IF NOT EXISTS playhead ENGINE = Atomic")
    statements.command(
        "CREATE TABLE IF NOT EXISTS playhead.schema_migrations"
        " (number UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))"
        " ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1"
    )
    applied = {row[0] for row in statements.rows(
        "SELECT DISTINCT number FROM playhead.schema_migrations"
    ).rows}  # fmt: skip
    known = migrations()
    if applied and max(applied) > known[-1].number:
        raise SchemaTooNew(
            f"The store is at migration {max(applied)}; this release knows {known[-1].number}. "
            "Nothing was changed."
        )
    names: list[str] = []
    for migration in known:
        if migration.number in applied:
            continue
        for statement in migration.statements:
            statements.command(statement)
        statements.command(
            "INSERT INTO playhead.schema_migrations (number, name)"
            f" SELECT {migration.number}, '{migration.name}'"
        )
        names.append(migration.name)
    return names


_TTLS: Final[Mapping[str, tuple[str, str, int]]] = {
    "views": ("first_seen_day", "views", 0),
    # Later than the views they are made of: a part of them gone early would count too little.
    "view_rollup": ("first_seen_day", "views", 7),
    "view_rollup_state": ("first_seen_day", "views", 7),
    "view_rollup_long": ("first_day", "views", 35),
    "cdn_minutes": ("received_day", "cdn_minutes", 0),
    "quarantine": ("toDateTime(received_at)", "quarantine", 0),
    "quarantine_retries": ("toDateTime(retried_at)", "quarantine", 0),
    "events": ("toDateTime(received_at)", "events", 0),
    "cdn_requests": ("toDateTime(received_at)", "cdn_requests", 0),
    "stream_frames": ("toDateTime(received_at)", "stream_frames", 0),
}
"""By table: the time of a row, which table's days hold, and how many days more."""


def days_kept(config: Config) -> dict[str, int]:
    """Return by table how many days rows are kept; 0 = for ever."""
    events, views = config.process.event_retention_days, config.process.view_retention_days
    own = config.retention
    found = {
        "events": events,
        "views": views,
        "quarantine": own.quarantine_days or events,
        "cdn_requests": own.cdn_request_days or events,
        "cdn_minutes": own.cdn_minute_days or views,
        "stream_frames": own.frame_days or events,
    }
    return {table: days if 0 < days <= DAYS_MAX else 0 for table, days in found.items()}


def set_retention(statements: Statements, days: Mapping[str, int]) -> list[str]:
    """Set how long rows are kept; return the tables where that changed.

    Only parts in which every row has expired are dropped: whole days. A change applies to the rows
    already there (their parts' expiry is computed anew, their data is not rewritten).

    Args:
        statements: The store.
        days: As `days_kept` returns them.
    """
    found = statements.rows(
        "SELECT name, create_table_query FROM system.tables WHERE database = 'playhead'"
    )
    changed: list[str] = []
    for name, definition in found.rows:
        if name not in _TTLS:
            continue
        at, of, later = _TTLS[name]
        wanted = f"{at} + toIntervalDay({days[of] + later})" if days[of] else ""
        match = _TTL.search(definition)
        present = match[1].strip() if match else ""
        if present != wanted:
            change = f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL"
            statements.command(f"ALTER TABLE playhead.{name} {change}")
            changed.append(name)
        if name == _UNDIVIDED and _WHOLE_PARTS in definition:
            statements.command(
                f"ALTER TABLE playhead.{name} MODIFY SETTING ttl_only_drop_parts = 0"
            )
    return sorted(changed)
