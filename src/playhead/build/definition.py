"""Tables as the engine holds them, and how one becomes another without losing a row."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from playhead.store.async_client import AsyncStoreClient

_TTL: Final = re.compile(r" TTL (.+?)(?= SETTINGS |\Z)", re.DOTALL)
_PAIR: Final = re.compile(r"(\w+) = ('(?:[^'\\]|\\.)*'|[^,\s]+)")
"""One setting as the engine says it."""
_SETTINGS: Final = re.compile(r" SETTINGS (.+)\Z", re.DOTALL)


class StoredColumn(msgspec.Struct, frozen=True):
    """A column as the engine says it."""

    name: str
    type: str
    default_kind: str = ""
    default: str = ""
    codec: str = ""

    def declared(self) -> str:
        """Return it as CREATE TABLE and ALTER TABLE take it."""
        parts = [quoted(self.name), self.type]
        if self.default_kind:
            parts += [self.default_kind, self.default]
        return " ".join([*parts, self.codec]).rstrip()


class StoredIndex(msgspec.Struct, frozen=True):
    """A data-skipping index as the engine says it."""

    name: str
    type: str
    expression: str
    granularity: int

    def declared(self) -> str:
        """Return it as ALTER TABLE … ADD INDEX takes it."""
        return (
            f"{quoted(self.name)} {self.expression} TYPE {self.type} GRANULARITY {self.granularity}"
        )


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the store."""

    name: str
    engine: str
    """The engine with its keys, without TTL and settings."""
    ttl: str = ""
    settings: str = ""
    columns: tuple[StoredColumn, ...] = ()
    indexes: tuple[StoredIndex, ...] = ()
    row_count: int = 0


class Change(msgspec.Struct, frozen=True):
    """How a stored table becomes the wanted one."""

    commands: tuple[str, ...] = ()
    """What follows `ALTER TABLE t`, one statement each."""
    obstacle: str = ""
    """Why rows cannot be kept on the way; "" = they can."""
    column: str = ""
    """The column of the wanted table that is in the way; "" = no single one."""


def quoted(name: str) -> str:
    """Return a name as the engine's SQL takes it, whatever it holds."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


async def definitions(store: AsyncStoreClient, database: str) -> dict[str, Definition]:
    """Return the tables of a database by name, views left out."""
    bound = {"database": database}
    tables = await store.rows(
        "SELECT name, engine_full, ifNull(total_rows, 0) FROM system.tables"
        " WHERE database = {database:String} AND engine NOT LIKE '%View'",
        bound,
    )
    columns = await store.rows(
        "SELECT table, name, type, default_kind, default_expression, compression_codec"
        " FROM system.columns WHERE database = {database:String} ORDER BY table, position",
        bound,
    )
    indexes = await store.rows(
        "SELECT table, name, type_full, expr, granularity FROM system.data_skipping_indices"
        " WHERE database = {database:String}",
        bound,
    )
    of_columns: dict[str, list[StoredColumn]] = {}
    for table, *rest in columns.rows:
        of_columns.setdefault(table, []).append(StoredColumn(*rest))
    of_indexes: dict[str, list[StoredIndex]] = {}
    for table, *rest in indexes.rows:
        of_indexes.setdefault(table, []).append(StoredIndex(*rest))
    return {
        name: _definition(
            name, full, int(count), tuple(of_columns.get(name, ())), tuple(of_indexes.get(name, ()))
        )
        for name, full, count in tables.rows
    }


async def placed_definitions(
    store: AsyncStoreClient, database: str, places: Mapping[str, str]
) -> dict[str, Definition]:
    """Return the tables of a database by name, those that are elsewhere from their places."""
    found = await definitions(store, database)
    found = {name: one for name, one in found.items() if name not in places}
    for other in sorted(set(places.values())):
        tables = await definitions(store, other)
        found |= {name: one for name, one in tables.items() if places.get(name) == other}
    return found


def _definition(
    name: str,
    full: str,
    row_count: int,
    columns: tuple[StoredColumn, ...],
    indexes: tuple[StoredIndex, ...],
) -> Definition:
    settings = _SETTINGS.search(full)
    rest = full[: settings.start()] if settings else full
    ttl = _TTL.search(rest)
    return Definition(
        name=name,
        engine=rest[: ttl.start()] if ttl else rest,
        ttl=ttl[1] if ttl else "",
        settings=settings[1] if settings else "",
        columns=columns,
        indexes=indexes,
        row_count=row_count,
    )


def change_of(stored: Definition, wanted: Definition) -> Change:
    """Return how `stored` becomes `wanted`: by ALTER, or why only by making it anew."""
    if stored.engine != wanted.engine:
        return Change(obstacle=f"its engine or keys change ({stored.engine} → {wanted.engine})")
    before = {column.name: column for column in stored.columns}
    after = {column.name: column for column in wanted.columns}
    gone = [name for name in before if name not in after]
    if gone:
        return Change(obstacle=f"the column '{gone[0]}' is gone")
    for name, column in before.items():
        if column.type != after[name].type:
            change = f"{column.type} → {after[name].type}"
            obstacle = f"the type of the column '{name}' changes ({change})"
            return Change(obstacle=obstacle, column=name)
    if [name for name in after if name in before] != list(before):
        return Change(obstacle="the order of its columns changes")
    commands = [*_column_commands(before, wanted.columns), *_index_commands(stored, wanted)]
    if stored.ttl != wanted.ttl:
        commands.append(f"MODIFY TTL {wanted.ttl}" if wanted.ttl else "REMOVE TTL")
    settings = settings_command(stored, wanted)
    if settings:
        commands.append(settings)
    return Change(tuple(commands))


def settings_command(stored: Definition, wanted: Definition) -> str:
    """Return what gives a table the wanted settings; "" = it has them."""
    there = dict(_PAIR.findall(stored.settings))
    changed = [f"{k} = {v}" for k, v in _PAIR.findall(wanted.settings) if there.get(k) != v]
    return f"MODIFY SETTING {', '.join(changed)}" if changed else ""


def _column_commands(
    before: dict[str, StoredColumn], wanted: tuple[StoredColumn, ...]
) -> list[str]:
    commands: list[str] = []
    place = "FIRST"
    for column in wanted:
        old = before.get(column.name)
        if old is None:
            commands.append(f"ADD COLUMN {column.declared()} {place}")
        elif old != column:
            if old.default_kind and not column.default_kind:
                commands.append(f"MODIFY COLUMN {quoted(column.name)} REMOVE {old.default_kind}")
            if old.codec and not column.codec:
                commands.append(f"MODIFY COLUMN {quoted(column.name)} REMOVE CODEC")
            if column.default_kind or column.codec:
                commands.append(f"MODIFY COLUMN {column.declared()}")
        place = f"AFTER {quoted(column.name)}"
    return commands


def _index_commands(stored: Definition, wanted: Definition) -> list[str]:
    before = {index.name: index for index in stored.indexes}
    after = {index.name: index for index in wanted.indexes}
    removed = [name for name, index in before.items() if after.get(name) != index]
    added = [index for name, index in after.items() if before.get(name) != index]
    return [
        *(f"DROP INDEX {quoted(name)}" for name in removed),
        *(f"ADD INDEX {index.declared()}" for index in added),
    ]
