"""What opening a data folder with this release changes in it, told beforehand."""

from pathlib import Path
from typing import Final

import msgspec

from playhead import __version__
from playhead.model.view import FOLD_VERSION, SCORE_VERSION
from playhead.runtime.formats import STORE, formats
from playhead.runtime.release import FILE, Release, check_folder, read_release, this_release
from playhead.store.schema import migrations

UNKNOWN: Final = -1
"""The store's tables: nobody wrote down which migrations they had."""


class Change(msgspec.Struct, frozen=True):
    """One thing that opening the folder changes, or that it leaves to somebody."""

    what: str
    """A file, relative to the data folder, or `store`, `views`."""
    found: str
    becomes: str
    said: str
    """What is done, as a sentence."""


class Upgrade(msgspec.Struct, frozen=True):
    """What a data folder is, and what opening it changes."""

    found: str
    """The release that wrote it last; "" = nobody wrote it down."""
    release: str
    changes: tuple[Change, ...]
    is_new: bool
    """There is no data folder yet."""


def upgrade_of(data_dir: Path, store_at: int | None = None) -> Upgrade:
    """Return what this release changes in a data folder; changes nothing.

    Args:
        data_dir: The data folder.
        store_at: The newest migration of the store's tables where somebody asked it.

    Raises:
        SchemaTooNew: A newer release wrote the folder.
        StartupError: A file cannot be read.
    """
    files = check_folder(data_dir)
    last = read_release(data_dir)
    if last is None and not files and not (data_dir / "store").exists():
        return Upgrade("", __version__, (), is_new=True)
    changes = [
        Change(
            one.path,
            f"version {one.version}" if one.version else "no version",
            f"version {one.reads}",
            f"This {one.format} file is brought to the version of this release.",
        )
        for one in files
        if one.version < one.reads
    ]
    if store_at is None:
        store_at = last.formats.get(STORE, 0) if last is not None else UNKNOWN
    changes += _of_store(store_at)
    changes += _of_views(last)
    changes += _of_release(last)
    return Upgrade(last.release if last else "", __version__, tuple(changes), is_new=False)


def lines_of(upgrade: Upgrade) -> list[str]:
    """Return what changes as lines for a person; none where nothing does."""
    if not upgrade.changes:
        return []
    wrote = (
        f"Playhead {upgrade.found}" if upgrade.found else "a release that left no word of itself"
    )
    return [
        f"The data folder was last opened by {wrote}; this is {upgrade.release}.",
        *(f"  {one.what}: {one.found} → {one.becomes}. {one.said}" for one in upgrade.changes),
    ]


def _of_store(at: int) -> list[Change]:
    known = formats()[STORE]
    if at == UNKNOWN:
        return [
            Change(
                "store",
                "unknown",
                f"migration {known}",
                "Tables are brought up to it; rows stay. Which migrations they have nobody wrote down.",
            )
        ]
    missing = [one for one in migrations() if one.number > at]
    return [
        Change(
            "store",
            f"migration {one.number - 1}",
            f"migration {one.number}",
            f"{one.name} is applied: {len(one.statements)} statements.",
        )
        for one in missing
    ]


def _of_views(last: Release | None) -> list[Change]:
    if last is None:
        return []
    found = (last.fold_version, last.score_version)
    if found == (FOLD_VERSION, SCORE_VERSION):
        return []
    return [
        Change(
            "views",
            f"fold {found[0]}, scores {found[1]}",
            f"fold {FOLD_VERSION}, scores {SCORE_VERSION}",
            "Open views are folded again at the start; final ones stay until 'playhead rebuild'.",
        )
    ]


def _of_release(last: Release | None) -> list[Change]:
    if last is not None and last == this_release(last.since_ms):
        return []
    found = f"{last.release}, {last.engine}" if last else "missing"
    now = this_release()
    return [
        Change(FILE, found, f"{now.release}, {now.engine}", "It names who opened the folder last.")
    ]
