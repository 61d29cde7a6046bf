"""`release.json`: which release wrote a data folder last, and in which formats.

Written before any process of a release opens the folder, so a release before it refuses the folder even if
it was killed in the middle of the first migration.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from playhead import __version__
from playhead.access.files import write_private
from playhead.clock import Clock
from playhead.errors import SchemaTooNew, StartupError
from playhead.model.view import FOLD_VERSION, SCORE_VERSION
from playhead.runtime.formats import STORE, Found, formats, found_in

FILE: Final = "release.json"
VERSION: Final = 1
_ENGINE: Final = "chdb-core"
_NOTHING: Final = "Nothing was changed."


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What wrote a data folder last."""

    version: int = VERSION
    release: str = ""
    """Of Playhead."""
    engine: str = ""
    """The library of the embedded engine, and its release."""
    fold_version: int = 0
    score_version: int = 0
    formats: dict[str, int] = {}
    """The newest version of each format it may have written."""
    since_ms: int = 0
    """When it first opened the folder."""


def this_release(since_ms: int = 0) -> Release:
    """Return what is running."""
    return Release(
        release=__version__,
        engine=_engine(),
        fold_version=FOLD_VERSION,
        score_version=SCORE_VERSION,
        formats=formats(),
        since_ms=since_ms,
    )


def read_release(data_dir: Path) -> Release | None:
    """Return what wrote a data folder last; None where the file is missing.

    Raises:
        SchemaTooNew: The file itself is of a newer kind.
        StartupError: It cannot be read.
    """
    path = data_dir / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartupError(f"{path} cannot be read: {error.strerror}. {_NOTHING}") from error
    try:
        found = msgspec.json.decode(text, type=_Versioned)
        if found.version <= VERSION:
            return msgspec.json.decode(text, type=Release)
    except msgspec.DecodeError as error:
        raise StartupError(
            f"{path} is not what a release writes ({error}). {_NOTHING}",
            hint="Restore it from a backup, or remove it if you know which release wrote the folder.",
        ) from error
    raise SchemaTooNew(
        f"{path}, written by Playhead {found.release or 'of a newer release'}, has version"
        f" {found.version}; this release ({__version__}) reads {VERSION}. {_NOTHING}"
    )


def check_folder(data_dir: Path) -> list[Found]:
    """Return the versioned files of a data folder; refuse one of a newer release. Changes nothing.

    Raises:
        SchemaTooNew: A newer release wrote it; the sentence names the file, or the format.
        StartupError: A file cannot be read.
    """
    last = read_release(data_dir)
    try:
        files = list(found_in(data_dir))
    except OSError as error:
        raise StartupError(
            f"{error.filename} cannot be read: {error.strerror}. {_NOTHING}"
        ) from error
    for one in files:
        if one.is_newer:
            raise SchemaTooNew(
                f"{data_dir / one.path} has version {one.version}; this release ({__version__})"
                f" reads {one.reads}. {_NOTHING}"
            )
    if last is not None:
        _refuse_newer(data_dir, last)
    return files


def write_release(data_dir: Path, clock: Clock) -> None:
    """Leave word of this release; a file that says so already stays as it is."""
    last = read_release(data_dir)
    if last is not None and last == this_release(last.since_ms):
        return
    text = msgspec.json.encode(this_release(clock.now_ms())).decode()
    write_private(data_dir / FILE, text + "\n")


def _refuse_newer(data_dir: Path, last: Release) -> None:
    reads = formats()
    for name, number in last.formats.items():
        if number > reads.get(name, 0):
            what = (
                f"tables at migration {number}" if name == STORE else f"{name} of version {number}"
            )
            knows = f"knows {reads[name]}" if name in reads else "knows none"
            raise SchemaTooNew(
                f"{data_dir / FILE} says that Playhead {last.release} has written {what} here; this"
                f" release ({__version__}) {knows}. {_NOTHING}"
            )


def _engine() -> str:
    try:
        return f"{_ENGINE} {version(_ENGINE)}"
    except PackageNotFoundError:
        return ""


class _Versioned(msgspec.Struct):
    version: int = 0
    release: str = ""
