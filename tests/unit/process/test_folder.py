"""The folder over a log in memory; its look-up is a dictionary."""

from collections import defaultdict
from typing import Any

import msgspec

from playhead.config import Process
from playhead.log.appender import TICK
from playhead.log.base import Record
from playhead.model.event_row import JSON_COLUMNS, Stored, stored_of
from playhead.model.view import ViewRow
from playhead.process.caps import Caps
from playhead.process.folder import HEAVY_EVENT_BYTES, Folded, Folder
from playhead.process.tracks import CLOSED_GRACE_MS, Tracks

T = 1_790_000_000_000
MINUTE_MS = 60_000


class Running:
    """A folder fed record by record; remembers what was asked of the store."""

    def __init__(self, **process: Any) -> None:
        self.events: dict[str, list[Stored]] = defaultdict(list)
        self.asked: list[str] = []
        self.rows: dict[str, ViewRow] = {}
        self.counts: dict[str, int] = defaultdict(int)
        self.next = 0
        self.folder = Folder(Tracks(Process(**process)), self.lookup, Caps(100))

    def lookup(self, keys: list[str], before: int) -> dict[str, list[Stored]]:
        self.asked += keys
        found = {key: [one for one in self.events[key] if one.offset < before] for key in keys}
        return {key: events for key, events in found.items() if events}

    def send(self, at: int, *seqs: int, view: str = "v", **more: Any) -> Folded:
        events = [
            {"eventType": "HEARTBEAT", "timestamp": at, "viewId": view, "seq": seq,
             "sessionId": "s", **more}
            for seq in seqs
        ]  # fmt: skip
        return self._take(at, len(events), msgspec.json.encode(events), "telemetry")

    def tick(self, at: int) -> Folded:
        return self._take(at, 0, TICK.body, TICK.door)

    def _take(self, at: int, events: int, body: bytes, door: str) -> Folded:
        folded = self.folder.fold([Record(self.next, door, "", at, events, b"{}", body)])
        self.next = folded.next
        for row in folded.events:
            first = -len(JSON_COLUMNS)
            texts = [None if one is None else msgspec.json.encode(one) for one in row[first:]]
            key, stored = stored_of((*row[:first], *texts))
            self.events[key].append(stored)
        for name, count in folded.counts.items():
            self.counts[name] += count
        late = self.folder.refold(folded.late, folded.next) if folded.late else []
        self.rows |= {row.view_id: row for row in (*folded.views, *late)}
        return folded


def warm() -> Running:
    """A folder old enough to remember everything that closed a short while ago."""
    running = Running()
    running.send(T, 0, view="first")
    running.tick(T + CLOSED_GRACE_MS)
    running.asked.clear()
    return running


NOW = T + CLOSED_GRACE_MS + 1_000


def uuid7(made_at: int) -> str:
    digits = f"{made_at:012x}7abc8def0123456789ab"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_a_view_that_begins_now_needs_no_look_up() -> None:
    running = warm()
    running.send(NOW, 0, view=uuid7(NOW))
    assert running.asked == []
    running.send(NOW, 0, view=uuid7(NOW - 3_600_000))
    running.send(NOW, 0, view="a-name-of-its-own")
    assert len(running.asked) == 2
    running.asked.clear()
    running.send(NOW, 5, view="other")
    assert running.asked == ["default/other"]


def test_a_young_folder_asks_for_every_view() -> None:
    running = Running()
    running.tick(T)
    running.send(T + 1_000, 0)
    assert running.asked == ["default/v"]


def test_an_old_first_event_may_have_been_sent_before() -> None:
    running = warm()
    running.send(NOW, 0, timestamp=NOW - 10 * MINUTE_MS)
    assert running.asked == ["default/v"]


def test_a_first_event_kept_for_long_by_a_fast_clock_is_asked_for() -> None:
    running = warm()
    running.send(NOW, 0, timestamp=NOW, sentAt=NOW + 10 * MINUTE_MS)
    assert running.asked == ["default/v"]


def test_a_closed_view_opens_again_from_the_store() -> None:
    running = Running()
    running.send(T, 0, 1)
    running.send(T + 1_000, 2, eventType="ENDED")
    assert running.rows["v"].final
    running.tick(T + 20 * MINUTE_MS)
    assert running.folder.tracks.get("default/v") is None
    running.send(T + 21 * MINUTE_MS, 2, 3)
    assert running.rows["v"].events == 4
    assert running.counts["duplicates"] == 1


def test_a_view_that_came_and_ended_at_once_is_forgotten_too() -> None:
    running = Running()
    running.send(T, 0, 1, 2, eventType="ENDED")
    running.tick(T + CLOSED_GRACE_MS)
    assert len(running.folder.tracks) == 0


def test_a_silent_view_is_called_so_and_then_closes_by_ticks() -> None:
    running = Running()
    running.send(T, 0, eventType="PLAY")
    running.send(T + 1_000, 1, eventType="PLAYING")
    assert running.rows["v"].status == "playing"
    [silent] = running.tick(T + 40_000).views
    assert (silent.status, silent.final) == ("silent", False)
    assert running.tick(T + 50 * MINUTE_MS).views == []
    [closed] = running.tick(T + 62 * MINUTE_MS).views
    assert closed.final
    assert not closed.clean_end


def test_a_tick_is_no_event() -> None:
    running = Running()
    assert running.tick(T).event_at_ms == 0
    assert running.send(T + 1_000, 0).event_at_ms == T + 1_000
    assert running.tick(T + 60_000).event_at_ms == T + 1_000


def test_the_longest_silent_views_are_closed_beyond_the_limit() -> None:
    running = Running(max_open_views=2)
    for number in range(3):
        running.send(T + number * 1_000, 0, view=f"v{number}")
    assert [row.final for row in running.rows.values()] == [True, False, False]
    running.send(T + 5_000, 1, view="v0")
    assert running.rows["v0"].events == 2
    assert not running.rows["v0"].final


def test_a_view_too_long_is_dropped_by_name() -> None:
    running = Running(max_events_per_view=3)
    running.send(T, 0, 1, 2, 3, 4)
    assert dict(running.counts) == {"stored": 3, "dropped:view_too_long": 2, "quarantined": 0}


def test_late_events_are_folded_again_from_the_store() -> None:
    running = Running(max_tail_events=0)
    running.send(T + 2_000, 1, 2)
    folded = running.send(T + 4_000, 0, timestamp=T)
    assert folded.late == ["default/v"]
    assert (running.rows["v"].events, running.rows["v"].events_missing) == (3, 0)


def test_large_events_are_not_kept_in_memory_and_their_order_still_counts() -> None:
    running = Running()
    running.send(T + 2_000, 1, 2)
    assert running.folder.tracks.tail_events == 2
    running.send(T + 3_000, 3, custom={"text": "x" * 2 * HEAVY_EVENT_BYTES})
    assert running.folder.tracks.tail_events == 0
    folded = running.send(T + 4_000, 0, timestamp=T)
    assert folded.late == ["default/v"]
    assert (running.rows["v"].events, running.rows["v"].events_missing) == (4, 0)
