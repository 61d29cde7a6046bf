"""All view keys in memory: look up, take events, fire what is due, forget what is over."""

import heapq
from collections.abc import Iterator

from playhead.config import Process
from playhead.process.fold import Limits
from playhead.process.track import Track

DUE_MAX = 20_000
"""Rows that change by time alone, a range: after a restart or a long silence it may be every one."""
CLOSED_GRACE_MS = 300_000
"""How long a closed view stays in memory, so that stragglers and replays need no read."""


class Tracks:
    """The open views, and those closed a short while ago.

    Args:
        config: The worker's limits.
        internal_viewers: Viewer ids whose views are marked internal (`collect.internal_viewers`).
    """

    def __init__(self, config: Process, *, internal_viewers: tuple[str, ...] = ()) -> None:
        self.config = config
        self.limits = Limits(
            view_idle_ms=config.view_idle_ms,
            heartbeat_timeout_ms=config.heartbeat_timeout_ms,
            hidden_heartbeat_timeout_ms=config.hidden_heartbeat_timeout_ms,
            internal_viewers=internal_viewers,
            business_errors=config.business_errors,
        )
        self._tracks: dict[str, Track] = {}
        self.get = self._tracks.get  # the track of a key if it is in memory; asked once an event
        self._heap: list[tuple[int, str]] = []
        self._queued: dict[str, int] = {}
        self.tail_events = 0

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def at(self, key: str) -> Track:
        """Return the track of a key that is known to be in memory."""
        return self._tracks[key]

    def new(self, key: str, view_id: str, *, explicit: bool) -> Track:
        """Open a fresh track."""
        track = Track(key, view_id, explicit=explicit, limits=self.limits)
        self.put(track)
        return track

    def put(self, track: Track) -> None:
        """Take a track made elsewhere (restored, or folded again from the store)."""
        old = self._tracks.get(track.key)
        if old is not None:
            self.tail_events -= old.tail_counted
        self._tracks[track.key] = track

    def trim(self, track: Track, as_of_ms: int) -> None:
        """Shorten what a track keeps for ordering; beyond the limit of all, to nothing.

        An event that then comes out of order is LATE and its view folded again from the store.
        """
        config = self.config
        track.roll(tail_ms=config.tail_ms, tail_events=config.tail_events, as_of_ms=as_of_ms)
        if self.tail_events + track.tail_events - track.tail_counted > config.max_tail_events:
            track.settle()
        self._count(track)

    def settle(self, track: Track) -> None:
        """Let a track that went silent keep nothing."""
        track.settle()
        self._count(track)

    def _count(self, track: Track) -> None:
        self.tail_events += track.tail_events - track.tail_counted
        track.tail_counted = track.tail_events

    def wake_at(self, track: Track, when_ms: int) -> None:
        """See to it that `due` names this track once log time reaches `when_ms`.

        A closed one keeps no events for ordering a tail's length after its last, and is forgotten a
        while later instead.
        """
        if track.closed:
            kept_ms = self.config.tail_ms if track.tail_events else CLOSED_GRACE_MS
            when_ms = min(when_ms, track.touched_ms + min(kept_ms, CLOSED_GRACE_MS))
        track.due_ms = when_ms
        queued_ms = self._queued.get(track.key)
        if queued_ms is None or when_ms < queued_ms:
            self._queued[track.key] = when_ms
            heapq.heappush(self._heap, (when_ms, track.key))

    def due(self, as_of_ms: int) -> list[Track]:
        """Return the tracks whose row changes by time alone, and forget those that are over.

        At most `DUE_MAX` a call; what is left comes with the next one.
        A heap entry may be early (its track heard more since): it goes back with the newer time.
        """
        ready: list[Track] = []
        while self._heap and self._heap[0][0] <= as_of_ms and len(ready) < DUE_MAX:
            when_ms, key = heapq.heappop(self._heap)
            if self._queued.get(key) != when_ms:
                continue  # an earlier entry took its place
            del self._queued[key]
            track = self._tracks.get(key)
            if track is None:
                continue
            if track.due_ms > as_of_ms:
                self.wake_at(track, track.due_ms)
            elif track.closed and track.tail_events:
                self.settle(track)
                self.wake_at(track, track.touched_ms + CLOSED_GRACE_MS)
            elif track.closed:
                self.forget(track)
            else:
                ready.append(track)
        return ready

    def overflowing(self) -> list[Track]:
        """Return the longest silent tracks beyond the limit of open views."""
        over = len(self._tracks) - self.config.max_open_views
        if over <= 0:
            return []
        return heapq.nsmallest(over, self._tracks.values(), key=lambda track: track.touched_ms)

    def forget(self, track: Track) -> None:
        """Drop a track whose newest row is (about to be) stored."""
        if self._tracks.pop(track.key, None) is not None:
            self.tail_events -= track.tail_counted
