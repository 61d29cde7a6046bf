"""Every versioned file of a data folder: which version it has, which this release reads.

Looked at before anything is opened, and without opening a database, so that a folder of a newer release
is refused untouched. What the store's own tables are at stands in `release.json` (`release.py`): to
ask them the engine would have to start, and that changes the folder.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from playhead.access import DATABASE_FILE as ACCESS_FILE
from playhead.access.table import VERSION as ACCESS_VERSION
from playhead.collect.idempotency import DATABASE_FILE as KEYS_FILE
from playhead.collect.idempotency import VERSION as KEYS_VERSION
from playhead.jobs.table import DATABASE_FILE as JOBS_FILE
from playhead.jobs.table import VERSION as JOBS_VERSION
from playhead.log.offsets import VERSION as LEDGER_VERSION
from playhead.log.segment import VERSION as SEGMENT_VERSION
from playhead.log.segment import segment_firsts, segment_path
from playhead.log.sqlite_version import user_version
from playhead.project.homes import FOLDER as WORKSPACES
from playhead.project.manifest import LIVE_FILE, STAGING_FILE
from playhead.project.manifest import VERSION as MANIFEST_VERSION
from playhead.project.routes import ROUTES_FILE
from playhead.project.routes import VERSION as ROUTES_VERSION
from playhead.rebuild import progress
from playhead.store.schema import migrations

LOG_FOLDER: Final = "log"
LEDGER_FILE: Final = "worker.db"
STORE: Final = "store"
"""The format of Playhead's own tables: the number of the newest migration."""
Version = Callable[[Path], int | None]


class Format(msgspec.Struct, frozen=True):
    """A kind of file and the version of it that this release reads and writes."""

    name: str
    reads: int


class Found(msgspec.Struct, frozen=True):
    """A versioned file of a data folder. `version` 0 = from before versions were written."""

    path: str
    """Relative to the data folder."""
    format: str
    version: int
    reads: int

    @property
    def is_newer(self) -> bool:
        """Return whether this release cannot read it."""
        return self.version > self.reads


FORMATS: Final = (
    Format("segment", SEGMENT_VERSION),
    Format("ledger", LEDGER_VERSION),
    Format("tokens", ACCESS_VERSION),
    Format("jobs", JOBS_VERSION),
    Format("idempotency keys", KEYS_VERSION),
    Format("routes", ROUTES_VERSION),
    Format("manifest", MANIFEST_VERSION),
    Format("rebuild", progress.VERSION),
)
_READS: Final = {one.name: one.reads for one in FORMATS}


def formats() -> dict[str, int]:
    """Return the version of every format of this release, the store's newest migration among them."""
    return {**_READS, STORE: migrations()[-1].number}


def found_in(data_dir: Path) -> Iterator[Found]:
    """Yield every versioned file of a data folder; nothing is changed.

    Raises:
        OSError: A file cannot be read.
    """
    for path, name, version_of in _files(data_dir):
        version = version_of(path)
        if version is not None:
            yield Found(str(path.relative_to(data_dir)), name, version, _READS[name])


def _files(data_dir: Path) -> Iterator[tuple[Path, str, Version]]:
    log = data_dir / LOG_FOLDER
    for first in segment_firsts(log):
        yield segment_path(log, first), "segment", user_version
    yield data_dir / LEDGER_FILE, "ledger", user_version
    yield data_dir / JOBS_FILE, "jobs", user_version
    yield data_dir / KEYS_FILE, "idempotency keys", user_version
    yield data_dir / progress.FOLDER / progress.FILE, "rebuild", _json_version
    further = data_dir / WORKSPACES
    for folder in [data_dir, *(sorted(further.iterdir()) if further.is_dir() else ())]:
        yield folder / ACCESS_FILE, "tokens", user_version
        yield folder / ROUTES_FILE, "routes", _json_version
        yield folder / LIVE_FILE, "manifest", _json_version
        yield folder / STAGING_FILE, "manifest", _json_version


class _Versioned(msgspec.Struct):
    version: int = 0


def _json_version(path: Path) -> int | None:
    """Return the `version` of a JSON file; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Versioned).version
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None  # who opens it says what is wrong with it
