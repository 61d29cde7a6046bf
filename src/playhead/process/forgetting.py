"""Forgetting a viewer at one place of the log: their views, sessions and events, and for good.

What belongs to them is put into a table beside first, so that no statement that changes tables
holds an id: the engine keeps those texts in files. Everything may be repeated after a stop at any
step: the table beside stays until the range of the log is stored.
"""

# ruff: noqa: S608 (names of ours, hashes and literals: an id is bound, or not there at all)

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from playhead.access.viewer_key import viewer_key
from playhead.errors import Conflict
from playhead.model.forgotten import (
    KIND_SESSION,
    KIND_VIEW,
    KIND_VIEWER,
    Forget,
    digest_sql,
    name_of,
)
from playhead.observe import logger
from playhead.process.forgotten import Forgotten
from playhead.process.tracks import Tracks
from playhead.store.binding import literal
from playhead.store.client import Limits, StoreClient
from playhead.store.purge import delete_sql
from playhead.store.rollup_carry import carry_over, counting
from playhead.store.viewer_scope import ViewerScope

BESIDE: Final = "forgetting_"
"""Begins the name of the table that holds what belongs to a viewer while they are being forgotten."""
TABLE: Final = "playhead.forgotten"
SHARED_VIEWS_MAX: Final = 100_000
"""Views with another viewer in them that are folded again without the forgotten one."""
_PAGE_ROWS: Final = 50_000
_PLACE: Final = "place"
_SHARED: Final = "shared"
_LIMITS: Final = Limits(timeout_ms=600_000)
_PLACED: Final = "concat(toString(log_offset), '-', toString(log_index))"
_LOG = logger("commands")


class Done(msgspec.Struct, frozen=True):
    """What was forgotten."""

    events: int
    views: int
    shared: list[str]
    """Keys of views in which somebody else is named, too: to be folded again."""
    keys: frozenset[str]
    """Keys of all views concerned: rows of them made before must not be stored any more."""


class _Beside:
    """The table beside, of one command."""

    def __init__(self, offset: int) -> None:
        self.name = f"playhead.{BESIDE}{offset}"
        self.views = self._of(KIND_VIEW, "property, value")
        self.view_keys = self._of(KIND_VIEW, "value")
        self.sessions = self._of(KIND_SESSION, "property, value")
        self.viewers = self._of(KIND_VIEWER, "value")
        self.places = self._of(_PLACE, "value")
        self.shared = self._of(_SHARED, "value")
        self.events = (
            f"(property, view_key) IN ({self.views})"
            f" AND (viewer_id = '' OR viewer_id IN ({self.viewers}))"
        )
        self.others = (
            f"(property, view_key) IN ({self.views})"
            f" AND viewer_id != '' AND viewer_id NOT IN ({self.viewers})"
        )
        self.requests = (
            f"(property, session_id) IN ({self.sessions})"
            f" OR (property, view_id) IN ({self.sessions})"
            f" OR (view_id != '' AND concat(property, '/', view_id) IN ({self.view_keys}))"
        )

    def _of(self, kind: str, columns: str) -> str:
        return f"SELECT {columns} FROM {self.name} WHERE kind = '{kind}'"


