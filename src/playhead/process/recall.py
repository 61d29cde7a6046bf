"""What the store remembers: open views at start, and stored events of a view when one is needed."""

from collections import defaultdict

from playhead.model import event_row
from playhead.model.event_row import Stored, stored_of
from playhead.model.view import FOLD_VERSION
from playhead.observe import logger
from playhead.process.caps import CAPPED_DIMENSIONS, Caps
from playhead.process.track import Track
from playhead.process.tracks import Tracks
from playhead.store.client import StoreClient

KEYS_PER_QUERY = 200
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
    "WHERE view_key IN {keys:Array(String)} AND log_offset < {before:UInt64}"
)
_OPEN_SQL = """
SELECT view_key, view_id, property, state, last_offset, fold_version,
       toUnixTimestamp64Milli(received_at) AS received_ms
FROM playhead.views FINAL
WHERE NOT final AND (view_id, property) > ({view_id:String}, {property:String})
ORDER BY view_id, property LIMIT {limit:UInt32}
"""
_FINAL = {"do_not_merge_across_partitions_select_final": 1}


class Recall:
    """Reads back what the fold needs."""

    def __init__(self, store: StoreClient) -> None:
        self._store = store

    def events(self, keys: list[str], before_offset: int) -> dict[str, list[Stored]]:
        """Return the stored events of view keys from before a log offset."""
        found: dict[str, list[Stored]] = defaultdict(list)
        for at in range(0, len(keys), KEYS_PER_QUERY):
            chunk = keys[at : at + KEYS_PER_QUERY]
            result = self._store.rows(_EVENTS_SQL, {"keys": chunk, "before": before_offset})
            for row in result.rows:
                key, stored = stored_of(row)
                found[key].append(stored)
        return dict(found)

    def open_tracks(self, tracks: Tracks, position: int) -> int:
        """Take up every open view as it stood at log offset `position`; return how many.

        A row that already holds something of `position` or later (a crash between the insert and
        its record) is not trusted: its view is folded from the events before `position`.
        """
        after = ("", "")
        mistrusted: list[str] = []
        while True:
            page = self._store.rows(
                _OPEN_SQL,
                {"view_id": after[0], "property": after[1], "limit": OPEN_VIEWS_PER_QUERY},
                settings=_FINAL,
            ).rows
            for key, _, _, state, last_offset, fold_version, received_ms in page:
                if not state or last_offset >= position or fold_version != FOLD_VERSION:
                    mistrusted.append(key)
                    continue
                track = Track.restore(key, state, tracks.limits)
                track.touched_ms = received_ms
                tracks.put(track)
                tracks.wake_at(track, 0)
            if len(page) < OPEN_VIEWS_PER_QUERY:
                break
            after = (page[-1][1], page[-1][2])
        for key, events in self.events(mistrusted, position).items():
            view_id = events[0].event.view_id
            track = tracks.new(key, view_id or "", explicit=bool(view_id))
            track.replay(events)
            track.touched_ms = max(stored.received_at for stored in events)
            tracks.wake_at(track, 0)
        _LOG.info("open_views_recalled", views=len(tracks), folded_again=len(mistrusted))
        return len(tracks)

    def values(self, caps: Caps) -> None:
        """Fill the caps with the values that the last days' views carry."""
        for name in CAPPED_DIMENSIONS:
            sql = (
                f"SELECT groupUniqArray({{most:UInt32}})({name}) FROM playhead.views "  # noqa: S608
                f"WHERE first_seen_day >= today() - {CAP_LOOKBACK_DAYS}"
            )
            sql = sql.replace("{most:UInt32}", str(caps.max_values))
            rows = self._store.rows(sql).rows
            caps.learn(name, rows[0][0] if rows else [])
