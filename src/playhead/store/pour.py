"""Pouring: the rows of a frozen table go into another, exactly once, in blocks.

A frozen table is a clone (hard links, milliseconds) whose parts never change: nothing writes it,
its merges are off, it has no TTL. So a block is a range of rows of a part, the same one whenever
it is asked for, and its token tells the engine that it has it already: after a kill the block in
hand is inserted again and nothing is stored twice, neither in the target nor in what follows it
through materialized views.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from playhead.store.async_client import AsyncStoreClient
from playhead.store.exchange import INSERT_SETTINGS

BLOCK_ROWS_MAX: Final = 500_000
"""Most rows of one insert."""
BLOCK_BYTES_MAX: Final = 64 * 1024 * 1024
"""About as much of a part, uncompressed, makes one insert."""
PART_SETTINGS: Final = {
    "max_bytes_to_merge_at_max_space_in_pool": "1",
    "max_bytes_to_merge_at_min_space_in_pool": "1",
    "min_age_to_force_merge_seconds": "0",
}
"""Settings of a table whose parts are never merged, also after the store was started anew."""
SETTINGS: Final = {
    **INSERT_SETTINGS,
    # In the order of the part, so that the rows of a block are the same each time.
    "max_threads": "1",
    "max_partitions_per_insert_block": "0",
    "allow_suspicious_types_in_group_by": "1",
    "allow_suspicious_types_in_order_by": "1",
}

Progress = Callable[[int], Awaitable[None]]
"""Is told how many blocks are in the target, after each."""


class Part(msgspec.Struct, frozen=True):
    """A part of a frozen table, and how many of its rows make a block."""

    name: str
    rows: int
    step: int


class Block(msgspec.Struct, frozen=True):
    """Rows `first` to `next`-1 of a part."""

    part: str
    first: int
    next: int


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where rows are poured.

    Names are as the engine's SQL takes them (`` `db`.`t` ``); `select` gives one expression for
    each of `columns`, over the columns of the source.
    """

    source: str
    target: str
    columns: tuple[str, ...]
    select: str
    mark: str
    """Begins the token of each block; one of its own for each pouring into the same target."""
    settings: dict[str, str] = {}


async def freeze(
    store: AsyncStoreClient,
    source: str,
    clone: str,
    *,
    has_ttl: bool,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Make a clone that keeps the rows of `source` as they are now; one of this name makes way.

    What is inserted meanwhile may be in it or not: whoever needs to know holds the writers off.

    Args:
        store: The store.
        source: A table of the MergeTree family, its name with database, quoted.
        clone: The clone's.
        has_ttl: Whether rows of `source` expire; those of the clone do not.
        settings: For the CREATE TABLE.

    Raises:
        QueryFailed: The engine keeps no parts for such a table (Null, Join).
    """
    await make_frozen(store, source, clone, has_ttl=has_ttl, settings=settings)
    # Last: until here there is nothing that could be merged or expire.
    await attach(store, source, clone)


async def make_frozen(
    store: AsyncStoreClient,
    source: str,
    clone: str,
    *,
    has_ttl: bool,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Make the table of a frozen clone, still without rows; arguments and errors as `freeze`."""
    await store.command(f"DROP TABLE IF EXISTS {clone} SYNC")
    await store.command(f"CREATE TABLE {clone} AS {source}", settings=settings)
    if has_ttl:
        await store.command(f"ALTER TABLE {clone} REMOVE TTL")
    changes = ", ".join(f"{name} = {value}" for name, value in PART_SETTINGS.items())
    await store.command(f"ALTER TABLE {clone} MODIFY SETTING {changes}")


async def attach(store: AsyncStoreClient, source: str, clone: str) -> None:
    """Put the parts of a table, by hard links, into another of the same columns and keys."""
    await store.command(f"ALTER TABLE {clone} ATTACH PARTITION ALL FROM {source}")


async def parts_of(store: AsyncStoreClient, database: str, table: str) -> tuple[Part, ...]:
    """Return the parts of a frozen table, in the order they are poured."""
    found = await store.rows(
        "SELECT name, rows, data_uncompressed_bytes FROM system.parts WHERE active AND rows > 0"
        " AND database = {database:String} AND table = {table:String} ORDER BY name",
        {"database": database, "table": table},
    )
    return tuple(
        Part(str(name), int(rows), _step(int(rows), int(size))) for name, rows, size in found.rows
    )


def _step(rows: int, size: int) -> int:
    return max(1, min(BLOCK_ROWS_MAX, rows * BLOCK_BYTES_MAX // max(1, size)))


def blocks_of(parts: Sequence[Part]) -> Iterator[Block]:
    """Yield the blocks of parts; the same ones each time."""
    for part in parts:
        for first in range(0, part.rows, part.step):
            yield Block(part.name, first, min(first + part.step, part.rows))


async def pour(
    store: AsyncStoreClient,
    flow: Flow,
    parts: Sequence[Part],
    *,
    done: int = 0,
    progress: Progress | None = None,
) -> int:
    """Insert the rows of a frozen table into another; repeating it adds nothing.

    Args:
        store: The store.
        flow: From where to where.
        parts: Of the source, as `parts_of` gave them before the first block.
        done: Blocks that are known to be in the target already.
        progress: Is told after each block how many are.

    Returns:
        How many rows of the source are in the blocks, those that were `done` too.

    Raises:
        StoreUnavailable: The store went away; call again with the same arguments.
        QueryFailed: A row cannot be converted, or the target refuses it; blocks before stay.
    """
    names = ", ".join(f"`{_escaped(name)}`" for name in flow.columns)
    rows = 0
    for number, block in enumerate(blocks_of(parts)):
        rows += block.next - block.first
        if number < done:
            continue
        await store.command(
            f"INSERT INTO {flow.target} ({names}) SELECT {flow.select} FROM {flow.source}"  # noqa: S608 (names and numbers of ours)
            f" WHERE _part = '{block.part}'"
            f" AND _part_offset >= {block.first} AND _part_offset < {block.next}",
            settings={
                **SETTINGS,
                **flow.settings,
                "insert_deduplication_token": f"{flow.mark}:{number}",
            },
        )
        if progress is not None:
            await progress(number + 1)
    return rows


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("`", "\\`")
