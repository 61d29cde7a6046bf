"""The rows of views as they are: read key by key, and compared with what a fold makes anew."""

from collections.abc import Iterator
from math import isclose
from typing import Any, Final

import msgspec

from playhead.errors import ResultTooLarge
from playhead.model.view import COLUMNS, ViewRow
from playhead.process.caps import CAPPED_DIMENSIONS, OTHER, Caps
from playhead.process.recall import chunks
from playhead.store.client import Limits, StoreClient

KEYS_PER_PAGE: Final = 500
EVENTS_PER_TURN: Final = 20_000
"""Keys are folded in turns of about so many events: bounds memory."""
QUERY_TIMEOUT_MS: Final = 120_000
SETTINGS: Final = {"do_not_merge_across_partitions_select_final": 1, "max_threads": 1}
"""One thread: a rebuild has time, the API has none."""
LIMITS: Final = Limits(timeout_ms=QUERY_TIMEOUT_MS)
_TIMES: Final = frozenset({"started_at", "ended_at", "last_event_at", "live_until", "received_at"})
_UNCOMPARED: Final = frozenset({"version", "state", "duplicates"})
"""Not made of events, or different by nature."""
_MARKS: Final = frozenset({"fold_version", "score_version"})
_COMPARED: Final = tuple(
    (at, name) for at, name in enumerate(COLUMNS) if name not in _UNCOMPARED | _MARKS
)
_PLACES: Final = {name: at for at, name in enumerate(COLUMNS)}
_NEAR: Final = 1e-6
"""Columns of 32 bits give a number back with 7 digits."""


def _column(name: str) -> str:
    if name in _TIMES:
        return f"toUnixTimestamp64Milli({name})"
    return f"toString({name})" if name == "first_seen_day" else name


_KEYS_SQL: Final = (
    "SELECT DISTINCT view_key FROM playhead.views WHERE first_seen_day = {day:Date}"
    " AND view_key > {after:String} ORDER BY view_key LIMIT {most:UInt32}"
)
_ROWS_SQL: Final = (
    f"SELECT {', '.join(map(_column, COLUMNS))} FROM playhead.views FINAL"  # noqa: S608
    " WHERE first_seen_day = {day:Date} AND view_key IN {keys:Array(String)}"
)


class LiveRow:
    """One row of `views`: values in the order of its columns, times in ms."""

    __slots__ = ("values",)

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[_PLACES[name]]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def id(self) -> tuple[str, str]:
        """Return what a row is replaced by: view id and property."""
        return self.view_id, self.property

    def differs(self, row: ViewRow) -> bool:
        """Return whether a row made anew says anything else of the view."""
        anew = msgspec.to_builtins(row)
        return any(not same(self.values[at], anew[at]) for at, _ in _COMPARED)

    def is_marked_as(self, row: ViewRow) -> bool:
        """Return whether it is by the same version of fold and scores."""
        return all(getattr(self, name) == getattr(row, name) for name in _MARKS)


def same(one: Any, other: Any) -> bool:
    """Return whether two values of a column are the same, as far as the column can tell."""
    if isinstance(one, float) or isinstance(other, float):
        if one is None or other is None:
            return one is other
        return isclose(one, other, rel_tol=_NEAR, abs_tol=1e-9)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def keys_of(client: StoreClient, day: str, after: str) -> list[str]:
    """Return the next view keys of a day, in order."""
    asked = {"day": day, "after": after, "most": KEYS_PER_PAGE}
    found = client.rows(_KEYS_SQL, asked, limits=LIMITS, settings=SETTINGS)
    return [row[0] for row in found.rows]


def rows_of(client: StoreClient, day: str, keys: list[str]) -> dict[str, list[LiveRow]]:
    """Return the rows of view keys on a day, by key."""
    found: dict[str, list[LiveRow]] = {}
    for chunk in chunks(keys):
        for values in _read(client, day, chunk):
            row = LiveRow(values)
            found.setdefault(row.view_key, []).append(row)
    return found


def turns(keys: list[str], rows: dict[str, list[LiveRow]]) -> Iterator[list[str]]:
    """Cut keys into turns whose events, by what their rows say, are about `EVENTS_PER_TURN`."""
    turn: list[str] = []
    events = 0
    for key in keys:
        own = sum(row.events for row in rows.get(key, ()))
        if turn and events + own > EVENTS_PER_TURN:
            yield turn
            turn, events = [], 0
        turn.append(key)
        events += own
    if turn:
        yield turn


def _read(client: StoreClient, day: str, keys: list[str]) -> Iterator[list[Any]]:
    asked = {"day": day, "keys": keys}
    try:
        rows = client.rows(_ROWS_SQL, asked, limits=LIMITS, settings=SETTINGS).rows
    except ResultTooLarge:
        if len(keys) == 1:
            raise
        half = len(keys) // 2
        for part in (keys[:half], keys[half:]):
            yield from _read(client, day, part)
    else:
        yield from rows


class DayCaps:
    """Caps on distinct values as the day's own rows have them.

    What a live row holds as `other` stays so, and what no row of the day has counts against the cap.
    """

    def __init__(self, caps: Caps) -> None:
        self._caps = caps

    @classmethod
    def of_day(cls, client: StoreClient, day: str, max_values: int) -> "DayCaps":
        """Return the caps with the values that a day's rows have."""
        caps = Caps(max_values)
        for name in CAPPED_DIMENSIONS:
            sql = (
                f"SELECT groupUniqArray({max_values})({name}) FROM playhead.views"  # noqa: S608
                " WHERE first_seen_day = {day:Date}"
            )
            rows = client.rows(sql, {"day": day}, limits=LIMITS, settings=SETTINGS).rows
            caps.learn(name, rows[0][0] if rows else [])
        return cls(caps)

    def apply(self, row: ViewRow, live: LiveRow | None) -> None:
        """Replace what lies beyond a cap by `other`, in place."""
        if live is not None:
            for name in CAPPED_DIMENSIONS:
                if getattr(live, name) == OTHER and getattr(row, name):
                    setattr(row, name, OTHER)
        self._caps.apply(row)
