"""The books of the worker's core: whatever is sent, in what pieces and order, nothing is lost.

A view counts as delivered late when some of its batches take minutes or hours; the look-up that
replaces the store holds exactly what the folder handed out, as the store would.
"""

import random
from collections import defaultdict
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead import config
from playhead.clock import ManualClock
from playhead.log.appender import TICK
from playhead.log.base import Entry, Record
from playhead.log.memory import MemoryLog
from playhead.model.event import Context, Meta, Refusal
from playhead.model.event_row import JSON_COLUMNS, Stored, stored_of
from playhead.model.telemetry import decode
from playhead.model.view import ViewRow
from playhead.process.caps import Caps
from playhead.process.fold import Limits, fold, fold_session
from playhead.process.folder import Folded, Folder
from playhead.process.identity import identity_of, view_key_of
from playhead.process.tracks import Tracks

START_MS = 1_790_000_000_000
LIMITS = Limits()
KINDS = ("HEARTBEAT", "BUFFER_START", "BUFFER_END", "PAUSE", "PLAYING", "SEEK_START", "SEEK_END")
PROPERTIES = ("default", "shop")
BAD: tuple[Any, ...] = ({"timestamp": 1}, 5, {"eventType": "PLAY"}, [])
MAY_DIFFER = ("duplicates", "state")
"""`duplicates` counts what came while the view was in memory: a view folded again after it was
forgotten begins anew. `state` is the checkpoint and holds that count."""

Wire = dict[str, Any]
Delivery = tuple[int, str, Wire]
"""When (log time, ms), for which property, which event."""


def unit(rng: random.Random, number: int) -> list[tuple[int, Wire]]:
    """One client's events with their true times: a view with or without `seq`, or a session."""
    style = rng.choice(("seq", "event id", "session", "session by content"))
    skew = rng.choice((0, 0, 0, -7_200_000, 600_000, 10_800_000))
    at, position, video = START_MS + rng.randrange(3_600_000), 0.0, 0
    events = []
    for seq in range(rng.randrange(1, 60)):
        step = rng.randrange(1, 12_000)
        if style.startswith("session") and rng.random() < 0.05:
            step += 3_700_000
        video += style.startswith("session") and rng.random() < 0.05
        at += step
        position += step / 1000 if rng.random() < 0.8 else 0
        event: Wire = {
            "eventType": "PLAY" if seq == 0 else rng.choice(KINDS),
            "timestamp": at + skew, "videoId": f"film{video}", "sessionId": f"s{number}",
            "playbackPositionSec": round(position, 3),
            "quality": {"bitrateKbps": rng.choice([800, 3000])},
        }  # fmt: skip
        if style in {"seq", "event id"}:
            event["viewId"] = f"v{number}"
        if style == "seq":
            event["seq"] = seq
        elif style != "session by content":
            event["eventId"] = f"{number}-{seq}"
        if skew:
            event["sentAt"] = skew  # to be added to the time of sending
        events.append((at, event))
    if events and rng.random() < 0.6:
        events[-1][1]["eventType"] = "ENDED"
    return events


def deliveries(rng: random.Random, *, calm: bool) -> list[Delivery]:
    """Every event at least once, some again, some late; in order of arrival."""
    found: list[Delivery] = []
    for number in range(rng.randrange(1, 6)):
        property_ = rng.choice(PROPERTIES)
        late_ms = 0 if calm else rng.choice((0, 0, 5_000, 120_000, 1_500_000))
        for at, event in unit(rng, number):
            delay = rng.randrange(late_ms + 1) if rng.random() < 0.3 else 0
            found.append((at + 50 + delay, property_, event))
            if rng.random() < 0.2:
                found.append((at + 60 + delay + rng.randrange(2_000_000), property_, event))
    found.sort(key=lambda one: one[0])
    return found


def body_of(events: list[Wire], now_ms: int) -> list[Wire]:
    """Stamp what a client stamps when it sends: `sentAt` by its own clock, where it has one."""
    return [
        {**event, "sentAt": now_ms + event["sentAt"], "_retryCount": 1}
        if "sentAt" in event
        else event
        for event in events
    ]


class Written:
    """A log filled from deliveries, and what its events should become."""

    def __init__(self, rng: random.Random, *, calm: bool) -> None:
        self.clock = ManualClock(START_MS)
        self.log = MemoryLog(config.Log(), self.clock)
        self.quarantined = self.dropped = 0
        self.waiting: list[tuple[int, int]] = []
        self.retried: list[tuple[int, int]] = []
        pending: dict[str, list[Wire]] = defaultdict(list)
        for at, property_, event in deliveries(rng, calm=calm):
            while at - self.clock.now_ms() > 600_000:  # an idle log ticks
                self.clock.advance(600_000)
                self.log.append([TICK])
            self.clock.advance(max(0, at - self.clock.now_ms()))
            pending[property_].append(event)
            if rng.random() < 0.3:
                self._append(rng, property_, pending.pop(property_))
        for property_, events in pending.items():
            self._append(rng, property_, events)

    def _append(self, rng: random.Random, property_: str, events: list[Wire]) -> None:
        items: list[Any] = body_of(events, self.clock.now_ms())
        refused = []
        retried = tuple(self.waiting) if rng.random() < 0.5 else ()
        if retried:
            self.retried += self.waiting
            self.waiting = []
        if rng.random() < 0.2:
            bad = rng.choice(BAD)
            items.insert(0, bad)
            refused.append(Refusal(0, "invalid_event", "bad"))
            self.quarantined += 1
            self.waiting.append((self.log.bounds().next, 0))
        if rng.random() < 0.1:
            refused.append(Refusal(len(items), "too_old", "old", dropped=True))
            items.append({**events[0], "timestamp": 1_000})
            self.dropped += 1
        context = Context(property=property_, country="DE")
        meta = Meta(context=context, refused=tuple(refused), retried=retried)
        body = msgspec.json.encode(items)
        self.log.append([Entry("telemetry", "k", len(items), msgspec.json.encode(meta), body)])

    def records(self) -> list[Record]:
        return self.log.read(0, max_records=1 << 30, max_bytes=1 << 40)

    def unique(self) -> dict[str, list[Stored]]:
        """Every good event once, by view key, as first received: decoded here, not by the folder."""
        found: dict[str, dict[int, Stored]] = defaultdict(dict)
        for record in self.records():
            meta = msgspec.json.decode(record.meta or b"{}", type=Meta)
            refused = {one.index for one in meta.refused}
            for index, event in enumerate(decode(record.body)):
                if index in refused or isinstance(event, Refusal):
                    continue
                key, _ = view_key_of(event, meta.context)
                identity = identity_of(event)
                stored = Stored(
                    event, meta.context, record.received_at, record.offset, index, identity
                )
                found[key].setdefault(identity, stored)
        return {key: list(events.values()) for key, events in found.items()}


