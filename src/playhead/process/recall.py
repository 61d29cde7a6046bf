"""What the store remembers: open views at start, and stored events of a view when one is needed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import zstandard

from playhead.errors import ResultTooLarge
from playhead.model import event_row
from playhead.model.event_row import Stored, stored_of
from playhead.model.view import FOLD_VERSION
from playhead.observe import logger
from playhead.process.caps import CAPPED_DIMENSIONS, Caps
from playhead.process.track import Track
from playhead.process.tracks import Tracks
from playhead.store.binding import literal
from playhead.store.client import Limits, StoreClient

KEYS_PER_QUERY = 200
KEY_BYTES_PER_QUERY = 48 << 10
"""Of keys as they stand in the URL: it may have 64 KiB, and a key of 256 signs up to 3 KiB."""
QUERY_TIMEOUT_MS = 60_000
"""The worker can do nothing else meanwhile, so it waits longer than a reader of the API."""
OPEN_VIEWS_PER_QUERY = 2_000
CAP_LOOKBACK_DAYS = 2

_LOG = logger("worker")
_TIMES = ("at", "received_at")


def _column(name: str) -> str:
    if name in _TIMES:
        return f"toUnixTimestamp64Milli({name}) AS {name}"
    return name


_EVENTS_SQL = (
    f"SELECT {', '.join(_column(name) for name in event_row.COLUMNS)} FROM playhead.events "  # noqa: S608
    "WHERE view_key IN {keys:Array(String)}"
    " AND log_offset >= {start:Int64} AND log_offset < {stop:Int64}"
)
_OPEN_SQL = """
SELECT view_key, view_id, property, state, last_offset, fold_version,
       toUnixTimestamp64Milli(received_at) AS received_ms
FROM playhead.views FINAL
WHERE NOT final AND (view_id, property) > ({view_id:String}, {property:String})
ORDER BY view_id, property LIMIT {limit:UInt32}
"""
_LIMITS = Limits(timeout_ms=QUERY_TIMEOUT_MS)
_FINAL = {"do_not_merge_across_partitions_select_final": 1}


class Recall:
    """Reads back what the fold needs."""

    def __init__(self, store: StoreClient) -> None:
        self._store = store

    def events(self, keys: list[str], before_offset: int) -> dict[str, list[Stored]]:
        """Return the stored events of view keys from before a log offset."""
        found: dict[str, list[Stored]] = defaultdict(list)
        for chunk in chunks(keys):
            for row in self._event_rows(chunk, 0, before_offset):
                key, stored = stored_of(row)
                found[key].append(stored)
        return dict(found)

    def _event_rows(self, keys: list[str], start: int, stop: int) -> Iterator[list[Any]]:
        """Yield event rows of offsets `start` to `stop`-1; what is too large for one answer, in parts."""
        try:
            rows = self._store.rows(
                _EVENTS_SQL, {"keys": keys, "start": start, "stop": stop}, limits=_LIMITS
            ).rows
        except ResultTooLarge:
            if len(keys) > 1:
                half = len(keys) // 2
                parts = [(keys[:half], start, stop), (keys[half:], start, stop)]
            elif stop - start > 1:
                middle = (start + stop) // 2
                parts = [(keys, start, middle), (keys, middle, stop)]
            else:
                raise
            for part in parts:
                yield from self._event_rows(*part)
        else:
            yield from rows

    def open_tracks(self, tracks: Tracks, position: int) -> int:
        """Take up every open view as it stood at log offset `position`; return how many.

        A row that already holds something of `position` or later (a crash between the insert and
        its record) is not trusted: its view is folded from the events before `position`.
        """
        mistrusted: list[str] = []
        for key, _, _, state, last_offset, fold_version, received_ms in self._open_rows():
            if not state or last_offset >= position or fold_version != FOLD_VERSION:
                mistrusted.append(key)
                continue
            try:
                track = Track.restore(key, state, tracks.limits)
            except (msgspec.MsgspecError, zstandard.ZstdError, ValueError):
                _LOG.exception("state_unreadable", view_key=key)
                mistrusted.append(key)
                continue
            track.touched_ms = received_ms
            tracks.put(track)
            tracks.wake_at(track, 0)
        for chunk in chunks(mistrusted):
            for key, events in self.events(chunk, position).items():
                view_id = events[0].event.view_id
                track = tracks.new(key, view_id or "", explicit=bool(view_id))
                track.replay(events)
                track.touched_ms = max(stored.received_at for stored in events)
                tracks.wake_at(track, 0)
        _LOG.info("open_views_recalled", views=len(tracks), folded_again=len(mistrusted))
        return len(tracks)

    def _open_rows(self) -> Iterator[list[Any]]:
        """Yield the rows of all open views, page by page; smaller pages where states are large."""
        after, most = ("", ""), OPEN_VIEWS_PER_QUERY
        while True:
            try:
                page = self._store.rows(
                    _OPEN_SQL,
                    {"view_id": after[0], "property": after[1], "limit": most},
                    limits=_LIMITS,
                    settings=_FINAL,
                ).rows
            except ResultTooLarge:
                if most == 1:
                    raise
                most = max(1, most // 4)
                continue
            yield from page
            if len(page) < most:
                return
            after = (page[-1][1], page[-1][2])

    def values(self, caps: Caps) -> None:
        """Fill the caps with the values that the last days' views carry."""
        for name in CAPPED_DIMENSIONS:
            sql = (
                f"SELECT groupUniqArray({{most:UInt32}})({name}) FROM playhead.views "  # noqa: S608
                f"WHERE first_seen_day >= today() - {CAP_LOOKBACK_DAYS}"
            )
            sql = sql.replace("{most:UInt32}", str(caps.max_values))
            rows = self._store.rows(sql, limits=_LIMITS).rows
            caps.learn(name, rows[0][0] if rows else [])


def chunks(keys: list[str]) -> Iterator[list[str]]:
    """Yield view keys in lists that one query can carry, and whose events fit into memory."""
    chunk: list[str] = []
    size = 0
    for key in keys:
        own = len(quote(literal(key), safe="")) + 3
        if chunk and (size + own > KEY_BYTES_PER_QUERY or len(chunk) >= KEYS_PER_QUERY):
            yield chunk
            chunk, size = [], 0
        chunk.append(key)
        size += own
    if chunk:
        yield chunk
