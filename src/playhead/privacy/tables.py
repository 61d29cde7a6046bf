"""The tables in which a viewer may be named in a text: quarantine, requests, what services record."""

from collections.abc import Sequence
from typing import Final

import msgspec

from playhead.errors import InvalidRequest
from playhead.privacy.viewer import Column, Viewer
from playhead.project.manifest import Manifest
from playhead.project.services import SERVICE_DATABASES
from playhead.project.table import qualified
from playhead.store.async_client import AsyncStoreClient

OURS: Final = "playhead"
_APART: Final = (
    "views", "events", "forgotten", "schema_migrations", "view_rollup", "view_rollup_state",
    "view_rollup_long", "cdn_minutes", "quarantine_retries",
)  # fmt: skip
"""Tables of ours that are looked at in another way, or hold sums and numbers only."""
_TRAFFIC: Final = ("cdn_requests", "stream_frames")
"""Tables of ours whose texts are addresses of content: only an id that cannot be one is looked for."""
_NAMES_THEM: Final = (
    "(multiSearchAny(toString(`{name}`), {forms:Array(String)})"
    " AND match(toString(`{name}`), {pattern:String}))"
)
"""Of one column. The first part is cheap, and nearly always enough."""
_COLUMNS_SQL: Final = """
SELECT database, table, name, type FROM system.columns
WHERE default_kind NOT IN ('EPHEMERAL', 'ALIAS') AND (database, table) IN
    (SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree')
ORDER BY database, table, position
"""


class Found(msgspec.Struct, frozen=True):
    """A table, and which of its rows name a viewer: a condition that binds what `bound_for` gives."""

    database: str
    table: str
    condition: str
    columns: tuple[str, ...]
    """Those by whose values a row is told from others."""

    @property
    def name(self) -> str:
        """Return it as people write it."""
        return f"{self.database}.{self.table}"

    @property
    def sql(self) -> str:
        """Return it as the engine reads it."""
        return qualified(self.database, self.table)

    @property
    def fingerprint(self) -> str:
        """Return the SQL of a number that is a row's own."""
        texts = ", ".join(f"ifNull(toString(`{name}`), '\\0')" for name in self.columns)
        return f"sipHash64({texts})"


async def tables_of(store: AsyncStoreClient, viewer: Viewer, manifest: Manifest) -> list[Found]:
    """Return the tables that may name a viewer.

    Args:
        store: The store.
        viewer: Whom.
        manifest: The live project, whose columns the request may name.

    Raises:
        InvalidRequest: A column is named that is not there.
        PlayheadError: As `AsyncStoreClient.rows`.
    """
    kinds: dict[tuple[str, str], dict[str, str]] = {}
    for database, table, name, kind in (await store.rows(_COLUMNS_SQL)).rows:
        kinds.setdefault((database, table), {})[name] = kind
    found = [
        made
        for (database, table), columns in kinds.items()
        if _may_name(database, table, columns)
        and (made := _by_text(database, table, columns, viewer))
    ]
    for column in viewer.columns:
        found += _of_project(viewer, column, manifest, kinds)
    return found


def _may_name(database: str, table: str, columns: dict[str, str]) -> bool:
    if database == OURS:
        is_of_views = "view_key" in columns
        return table not in _APART and not is_of_views and not table.startswith("forgetting_")
    return database in SERVICE_DATABASES


def _by_text(database: str, table: str, columns: dict[str, str], viewer: Viewer) -> Found | None:
    texts = [name for name, kind in columns.items() if "String" in kind and _is_plain(kind)]
    if not texts:
        return None
    condition = " OR ".join(_NAMES_THEM.replace("{name}", name) for name in texts)
    if database == OURS and table in _TRAFFIC and not viewer.is_telling:
        condition = "0"
    own = ""
    if database == OURS and viewer.property and "property" in columns:
        own = " AND property = {property:String}"
    return Found(database, table, f"(({condition}){own})", _own(columns))


def _of_project(
    viewer: Viewer, column: Column, manifest: Manifest, kinds: dict[tuple[str, str], dict[str, str]]
) -> Sequence[Found]:
    database = manifest.database_of(column.datasource) if manifest.files else ""
    columns = kinds.get((database, column.datasource), {})
    if column.name not in columns:
        raise InvalidRequest(
            f"The project has no column '{column.datasource}.{column.name}'. Nothing was changed."
        )
    condition = f"toString(`{column.name}`) = {{viewer:String}}"
    found = [Found(database, column.datasource, condition, _own(columns))]
    aside = f"{column.datasource}_quarantine"
    home = manifest.database  # where quarantines stay, wherever a deployment moved the rest
    refused = _by_text(home, aside, kinds.get((home, aside), {}), viewer)
    return [*found, refused] if refused else found


def _own(columns: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name, kind in columns.items() if _is_plain(kind))


def _is_plain(kind: str) -> bool:
    """Return whether values can be written as text: states of aggregates cannot."""
    return not kind.startswith("AggregateFunction")
