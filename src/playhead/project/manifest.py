"""What a build leaves for the server: the project's files and where its tables are."""

from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import ProjectInvalid
from playhead.project.homes import database_of, id_of

LIVE_FILE: Final = Path("project") / "live.json"
"""Inside the data folder."""
STAGING_FILE: Final = Path("project") / "staging.json"
"""The same for the deployment that waits to be promoted."""
LOCK_FILE: Final = Path("project") / "build.lock"
"""The lock that rows of a project share, and that a cut takes for itself."""
REFUSED_FILE: Final = Path("project") / "deployments" / "refused.json"
"""What a staged table refused: kept by the worker, told by deployments."""
VERSION: Final = 1
UNREADABLE: Final = (ProjectInvalid, OSError, msgspec.DecodeError, RecursionError)
"""What reading it raises."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a build leaves for the server."""

    version: int = VERSION
    database: str = "project"
    files: dict[str, str] = {}
    """Relative path to text: data sources, pipes, connections; no fixtures, no tests."""
    secrets: dict[str, str] = {}
    built_at_ms: int = 0
    places: dict[str, str] = {}
    """Data source to the database its table is in, where that is not `database`: a deployment
    that moved it. Its quarantine stays in `database`."""
    deployment: str = ""
    """The deployment it came with; "" = a build made it."""
    published: dict[str, str] = {}
    """Pipes that came over HTTP, name to text; those that a name of the folder hides are not in `files`."""

    def database_of(self, datasource: str) -> str:
        """Return the database that holds the table of a data source."""
        return self.places.get(datasource, self.database)


def empty_manifest(folder: Path) -> Manifest:
    """Return the manifest of a workspace's folder in which nothing was built yet."""
    return Manifest(database=database_of(id_of(folder), Manifest().database))


def read_manifest(path: Path) -> Manifest:
    """Return what a build left.

    Raises:
        FileNotFoundError: There was none.
        ProjectInvalid: It is of another version of Playhead.
        OSError: It cannot be read.
        msgspec.DecodeError: It is not what a build writes.
        RecursionError: Nor this.
    """
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    if manifest.version != VERSION:
        raise ProjectInvalid(
            f"{path.name} is of version {manifest.version}; this release reads {VERSION}. "
            "Build the project again."
        )
    return manifest
