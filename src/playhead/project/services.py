"""The service tables of the reference (`tinybird.*`, `organization.*`): names and columns."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec

SERVICE_DATABASES: Final = ("tinybird", "organization")
WORKSPACE: Final = "workspace_id"
"""The column that says whose a row of `tinybird.*` is; it is kept, and shown by `organization.*` alone."""
_FILE: Final = "services.json"


def _read() -> dict[str, str]:
    text = files("playhead.project").joinpath(_FILE).read_bytes()
    found = msgspec.json.decode(text, type=dict[str, dict[str, str]])
    return {
        f"{database}.{table}": columns
        for database, tables in found.items()
        for table, columns in tables.items()
    }


SERVICE_TABLES: Final[Mapping[str, str]] = _read()
"""`tinybird.pipe_stats_rt` to its columns, as CREATE TABLE takes them."""


def service_table(name: str) -> bool:
    """Return whether `name` ("tinybird.jobs_log") is a service table."""
    return name in SERVICE_TABLES
