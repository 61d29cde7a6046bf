"""The tables: numbered migrations, applied once each, and the retention that config sets."""

import re
from importlib.resources import files
from typing import Final, Protocol

import msgspec

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
    times = TIMES.get(table.rpartition(".")[2], frozenset())
    return tuple(f"{name}_ms" if name in times else name for name in columns)


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


def set_retention(statements: Statements, *, event_days: int, view_days: int) -> list[str]:
    """Set how long rows are kept; return the tables where that changed.

    Only parts in which every row has expired are dropped: whole days. A change applies to the rows
    already there (their parts' expiry is computed anew, their data is not rewritten).
    """
    of_events = f"toDateTime(received_at) + toIntervalDay({event_days})"
    wanted = {
        "views": f"first_seen_day + toIntervalDay({view_days})",
        # Later than the views they are made of: a part of them gone early would count too little.
        "view_rollup": f"first_seen_day + toIntervalDay({view_days + 7})",
        "view_rollup_state": f"first_seen_day + toIntervalDay({view_days + 7})",
        "cdn_minutes": f"received_day + toIntervalDay({view_days})",
        "quarantine_retries": f"toDateTime(retried_at) + toIntervalDay({event_days})",
        **dict.fromkeys(("events", "quarantine", "cdn_requests", "stream_frames"), of_events),
    }
    found = statements.rows(
        "SELECT name, create_table_query FROM system.tables WHERE database = 'playhead'"
    )
    changed: list[str] = []
    for name, definition in found.rows:
        if name not in wanted:
            continue
        present = _TTL.search(definition)
        if present is None or present[1].strip() != wanted[name]:
            statements.command(f"ALTER TABLE playhead.{name} MODIFY TTL {wanted[name]}")
            changed.append(name)
    return sorted(changed)
