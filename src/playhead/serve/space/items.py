"""What the space is used for: parts of the data folder and tables of the store, by name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from playhead.config import Config
from playhead.jobs.spool import FOLDER as IMPORTS
from playhead.process.retention import byte_limits
from playhead.project.homes import FOLDER as WORKSPACES
from playhead.project.homes import database_of
from playhead.project.manifest import Manifest
from playhead.project.services import SERVICE_DATABASES
from playhead.query.span import iso
from playhead.serve.space import rules
from playhead.serve.space.walk import RUN, Walked

Kind = Literal[
    "log", "playhead", "project", "staging", "service", "imports", "frozen", "engine", "files"
]
PLAYHEAD: Final = "playhead"
SMALL_BYTES: Final = 1 << 20
"""Folders of other names that are smaller are told together, and so are tables without rows."""
_WORKSPACE: Final = re.compile(r"ws_([0-9a-f]{12})(?:_(.*))?")
_BOOKS: Final = frozenset({"worker.db", "jobs.db", "access.db", "doors.db", "tokens"})
_PROJECT: Final = "project"
_LEFT: Final = "as long as a deployment or job needs it"
_UNTIL_BACKED_UP: Final = "until the backup has ended, at the latest until the next start"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table as the store knows it; sizes are of its live parts."""

    database: str
    name: str
    uuid: str
    engine: str
    rows: int = 0
    bytes: int = 0
    parts: int = 0
    oldest: str | None = None
    newest: str | None = None


class LogHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds: events, segments, and when the first and the last came (UTC ms, 0 = none)."""

    events: int = 0
    segments: int = 0
    oldest_ms: int = 0
    newest_ms: int = 0


class Owner(msgspec.Struct, frozen=True):
    """A workspace: what it is called, and what is live in it."""

    name: str
    manifest: Manifest | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One use of the disk."""

    id: str
    """Stays the same from look to look."""
    kind: Kind
    name: str
    workspace: str = ""
    """Name of the workspace; "" = the main one."""
    bytes: int = 0
    """On disk, with parts that the engine is about to remove."""
    live_bytes: int | None = None
    """Of a table: its live parts alone."""
    rows: int | None = None
    parts: int | None = None
    oldest: str | None = None
    newest: str | None = None
    kept: str
    """The rule by which it goes, in words."""
    limit_bytes: int | None = None
    growth_bytes_per_day: int | None = None


def items_of(
    walked: Walked,
    tables: Sequence[Table] | None,
    log: LogHeld,
    config: Config,
    owners: Mapping[str, Owner],
) -> list[Item]:
    """Return everything that uses space, the largest first. Their bytes add up to the walk's.

    Args:
        walked: What lies in the data folder.
        tables: Those of the store; None = it does not answer.
        log: What the log holds.
        config: The settings.
        owners: The workspaces by id, "" = the main one.
    """
    found = [*_tables(walked, tables, config, owners), *_folders(walked, log, config)]
    return sorted(found, key=lambda item: (-item.bytes, item.id))


