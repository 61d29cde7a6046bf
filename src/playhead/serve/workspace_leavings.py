"""What workspaces leave behind: folders and databases of those that are gone."""

import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from playhead.access import DATABASE_FILE
from playhead.build.target import DATABASE
from playhead.project.homes import FILE, database_of, is_id
from playhead.store.async_client import AsyncStoreClient

GONE: Final = ".gone"
"""Ends the name of a folder whose workspace is being deleted; nobody finds it any more."""
_OURS: Final = re.compile(r"ws_([0-9a-f]{12})(?:_.*)?")


def folders_in(folder: Path) -> list[Path]:
    """Return what lies in the folder of workspaces; none where there is no such folder."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def left_in(folder: Path, known: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield the id and folder of each workspace that is gone, those of `known` never.

    Gone is what was renamed, and what has neither `workspace.json` nor tokens: a row that was on
    its way when the workspace went may make its folder again, and a kill may leave an empty one.
    """
    for path in folders_in(folder):
        id_ = path.name.removesuffix(GONE)
        empty = not _has(path / FILE) and not _has(path / DATABASE_FILE)
        if is_id(id_) and (path.name != id_ or (empty and id_ not in known)):
            yield id_, path


async def drop_databases(store: AsyncStoreClient, id_: str) -> None:
    """Drop every database of a workspace; raises StoreUnavailable."""
    head = database_of(id_, DATABASE)
    found = await store.rows(
        "SELECT name FROM system.databases"
        " WHERE name = {head:String} OR startsWith(name, {more:String})",
        {"head": head, "more": f"{head}_"},
    )
    for (name,) in found.rows:
        await store.command(f"DROP DATABASE IF EXISTS `{name}` SYNC")


async def unknown_databases(store: AsyncStoreClient, folder: Path) -> set[str]:
    """Return the ids of workspaces that have databases and no folder any more.

    Nothing is said where the folder of workspaces is away as a whole: then it was not deletion.
    """
    if not folder.is_dir():
        return set()
    found = await store.rows("SELECT name FROM system.databases WHERE startsWith(name, 'ws_')")
    named = (_OURS.fullmatch(str(name)) for (name,) in found.rows)
    there = {path.name.removesuffix(GONE) for path in folders_in(folder)}
    return {one[1] for one in named if one is not None} - there


def remove_folder(folder: Path) -> None:
    """Remove the folder of a workspace whose databases are gone."""
    shutil.rmtree(folder, ignore_errors=True)


def _has(path: Path) -> bool:
    """Return whether something is there; what cannot be looked at is."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
