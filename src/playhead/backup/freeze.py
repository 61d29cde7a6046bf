"""The store at one moment: its parts as hard links, and the small files a folder opens with.

Of each table the parts and what it remembers of its inserts (the tokens) are of the same moment: an
insert that is cut off there is repeated under its token, and adds what is missing and no more.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from playhead.backup.draft import STORE, Draft, link
from playhead.backup.pack import File, Pack, file_of, make_folder
from playhead.errors import QueryFailed, RowsUnsettled
from playhead.store.client import StoreClient

COPIED_MAX_BYTES: Final = 1 << 20
"""Larger files are linked: they are written once."""
MEMORY: Final = "deduplication_logs"
"""A table's memory of tokens, in its folder."""
TMP: Final = "tmp"
TRIES: Final = 20
"""How often a table is frozen anew because an insert came in between."""
GONE: Final = frozenset({60, 81})
"""What the engine says of a table or database that is no longer there."""
_FIRST: Final = ("view_rollup_state", "view_rollup_long")
"""They name sums of `view_rollup`, so they are frozen before it: what they name is there."""
_TABLES: Final = (
    "SELECT database, name, toString(uuid), engine, metadata_path, ifNull(active_parts, 0)"
    " FROM system.tables"
    " WHERE database IN {databases:Array(String)} AND NOT is_temporary"
    " ORDER BY name NOT IN {first:Array(String)}, database, name"
)


class Frozen(msgspec.Struct):
    """What was taken of the store; paths are below the data folder."""

    files: list[File] = []
    links: list[tuple[str, str]] = []
    folders: list[str] = []
    """Empty ones that the engine looks for: without its `tmp` a Join reads no rows."""
    tables: int = 0
    with_parts: list[str] = []
    """Folders of tables, such as `store/ab1/ab1…`, below the store's."""


def freeze(store: StoreClient, data_dir: Path, draft: Draft) -> Frozen:
    """Take every table; the names of databases are those the folder has on disk.

    Raises:
        RowsUnsettled: Somebody inserts into a table without a pause.
        PlayheadError: The store does not answer, or refuses.
    """
    folder = data_dir / STORE
    frozen = Frozen()
    databases = sorted(path.stem for path in (folder / "metadata").glob("*.sql"))
    found = store.rows(_TABLES, {"databases": databases, "first": list(_FIRST)}).rows
    for database, name, uuid, engine, metadata, parts in found:
        home = folder / STORE / uuid[:3] / uuid
        path = folder / metadata
        try:
            definition = _copied(path, data_dir, draft)
            if engine.endswith("MergeTree") and (parts or any(_memory(home).values())):
                _freeze(store, f"`{database}`.`{name}`", home, draft)
                frozen.with_parts.append(f"{STORE}/{uuid[:3]}/{uuid}")
            frozen.tables += 1
            frozen.files += [definition, *_small(home, data_dir, draft)]
            if (home / TMP).is_dir():
                frozen.folders.append((home / TMP).relative_to(data_dir).as_posix())
        except FileNotFoundError:  # dropped meanwhile
            continue
        except QueryFailed as error:
            if error.engine_code not in GONE:
                raise
    for database in databases:
        _database(folder / "metadata", database, data_dir, draft, frozen)
    return frozen


def part_packs(frozen: Frozen, draft: Draft) -> Iterator[Pack]:
    """Yield a pack for each frozen part; after the hold, for it reads the folders."""
    for table in frozen.with_parts:
        home = draft.shadow / table
        if not home.is_dir():  # no part
            continue
        for part in sorted(home.iterdir()):
            files = tuple(
                file_of(path, path.relative_to(part).as_posix())
                for path in sorted(part.rglob("*"))
                if path.is_file()
            )
            yield Pack(kind="part", root=f"{STORE}/{table}/{part.name}", files=files)


def _freeze(store: StoreClient, table: str, home: Path, draft: Draft) -> None:
    """Freeze a table's parts and keep what it remembers of inserts at that moment."""
    shadow = draft.shadow / STORE / home.parent.name / home.name
    for _ in range(TRIES):
        before = _memory(home)
        store.command(f"ALTER TABLE {table} FREEZE WITH NAME '{draft.frozen}'")
        if _memory(home) == before:
            for name, content in before.items():
                _written(
                    draft.folder / STORE / STORE / home.parent.name / home.name / name, content
                )
            return
        shutil.rmtree(shadow, ignore_errors=True)
    raise RowsUnsettled(f"Rows go into {table} without a pause; no backup was made.")


def _memory(home: Path) -> dict[str, bytes]:
    """Return a table's memory of tokens; empty where it has none."""
    folder = home / MEMORY
    if not folder.is_dir():
        return {}
    found = {}
    for path in folder.iterdir():
        try:
            found[f"{MEMORY}/{path.name}"] = path.read_bytes()
        except FileNotFoundError:  # the engine begins a new file now and then
            continue
    return found


def _small(home: Path, data_dir: Path, draft: Draft) -> Iterator[File]:
    """Yield the files of a table that are no parts: its format, mutations on their way, tokens.

    Of an engine without parts (Join) these are its rows, in files that are written once.
    """
    if not home.is_dir():
        return
    for path in sorted(home.iterdir()):
        if path.is_file() and not path.name.startswith(TMP):
            yield _copied(path, data_dir, draft)
    kept = draft.folder / home.relative_to(data_dir) / MEMORY
    if kept.is_dir():
        for path in sorted(kept.iterdir()):
            yield file_of(path, path.relative_to(draft.folder).as_posix())


def _database(folder: Path, name: str, data_dir: Path, draft: Draft, frozen: Frozen) -> None:
    """Take what opens a database: its definition, and the link to the folder of its tables."""
    try:
        frozen.files.append(_copied(folder / f"{name}.sql", data_dir, draft))
        alias = folder / name
        if alias.is_symlink():
            place = os.path.normpath(folder / alias.readlink())
            to = os.path.relpath(place, folder)
            frozen.links.append((alias.relative_to(data_dir).as_posix(), to))
    except FileNotFoundError:
        return


def _copied(path: Path, data_dir: Path, draft: Draft) -> File:
    """Return a file as it is at this moment: small ones copied, large ones linked."""
    name = path.relative_to(data_dir).as_posix()
    target = draft.folder / name
    make_folder(target.parent)
    if path.stat().st_size > COPIED_MAX_BYTES:
        link(path, target)
    else:
        _written(target, path.read_bytes())
    return file_of(target, name)


def _written(target: Path, content: bytes) -> None:
    make_folder(target.parent)
    target.write_bytes(content)