def _folders(walked: Walked, log: LogHeld, config: Config) -> Iterator[Item]:
    entries = dict(walked.entries)
    yield Item(
        id="log", kind="log", name="Log of events", bytes=entries.pop("log", 0),
        rows=log.events, parts=log.segments,
        oldest=iso(log.oldest_ms) if log.oldest_ms else None,
        newest=iso(log.newest_ms) if log.newest_ms else None,
        kept=rules.of_log(config), limit_bytes=config.log.retention_bytes,
    )  # fmt: skip
    yield Item(
        id="imports", kind="imports", name="Files of imports", bytes=entries.pop(IMPORTS, 0),
        kept=rules.of_imports(config), limit_bytes=config.jobs.max_spool_bytes,
    )  # fmt: skip
    if walked.frozen:
        yield Item(
            id="frozen", kind="frozen", name="Frozen for a backup", bytes=walked.frozen,
            kept=_UNTIL_BACKED_UP,
        )  # fmt: skip
    if walked.detached:
        yield Item(
            id="detached", kind="engine", name="Parts set aside by the store",
            bytes=walked.detached, kept="until somebody looks at them and removes them",
        )  # fmt: skip
    books = sum(entries.pop(name, 0) for name in _BOOKS)
    yield Item(
        id="books", kind="files", name="Tokens, jobs and the worker's ledger", bytes=books,
        kept=rules.of_books(config),
    )  # fmt: skip
    named = {
        WORKSPACES: ("Workspaces: tokens and projects", "as long as the workspace"),
        _PROJECT: ("Project and deployments", rules.FOR_EVER),
    }
    rest = 0
    for name, count in entries.items():
        if name in named:
            title, kept = named[name]
            yield Item(id=f"files.{name}", kind="files", name=title, bytes=count, kept=kept)
        elif name == RUN and count >= SMALL_BYTES:
            yield Item(id="files.run", kind="frozen", name="Held for a backup under way",
                       bytes=count, kept=_UNTIL_BACKED_UP)  # fmt: skip
        elif count >= SMALL_BYTES:
            yield Item(id=f"files.{name}", kind="files", name=f"{name} (not Playhead's own)",
                       bytes=count, kept=rules.FOR_EVER)  # fmt: skip
        else:
            rest += count
    yield Item(id="files", kind="files", name="Other files", bytes=rest, kept=rules.FOR_EVER)


def _tables(
    walked: Walked,
    tables: Sequence[Table] | None,
    config: Config,
    owners: Mapping[str, Owner],
) -> Iterator[Item]:
    folders = dict(walked.tables)
    is_here = config.store.kind == "embedded"
    limits = byte_limits(config)
    small = engine = 0
    for table in tables or ():
        count = folders.pop(table.uuid, 0) if is_here else table.bytes
        kind, workspace = _whose(table, owners)
        if not table.rows and count < SMALL_BYTES:
            small += count
            continue
        full = f"{table.database}.{table.name}"
        limit = limits.get(full, 0)
        yield Item(
            id=full, kind=kind, workspace=workspace, bytes=count, live_bytes=table.bytes,
            name=table.name if kind == "project" else full,
            rows=table.rows, parts=table.parts, oldest=table.oldest, newest=table.newest,
            kept=_LEFT if kind == "staging" else rules.of_table(table.engine, limit_bytes=limit),
            limit_bytes=limit or None,
        )  # fmt: skip
    engine = sum(folders.values())
    if tables is None:
        yield Item(id="tables", kind="engine", name="Tables (the store does not answer)",
                   bytes=engine, kept="as each table is")  # fmt: skip
        engine = 0
    if small:
        yield Item(id="empty", kind="engine", name="Tables without rows", bytes=small,
                   kept=rules.FOR_EVER)  # fmt: skip
    if is_here:
        yield Item(id="engine", kind="engine", name="The store's own files",
                   bytes=engine + walked.engine, kept=rules.FOR_EVER)  # fmt: skip


def _whose(table: Table, owners: Mapping[str, Owner]) -> tuple[Kind, str]:
    """Return what a table is for, and the name of its workspace."""
    database, name = table.database, table.name
    if database == PLAYHEAD:
        return "playhead", ""
    if database in SERVICE_DATABASES:
        return "service", ""
    match = _WORKSPACE.fullmatch(database)
    if match is None and not re.fullmatch(rf"{_PROJECT}(_.*)?", database):
        return "engine", ""
    id_ = match[1] if match else ""
    owner = owners.get(id_, Owner(id_))
    if match and match[2] == PLAYHEAD:
        return "playhead", owner.name
    places = owner.manifest.places if owner.manifest else {}
    if database in (database_of(id_, _PROJECT), places.get(name, "")):
        return "project", owner.name
    return "staging", owner.name