class Forgetting:
    """Carries out commands to forget; nothing is folded meanwhile."""

    def __init__(
        self, data_dir: Path, store: StoreClient, tracks: Tracks, forgotten: Forgotten
    ) -> None:
        self._data_dir = data_dir
        self._store = store
        self._tracks = tracks
        self._forgotten = forgotten

    def load(self) -> None:
        """Read whom was forgotten before; raises as `StoreClient.rows`."""
        try:
            key = viewer_key(self._data_dir)
        except Conflict as error:
            _LOG.error("viewer_key_unreadable", reason=error.message)
            key = ""
        self._forgotten.load(self._store, key)

    def run(self, forget: Forget, *, at_ms: int, offset: int) -> Done:
        """Forget somebody; doing it again does no more than once. `finish` comes when that counts.

        Args:
            forget: Whom.
            at_ms: The log's time of it (UTC ms): what happened until then goes.
            offset: Where it stands in the log.

        Raises:
            Conflict: The key is not the one the command was made with; nothing was deleted.
            PlayheadError: As `StoreClient.command`; repeat it.
        """
        key = viewer_key(self._data_dir)
        if name_of(key) != forget.key:
            raise Conflict(
                "viewers.key is not the one that this deletion was asked for with;"
                " nothing was deleted. Ask for it again."
            )
        beside = _Beside(offset)
        self._gather(forget, key, beside)
        self._remember(forget, key, beside, (at_ms, offset))
        events = self._count(f"SELECT count() FROM playhead.events WHERE {beside.events}")
        views = self._count(
            "SELECT uniqExact(property, view_id) FROM playhead.views"
            f" WHERE (property, view_key) IN ({beside.views})"
        )
        self._delete(beside)
        self._forgotten.load(self._store, key)
        keys = frozenset(self._keys(beside))
        for open_one in filter(None, map(self._tracks.get, keys)):
            self._tracks.forget(open_one)
        return Done(events, views, self._shared(beside), keys)

    def finish(self) -> None:
        """Remove what lies beside: the ranges of the log it was for are stored."""
        found = self._store.rows(
            "SELECT name FROM system.tables WHERE database = 'playhead'"
            " AND startsWith(name, {name:String})",
            {"name": BESIDE},
            limits=_LIMITS,
        )
        for (name,) in found.rows:
            self._store.command(f"DROP TABLE IF EXISTS playhead.`{name}` SYNC")

    def _gather(self, forget: Forget, key: str, beside: _Beside) -> None:
        """Put what belongs to them beside; a second time it adds what is still found."""
        self._store.command(
            f"CREATE TABLE IF NOT EXISTS {beside.name} (kind LowCardinality(String),"
            " property String, value String) ENGINE = MergeTree ORDER BY (kind, property, value)"
        )
        match = f"viewer_id != '' AND {digest_sql(key, 'viewer_id')} = {literal(forget.digest)}"
        own = f" AND property = {literal(forget.property)}" if forget.property else ""
        scope = ViewerScope(match + own)
        said = "JSONExtractString(body, 'viewerId')"
        refused = f"{said} != '' AND {digest_sql(key, said)} = {literal(forget.digest)}{own}"
        shared = f"SELECT property, view_key AS value FROM playhead.events WHERE {beside.others}"
        places = f"SELECT property, {_PLACED} AS value FROM playhead.quarantine WHERE {refused}"
        for kind, query in (
            (KIND_VIEWER, scope.viewers()),
            (KIND_SESSION, scope.sessions()),
            (KIND_VIEW, scope.views()),
            (KIND_VIEW, scope.nameless(beside.sessions)),
            (_SHARED, f"{shared} LIMIT 1 BY property, view_key"),
            (_PLACE, places),
        ):
            self._store.command(
                f"INSERT INTO {beside.name} (kind, property, value)"
                f" SELECT '{kind}', property, value FROM ({query})"
            )

    def _remember(self, forget: Forget, key: str, beside: _Beside, when: tuple[int, int]) -> None:
        """Keep by hashes whom and what this is about; not the views that are somebody else's, too."""
        at_ms, offset = when
        self._store.command(
            f"INSERT INTO {TABLE} (kind, property, digest, at_ms, log_offset)"
            f" SELECT kind, property, {digest_sql(key, 'value')}, {at_ms}, {offset}"
            f" FROM {beside.name} WHERE kind = '{KIND_SESSION}'"
            f" OR (kind = '{KIND_VIEW}' AND value NOT IN ({beside.shared}))"
            f" UNION ALL SELECT '{KIND_VIEWER}', {literal(forget.property)},"
            f" {literal(forget.digest)}, {at_ms}, {offset}"
        )

    def _shared(self, beside: _Beside) -> list[str]:
        found = self._store.rows(
            f"SELECT DISTINCT value FROM ({beside.shared}) ORDER BY value LIMIT {SHARED_VIEWS_MAX}",
            limits=_LIMITS,
        )
        return [row[0] for row in found.rows]

    def _delete(self, beside: _Beside) -> None:
        self._delete_from("playhead.quarantine", f"{_PLACED} IN ({beside.places})")
        self._delete_from("playhead.cdn_requests", beside.requests)
        counted = counting(self._store)
        touched: set[str] = set()
        for table in self._tables_of_views():
            touched |= self._delete_from(table, f"(property, view_key) IN ({beside.views})")
        carry_over(self._store, counted, except_days=touched)
        self._delete_from("playhead.events", beside.events)

    def _tables_of_views(self) -> list[str]:
        """Return the tables of view rows: `views`, and what is being made to take its place."""
        found = self._store.rows(
            "SELECT table, uniq(name) FROM system.columns WHERE database = 'playhead'"
            " AND name IN ('view_key', 'view_id', 'interval_from', 'property')"
            " GROUP BY table HAVING uniq(name) = 4 ORDER BY table",
            limits=_LIMITS,
        )
        return [f"playhead.`{table}`" for table, _ in found.rows]

    def _delete_from(self, table: str, condition: str) -> set[str]:
        """Delete rows from the partitions that hold some; return those."""
        found = self._store.rows(
            f"SELECT DISTINCT _partition_id FROM {table} WHERE {condition} ORDER BY 1",
            limits=_LIMITS,
        )
        for (partition,) in found.rows:
            self._store.command(delete_sql(table, partition, condition))
        return {row[0] for row in found.rows}

    def _keys(self, beside: _Beside) -> Iterator[str]:
        after = ""
        while True:
            page = self._store.rows(
                f"SELECT DISTINCT value FROM ({beside.view_keys}) WHERE value > {{after:String}}"
                f" ORDER BY value LIMIT {_PAGE_ROWS}",
                {"after": after},
                limits=_LIMITS,
            ).rows
            yield from (row[0] for row in page)
            if len(page) < _PAGE_ROWS:
                return
            after = page[-1][0]

    def _count(self, sql: str) -> int:
        return int(self._store.rows(sql, limits=_LIMITS).rows[0][0])
