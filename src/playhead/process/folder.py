"""One range of the log through the fold: records in, rows of three tables and counts out.

Deterministic: the same range and the same tracks give the same rows, whatever was done before a
crash. Time is the log's own (`as_of`, the newest `received_at` read), never the clock's.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from playhead.log.base import Record
from playhead.model.event import Event, Into
from playhead.model.event_row import Stored, row_of
from playhead.model.kinds import kind_of
from playhead.model.view import ViewRow
from playhead.observe import logger
from playhead.process.caps import Caps
from playhead.process.forgotten import Forgotten
from playhead.process.holding import COMMANDS
from playhead.process.identity import has_seq, identity_of, view_key_of
from playhead.process.made_rows import Group, Made, group_of, made_of
from playhead.process.rows import Line, Table
from playhead.process.track import Track, Verdict
from playhead.process.tracks import CLOSED_GRACE_MS, Tracks
from playhead.process.unpack import Unpacked, Unpacker, unfolded_row

_LOG = logger("worker")

SKEW_TOLERANCE_MS = 2_000
UNSENT_LATENESS_MS = 300_000
DROP_VIEW_FULL = "view_too_long"
UUID_LENGTH = 36
KEYS_PER_LOOKUP = 1_000
"""Views whose stored events are in memory at one time."""
HEAVY_EVENT_BYTES = 2_048
"""Of views whose batches hold larger events than this on average no tail is kept: the limit of all
tails counts events (`process.max_tail_events`), and strangers choose how large one is."""

Lookup = Callable[[list[str], int], dict[str, list[Stored]]]
"""Given view keys and an offset: the stored events of those keys from before that offset."""


class Folded(msgspec.Struct):
    """What one range of the log becomes."""

    first: int
    next: int
    as_of_ms: int
    events: list[tuple[Any, ...]]
    quarantine: list[tuple[Any, ...]]
    views: list[ViewRow]
    counts: dict[str, int]
    late: list[str]
    """Keys whose views must be folded again from the store once the events are in it."""
    rows: dict[Table, list[Line]] = {}
    """Rows of tables that are no fold."""
    made: dict[Group, list[Made]] = {}
    """Rows of projects."""
    pieces: list[tuple[Record, Into]] = []
    """Pieces of imported files, as they came."""
    commands: list[Record] = []
    """What is done to tables of projects; such a range holds nothing else."""
    retried: list[tuple[int, int, int, int]] = []
    """Quarantined rows taken up again: offset, index, when, and at which offset now."""
    overflowed: bool = False
    """Views were closed to keep the limit; the next range may ask the store for them."""
    event_at_ms: int = 0
    """Receipt of the newest record with events, up to here; 0 = none since the start."""


class Folder:
    """Takes ranges of the log in order."""

    def __init__(
        self,
        tracks: Tracks,
        lookup: Lookup,
        caps: Caps,
        *,
        cdn_hosts: tuple[tuple[str, str], ...] = (),
        forgotten: Forgotten | None = None,
    ) -> None:
        self.tracks = tracks
        self._forgotten = Forgotten() if forgotten is None else forgotten
        self.as_of_ms = 0
        self.event_at_ms = 0
        """Receipt of the newest record with events; 0 = none since the start."""
        self._heavy: set[str] = set()
        self._lookup = lookup
        self._caps = caps
        self._unpacker = Unpacker(cdn_hosts)
        self._trust_fresh_from_ms: int | None = None

    def fold(self, records: list[Record]) -> Folded:
        """Fold one range; `records` are dense and follow the last range."""
        first = records[0].offset
        self.as_of_ms = max(self.as_of_ms, records[-1].received_at)
        heard = next((record.received_at for record in reversed(records) if record.events), 0)
        self.event_at_ms = max(self.event_at_ms, heard)
        if self._trust_fresh_from_ms is None:
            self._trust_fresh_from_ms = self.as_of_ms + CLOSED_GRACE_MS
        unpacked = list(self._unpacker.all(records))
        self._forgotten.sift(unpacked, event_at)
        self._open_unknown(unpacked, first)
        folded = Folded(first, records[-1].offset + 1, self.as_of_ms, [], [], [], {}, [])
        folded.event_at_ms = self.event_at_ms
        counts: Counter[str] = Counter()
        touched: dict[str, Track] = {}
        for item in unpacked:
            self._take(item, folded, touched, counts)
        self._emit(folded, touched)
        counts["stored"] += len(folded.events) + sum(map(len, folded.rows.values()))
        folded.counts = dict(counts)
        return folded

    def refold(self, keys: list[str], next_offset: int) -> list[ViewRow]:
        """Fold views again from the store, which holds every event before `next_offset`."""
        rows: list[ViewRow] = []
        for at in range(0, len(keys), KEYS_PER_LOOKUP):
            for key, events in self._lookup(keys[at : at + KEYS_PER_LOOKUP], next_offset).items():
                old = self.tracks.get(key)
                track = self._replayed(key, events)
                if old is not None:
                    track.duplicates = old.duplicates
                track.touched_ms = self.as_of_ms
                rows.extend(self._rows(track))
        return rows

    def _take(
        self, item: Unpacked, folded: Folded, touched: dict[str, Track], counts: Counter[str]
    ) -> None:
        record, context = item.record, item.meta.context
        folded.quarantine.extend(item.quarantined)
        counts["quarantined"] += item.quarantined_count
        for reason in item.dropped:
            counts[f"dropped:{reason}"] += 1
        for place in item.meta.retried:
            folded.retried.append((*place, record.received_at, record.offset))
        if record.door == COMMANDS:
            folded.commands.append(record)
            return
        if item.meta.into is not None:
            _take_made(record, item, folded, counts)
            return
        if item.table is not None:
            folded.rows.setdefault(item.table, []).extend(item.lines)
            return
        max_events = self.tracks.config.max_events_per_view
        received_at, offset, door = record.received_at, record.offset, record.door
        rows = folded.events
        key, track = "", None
        for (index, event), own_key in zip(item.events, item.keys, strict=True):
            if own_key is not key or track is None:
                key = own_key
                track = touched[key] = self.tracks.at(key)
            numbered = has_seq(event)
            try:
                identity = (event.seq or 0) if numbered else identity_of(event)
                stored = Stored(event, context, received_at, offset, index, identity, door)
                verdict = track.add(stored, numbered=numbered, max_events=max_events)
            except Exception:  # noqa: BLE001 (one event must not stop all that follow)
                _LOG.exception("event_not_folded", offset=offset, index=index)
                track.take_back(event)
                folded.quarantine.append(unfolded_row(record, item.meta, index, event))
                counts["quarantined"] += 1
                continue
            if verdict is Verdict.DUPLICATE:
                counts["duplicates"] += 1
                continue
            if verdict is Verdict.FULL:
                counts[f"dropped:{DROP_VIEW_FULL}"] += 1
                continue
            kind = kind_of(event.event_type)
            at = event_at(event, received_at)
            own = (key, at, identity, kind, received_at, offset, index, door)
            rows.append(row_of(own, item.context_row, event))
        if len(record.body) > HEAVY_EVENT_BYTES * len(item.events):
            self._heavy.update(item.keys)

    def _emit(self, folded: Folded, touched: dict[str, Track]) -> None:
        as_of_ms = self.as_of_ms
        for track in touched.values():
            track.touched_ms = as_of_ms
            if track.late:
                folded.late.append(track.key)
                continue
            rows = self._rows(track)
            if rows:
                folded.views.extend(rows)
                if track.key in self._heavy:
                    self.tracks.settle(track)
                else:
                    self.tracks.trim(track, as_of_ms)
        self._heavy.clear()
        for track in self.tracks.due(as_of_ms):
            if track.key not in touched:
                self.tracks.settle(track)
                folded.views.extend(self._rows(track))
        overflowing = self.tracks.overflowing()
        if overflowing:  # forgotten at once: what they sent may well be sent again
            self._trust_fresh_from_ms = as_of_ms + CLOSED_GRACE_MS
            folded.overflowed = True
        for track in overflowing:
            folded.views.extend(self._rows(track, close=True))

    def _rows(self, track: Track, *, close: bool = False) -> list[ViewRow]:
        try:
            rows = track.rows(self.as_of_ms)
        except Exception:  # noqa: BLE001 (one view must not stop all others)
            _LOG.exception("view_not_written", view_key=track.key)
            self.tracks.forget(track)
            return []
        if close:
            rows[-1].final, rows[-1].state = True, ""
            self.tracks.forget(track)
        else:
            self.tracks.wake_at(track, track.due_ms)
        for row in rows:
            self._caps.apply(row)
        return rows

    def _open_unknown(self, unpacked: list[Unpacked], first: int) -> None:
        """Make a track for every key of the range: a new one, or one folded from the store."""
        unknown: dict[str, tuple[str, bool]] = {}
        fresh: set[str] = set()
        begun: set[str] = set()
        stale: set[str] = set()
        for item in unpacked:
            context, received_at = item.meta.context, item.record.received_at
            view_id, key, known_already = "", "", False
            for _, event in item.events:
                if not event.view_id or event.view_id != view_id:
                    view_id = event.view_id or ""
                    key, explicit = view_key_of(event, context)
                    known_already = self.tracks.get(key) is not None
                    if not known_already:
                        unknown.setdefault(key, (view_id, explicit))
                item.keys.append(key)
                if known_already:
                    continue
                if is_stale(event, received_at, self.tracks.config.tail_ms):
                    stale.add(key)
                if event.seq == 0 and is_born_now(event, self.tracks.config.tail_ms):
                    begun.add(key)
        if self.as_of_ms >= (self._trust_fresh_from_ms or 0):
            fresh = begun - stale
        ask = [key for key in unknown if key not in fresh] if first else []
        for at in range(0, len(ask), KEYS_PER_LOOKUP):
            for key, events in self._lookup(ask[at : at + KEYS_PER_LOOKUP], first).items():
                self._replayed(key, events)
        for key, (view_id, explicit) in unknown.items():
            if self.tracks.get(key) is None:
                self.tracks.new(key, view_id, explicit=explicit)

    def _replayed(self, key: str, events: list[Stored]) -> Track:
        explicit = bool(events[0].event.view_id)
        track = self.tracks.new(key, events[0].event.view_id or "", explicit=explicit)
        track.replay(events)
        return track


def _take_made(record: Record, item: Unpacked, folded: Folded, counts: Counter[str]) -> None:
    """Take rows of a project: made ones count as stored until the loader says otherwise."""
    into = item.meta.into
    assert into is not None  # noqa: S101 (asked by the caller)
    if into.form:
        folded.pieces.append((record, into))
        return
    made = made_of(record, gone=len(item.dropped))
    folded.made.setdefault(group_of(into), []).append(made)
    counts["quarantined" if into.quarantine else "stored"] += made.rows


def is_stale(event: Event, received_at: int, limit_ms: int) -> bool:
    """Return whether an event may have been sent before: it is old, or says that it is a retry."""
    sent_at = event.sent_at
    return (
        abs(received_at - event.timestamp) > limit_ms
        or (sent_at is not None and sent_at - event.timestamp > limit_ms)
        or bool(event.retry_count)
    )


def is_born_now(event: Event, limit_ms: int) -> bool:
    """Return whether the view id was made for this very moment: a UUID of version 7 (RFC 9562).

    It carries the client's time in its first 48 bits. Any other id may have been used before.
    """
    view_id = event.view_id or ""
    if len(view_id) != UUID_LENGTH or view_id[14] != "7":
        return False
    try:
        made_at = int(view_id[:8] + view_id[9:13], 16)
    except ValueError:
        return False
    return abs(made_at - event.timestamp) <= limit_ms


def event_at(event: Event, received_at: int) -> int:
    """Return the event's time (UTC ms) for ordering and reading: the client's, mended if far off.

    The view's own clock offset is better (it knows all batches); this one needs nothing but the
    event, so the stored row never has to change.
    """
    at = event.timestamp
    if event.sent_at is not None:
        skew = received_at - event.sent_at
        if abs(skew) > SKEW_TOLERANCE_MS:
            at += skew
        at = min(at, received_at)
    elif at > received_at + SKEW_TOLERANCE_MS or at < received_at - UNSENT_LATENESS_MS:
        at = received_at
    return at if at > 0 else received_at