class Shelf:
    """Stands for the store: keeps what it is given and looks it up again."""

    def __init__(self) -> None:
        self.events: dict[str, list[Stored]] = defaultdict(list)
        self.views: dict[tuple[str, str], ViewRow] = {}

    def lookup(self, keys: list[str], before: int) -> dict[str, list[Stored]]:
        found = {key: [one for one in self.events.get(key, []) if one.offset < before]
                 for key in keys}  # fmt: skip
        return {key: events for key, events in found.items() if events}

    def take(self, folded: Folded, folder: Folder) -> None:
        first_json = -len(JSON_COLUMNS)
        for row in folded.events:
            texts = [None if one is None else msgspec.json.encode(one) for one in row[first_json:]]
            key, stored = stored_of((*row[:first_json], *texts))
            self.events[key].append(stored)
        rows = list(folded.views)
        if folded.late:
            rows += folder.refold(folded.late, folded.next)
        for view in rows:
            known = self.views.get((view.view_id, view.property))
            if known is None or view.version >= known.version:
                self.views[view.view_id, view.property] = view


def folder_of(shelf: Shelf, process: config.Process) -> Folder:
    return Folder(Tracks(process), shelf.lookup, Caps(10_000))


def comparable(row: ViewRow) -> bytes:
    plain = msgspec.structs.asdict(row)
    return msgspec.json.encode({k: v for k, v in plain.items() if k not in MAY_DIFFER})


def wanted(key: str, events: list[Stored], as_of_ms: int) -> dict[str, ViewRow]:
    """The rows of a key by the definition, at a log time."""
    view_id = events[0].event.view_id
    if view_id:
        return {view_id: fold(view_id, key, events, as_of_ms, LIMITS)}
    return {row.view_id: row for row in fold_session(key, events, as_of_ms, LIMITS)}


def as_of(row: ViewRow) -> int:
    """The log time at which a row was made: its version holds it."""
    return (row.version & ((1 << 58) - 1)) >> 16


TIGHT = st.sampled_from((
    config.Process(),
    config.Process(tail_events=4, tail_ms=1_000),
    config.Process(tail_events=16, max_tail_events=20),
    config.Process(max_tail_events=0),
))  # fmt: skip
SEEDS = st.integers(0, 1 << 32)
"""A seed shrinks at once; a random object would shrink for minutes."""


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.booleans(), TIGHT)
def test_every_event_is_in_exactly_one_place_at_any_time(
    seed: int, calm: bool, process: config.Process
) -> None:
    rng = random.Random(seed)
    written, shelf = Written(rng, calm=calm), Shelf()
    folder = folder_of(shelf, process)
    records, log = written.records(), written.log
    total: dict[str, int] = defaultdict(int)
    retried: list[tuple[int, ...]] = []
    at = 0
    while at < len(records):
        cut = rng.randrange(1, 12)
        folded = folder.fold(records[at : at + cut])
        shelf.take(folded, folder)
        at = folded.next
        retried += [row[:2] for row in folded.retried]
        for name, count in folded.counts.items():
            total[name] += count
        pending = log.bounds().events_total - (
            log.events_before(at) if at < len(records) else log.bounds().events_total
        )
        assert sum(total.values()) + pending == log.bounds().events_total
    assert total["quarantined"] == written.quarantined
    assert retried == written.retried
    assert total["dropped:too_old"] == written.dropped
    unique = written.unique()
    assert total["stored"] == sum(map(len, unique.values()))
    assert {
        key: sorted(one.identity for one in events) for key, events in shelf.events.items()
    } == {key: sorted(one.identity for one in events) for key, events in unique.items()}


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.booleans(), TIGHT)
def test_final_rows_are_the_fold_of_the_unique_events(
    seed: int, calm: bool, process: config.Process
) -> None:
    rng = random.Random(seed)
    written, shelf = Written(rng, calm=calm), Shelf()
    folder = folder_of(shelf, process)
    records = written.records()
    at = 0
    while at < len(records):
        folded = folder.fold(records[at : at + rng.randrange(1, 12)])
        shelf.take(folded, folder)
        at = folded.next
    expected = {
        (view_id, events[0].context.property): (key, events)
        for key, events in written.unique().items()
        for view_id in wanted(key, events, folder.as_of_ms)
    }
    assert set(shelf.views) == set(expected)
    for (view_id, property_), (key, events) in expected.items():
        row = shelf.views[view_id, property_]
        assert comparable(row) == comparable(wanted(key, events, as_of(row))[view_id])
        newest = wanted(key, events, folder.as_of_ms)[view_id]
        assert (row.status, row.final) == (newest.status, newest.final)
