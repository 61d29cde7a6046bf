"""What is live of a project: `project/live.json` for the server, `project/built.json` for builds."""

from pathlib import Path
from typing import Final

import msgspec

from playhead.access.files import write_private
from playhead.project.manifest import (
    LIVE_FILE,
    UNREADABLE,
    VERSION,
    Manifest,
    empty_manifest,
    read_manifest,
)

FOLDER: Final = "project"
BUILT_FILE: Final = "built.json"


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What the last build that went through has made."""

    version: int = VERSION
    digest: str = ""
    """Of everything the build read."""
    tables: dict[str, str] = {}
    """Data source to the digest of its table."""
    views: dict[str, str] = {}
    """Name of a materialized view to the digest of its statement."""
    places: dict[str, str] = {}
    """View to its database, where that is not the project's own."""
    pipes: dict[str, str] = {}
    filling: str = ""
    """The view that is being filled just now; not "" after a build that was cut off."""


def read_built(data_dir: Path) -> Built:
    """Return what the last build made; nothing when there was none or it cannot be read."""
    try:
        return msgspec.json.decode((data_dir / FOLDER / BUILT_FILE).read_bytes(), type=Built)
    except (OSError, msgspec.DecodeError):
        return Built()


def is_live(data_dir: Path) -> bool:
    """Return whether there is a project that the server can read."""
    try:
        read_manifest(data_dir / LIVE_FILE)
    except UNREADABLE:
        return False
    return True


def live_manifest(data_dir: Path) -> Manifest:
    """Return what is live, an empty one where nothing is; raises as `read_manifest` otherwise."""
    try:
        return read_manifest(data_dir / LIVE_FILE)
    except FileNotFoundError:
        return empty_manifest(data_dir)


def has_folder(data_dir: Path) -> bool:
    """Return whether a project's folder is live, and not only what came over HTTP."""
    try:
        manifest = live_manifest(data_dir)
    except UNREADABLE:
        return True
    return not is_live_alone(manifest)


def is_live_alone(manifest: Manifest) -> bool:
    """Return whether nothing but published pipes is live."""
    return set(manifest.files) <= {path_of(name) for name in manifest.published}


def path_of(published: str) -> str:
    """Return under which path the file of a published pipe stands among those of the folder."""
    return f"published/{published}.pipe"


def write_live(data_dir: Path, live: Manifest, built: Built) -> None:
    """Switch the project live. The files hold secrets: only this user may read them."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The state of builds last: a stop between the two only makes the next build look again.
    write_private(data_dir / LIVE_FILE, msgspec.json.encode(live).decode())
    write_built(data_dir, built)


def write_built(data_dir: Path, built: Built) -> None:
    """Write the state of builds."""
    (data_dir / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(data_dir / FOLDER / BUILT_FILE, msgspec.json.encode(built).decode())
