"""The table of tokens in SQLite: statements only, no rules."""

import sqlite3
import uuid
from collections.abc import Iterator
from typing import Final

import msgspec

from playhead.access.grant import Grant
from playhead.access.scopes import Scope
from playhead.errors import SchemaTooNew

VERSION: Final = 1
"""Raised only when a release before could no longer read the file; columns are added without."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
  property TEXT, created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS workspace (
  one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL
) STRICT;
"""
_ADDED: Final = {
    "scopes": "TEXT NOT NULL DEFAULT '[]'",
    "rps": "INTEGER",
    "description": "TEXT NOT NULL DEFAULT ''",
    "origins": "TEXT NOT NULL DEFAULT '[]'",
}
"""Columns that data folders of earlier releases do not have."""
_COLUMNS: Final = "id, name, kind, property, created_at, scopes, rps, description, origins"
_SCOPES: Final = msgspec.json.Decoder(tuple[Scope, ...])
_ORIGINS: Final = msgspec.json.Decoder(tuple[str, ...])


def prepare(database: sqlite3.Connection) -> str:
    """Make the tables where they are not; return the workspace's id, which never changes.

    Raises:
        SchemaTooNew: A newer release wrote the file; it stays as it is.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        _refuse_newer(database)
        for statement in _SCHEMA.split(";\n"):
            database.execute(statement)
        there = {row[1] for row in database.execute("PRAGMA table_info(tokens)")}
        for name, type_ in _ADDED.items():
            if name not in there:
                database.execute(f"ALTER TABLE tokens ADD COLUMN {name} {type_}")
        database.execute(
            "INSERT OR IGNORE INTO workspace (one, id) VALUES (1, ?)", (str(uuid.uuid4()),)
        )
        (found,) = database.execute("SELECT id FROM workspace").fetchone()
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    return str(found)


def _refuse_newer(database: sqlite3.Connection) -> None:
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise SchemaTooNew(f"The file of tokens has version {found}; this release reads {VERSION}.")
    if found < VERSION:
        database.execute(f"PRAGMA user_version = {VERSION}")


def grants(database: sqlite3.Connection, workspace: str) -> Iterator[tuple[bytes, Grant]]:
    """Yield every token of a workspace with the hash of its secret."""
    for row in database.execute(f"SELECT hash, {_COLUMNS} FROM tokens"):  # noqa: S608 (our names)
        hashed, id_, name, kind, property_, created_at, scopes, rps, description, origins = row
        yield (
            bytes(hashed),
            Grant(
                id_, name, kind, property_, created_at, _SCOPES.decode(scopes), rps, None, description,
                workspace, _ORIGINS.decode(origins),
            ),
        )  # fmt: skip


def add(database: sqlite3.Connection, hashed: bytes, grant: Grant) -> None:
    """Add a token."""
    values = (
        hashed, grant.id, grant.name, grant.kind, grant.property, grant.created_at, _text(grant),
        grant.rps, grant.description, msgspec.json.encode(grant.origins).decode(),
    )  # fmt: skip
    database.execute(
        f"INSERT INTO tokens (hash, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        values,
    )


def change(database: sqlite3.Connection, grant: Grant) -> None:
    """Write what can change of a token."""
    database.execute(
        "UPDATE tokens SET name = ?, kind = ?, scopes = ?, rps = ?, description = ? WHERE id = ?",
        (grant.name, grant.kind, _text(grant), grant.rps, grant.description, grant.id),
    )


def _text(grant: Grant) -> str:
    return msgspec.json.encode(grant.scopes).decode()
