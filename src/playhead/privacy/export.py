"""Everything that is kept about one viewer, row by row."""

# ruff: noqa: S608 (names of ours, hashes and literals: an id is bound, or not there at all)

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Final

import msgspec

from playhead.privacy.sweep import bound_for
from playhead.privacy.tables import Found
from playhead.privacy.viewer import Viewer
from playhead.store.async_client import AsyncStoreClient
from playhead.store.client import Limits
from playhead.store.viewer_scope import ViewerScope

_SETTINGS: Final = {
    "do_not_merge_across_partitions_select_final": 1,
    "output_format_json_quote_64bit_integers": 0,
    "date_time_output_format": "iso",
}
_encode = msgspec.json.Encoder().encode


async def rows_about(
    store: AsyncStoreClient, viewer: Viewer, found: Sequence[Found], limits: Limits
) -> AsyncGenerator[bytes, None]:
    """Yield rows as JSON objects `{"table": …, "row": {…}}`, one at a time, table after table.

    Args:
        store: The store.
        viewer: Whom.
        found: The tables that may name them in a text, as `tables_of` says.
        limits: Of each table.

    Raises:
        PlayheadError: As `AsyncStoreClient.stream`; what was yielded is not all.
    """
    bound = bound_for(viewer)
    for name, sql in _statements(viewer, found):
        head = b'{"table":%b,"row":' % _encode(name)
        left = b""
        pieces = store.stream(sql, bound, limits=limits, settings=_SETTINGS)
        try:
            async for piece in pieces:
                *lines, left = (left + piece).split(b"\n")
                for line in lines:
                    if line:
                        yield head + line + b"}"
        finally:
            await pieces.aclose()


def _statements(viewer: Viewer, found: Sequence[Found]) -> Iterator[tuple[str, str]]:
    own = " AND property = {property:String}" if viewer.property else ""
    scope = ViewerScope("viewer_id = {viewer:String}" + own)
    sessions = scope.sessions()
    views = f"{scope.views()} UNION DISTINCT {scope.nameless(sessions)}"
    keys = f"SELECT value FROM ({views})"
    of_views = (
        "SELECT * EXCEPT (state) FROM playhead.views FINAL"
        f" WHERE (property, view_key) IN ({views}) ORDER BY started_at, view_id"
    )
    of_events = (
        f"SELECT * FROM playhead.events WHERE (property, view_key) IN ({views})"
        " AND viewer_id IN ('', {viewer:String}) ORDER BY at, view_key, identity"
    )
    yield "playhead.views", of_views
    yield "playhead.events", of_events
    requests = (
        f"(property, session_id) IN ({sessions}) OR (property, view_id) IN ({sessions})"
        f" OR (view_id != '' AND concat(property, '/', view_id) IN ({keys}))"
    )
    for table in found:
        which = table.condition
        if table.name == "playhead.cdn_requests":
            which = f"({which} OR {requests})"
        yield table.name, f"SELECT * FROM {table.sql} WHERE {which}"
