"""Where the rows of a data source go: `project/routes.json`, written by builds, read by the worker.

The log holds rows in the columns their data source had when they came: their **shape**. A data
source may have other columns by the time the worker reads them, so each shape has routes of its
own, into the tables as they are now.
"""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import ProjectInvalid

ROUTES_FILE: Final = Path("project") / "routes.json"
"""Inside the data folder, or inside that of a workspace."""
VERSION: Final = 1
SHAPES_MAX: Final = 20
"""Most shapes kept of one data source; the oldest go first."""
UNREADABLE: Final = (ProjectInvalid, OSError, msgspec.DecodeError, RecursionError)
"""What reading it raises."""


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One table that the rows of a shape are inserted into."""

    database: str
    table: str
    passage: str = ""
    """Rows of a shape that the data source has left go through a table that keeps nothing (Null) and
    a view behind it, which makes of them what the data source takes now: this is the view's name,
    `database.view`, and `table` the table before it. "" = the table itself takes the rows."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The columns in which rows of a data source stand in the log, and where they belong now."""

    columns: tuple[str, ...]
    """As `RowReader.columns`: a Nested one counts as its parts."""
    types: tuple[str, ...]
    format: str
    """The engine's format of the rows: JSONCompactEachRow or JSONEachRow."""
    routes: tuple[Route, ...] = ()
    """All of them get every row; the first is what is live."""
    refused: tuple[str, ...] = ()
    """The columns in which refused rows stand in the log."""
    refused_into: Route | None = None
    """The data source's quarantine; None = there is none any more."""


class Routes(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rows of a project go."""

    version: int = VERSION
    sources: dict[str, dict[str, Shape]] = {}
    """By data source, then by shape id; the newest shape is the last."""
    types: dict[str, dict[str, str]] = {}
    """By data source: the types of columns that the file gives none for, as the engine knows them."""

    def shape(self, datasource: str, shape_id: str) -> Shape | None:
        """Return a shape, None if nobody knows it (any more)."""
        return self.sources.get(datasource, {}).get(shape_id)

    def with_shape(self, datasource: str, shape_id: str, shape: Shape) -> "Routes":
        """Return the same with a shape as the data source's newest; beyond the limit the oldest goes."""
        shapes = {k: v for k, v in self.sources.get(datasource, {}).items() if k != shape_id}
        shapes[shape_id] = shape
        kept = dict(list(shapes.items())[-SHAPES_MAX:])
        return msgspec.structs.replace(self, sources={**self.sources, datasource: kept})


def shape_id_of(
    columns: tuple[str, ...], types: tuple[str, ...], form: str, refused: tuple[str, ...]
) -> str:
    """Return the short name of a shape: a digest of everything it consists of."""
    text = msgspec.json.encode((columns, types, form, refused))
    return blake2b(text, digest_size=8).hexdigest()


def read_routes(path: Path) -> Routes:
    """Return what a build wrote.

    Raises:
        FileNotFoundError: There was none.
        ProjectInvalid: It is of another version of Playhead.
        OSError: It cannot be read.
        msgspec.DecodeError: It is not what a build writes.
    """
    routes = msgspec.json.decode(path.read_bytes(), type=Routes)
    if routes.version != VERSION:
        raise ProjectInvalid(
            f"{path.name} is of version {routes.version}; this release reads {VERSION}. "
            "Build the project again."
        )
    return routes


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def routes_json(routes: Routes) -> str:
    """Return routes as they are written; see `build/routing.py`."""
    return msgspec.json.encode(routes).decode()


def tables_of(routes: Routes) -> Mapping[str, set[tuple[str, str]]]:
    """Return the tables that rows of each data source go into: (database, table)."""
    return {
        name: {(route.database, route.table) for shape in shapes.values() for route in shape.routes}
        for name, shapes in routes.sources.items()
    }
