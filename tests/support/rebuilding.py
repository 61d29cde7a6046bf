"""Views of some days, folded and stored as the worker does it, and rebuilds of them."""

import itertools
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from playhead.clock import SystemClock
from playhead.config import Config
from playhead.config.file import load
from playhead.log.appender import TICK
from playhead.log.base import Record
from playhead.log.offsets import Ledger
from playhead.model.view import ViewRow
from playhead.process.caps import Caps
from playhead.process.folder import Folder
from playhead.process.loader import Loader
from playhead.process.recall import Recall
from playhead.process.stamp import NOTE, stamp_of
from playhead.process.tracks import Tracks
from playhead.rebuild.live import LiveRow, rows_of
from playhead.rebuild.rebuild import Rebuild
from support.running_store import RunningStore, now_ms

DAY_MS = 86_400_000
DAYS = 3
_worlds = itertools.count(1)


def config_of(folder: Path, **settings: object) -> Config:
    """Settings of a data folder; `process__view_idle_ms=1` sets `[process] view_idle_ms`."""
    given = {name.replace("__", "."): value for name, value in settings.items()}
    floor = {"log.free_space_floor_bytes": 0}
    return load(env={}, overrides={"data.dir": str(folder), **floor, **given}).config


class World:
    """A worker over records that are made here; its store is empty at the beginning."""

    def __init__(self, folder: Path, store: RunningStore, **settings: object) -> None:
        self.store = store
        self.clock = SystemClock()
        self.folder = folder
        self.next = next(_worlds) * 1_000_000  # tokens of blocks name offsets
        self.start_ms = now_ms() // DAY_MS * DAY_MS - DAYS * DAY_MS + DAY_MS // 2
        self.at_ms = self.start_ms
        for table in ("views", "events", "quarantine"):
            store.client.command(f"TRUNCATE TABLE playhead.{table}")
        with closing(Ledger(folder / "worker.db")) as ledger:
            ledger.advance(self.next)
        self.fold_with(**settings)

    def fold_with(self, **settings: object) -> None:
        """Start the worker anew, with these settings."""
        self.config = config_of(self.folder, **settings)
        tracks = Tracks(self.config.process)
        self._recall = Recall(self.store.client)
        self._folder = Folder(tracks, self._recall.events, Caps(100))
        self._recall.open_tracks(tracks, self.next)
        self._stamp = stamp_of(tracks.limits)
        self._note(self.at_ms)

    def send(self, *events: dict[str, Any]) -> None:
        """Let events come in now, sent now."""
        body = msgspec.json.encode(
            [{"timestamp": self.at_ms, "sentAt": self.at_ms} | event for event in events]
        )
        meta = b'{"context":{"property":"p","country":"DE"}}'
        self._take(Record(self.next, "telemetry", "", self.at_ms, len(events), meta, body))

    def tick(self, ms: int = 0) -> None:
        """Let time pass without any event."""
        self.at_ms += ms
        self._take(Record(self.next, TICK.door, "", self.at_ms, 0, b"{}", TICK.body))

    def watch(self, *views: str, beats: int = 4, **more: Any) -> None:
        """Let views be watched side by side: every ten seconds one event; nobody says the end."""
        events = [
            {
                "eventType": ("PLAY", "PLAYING")[beat] if beat < 2 else "TIME_UPDATE",
                "timestamp": self.at_ms + beat * 10_000, "playbackPositionSec": beat * 10.0,
                "seq": beat, "viewId": view or None, **more,
            }
            for view in views
            for beat in range(beats)
        ]  # fmt: skip
        self.at_ms += beats * 10_000
        self.send(*events)

    def rebuild(self, **settings: object) -> Rebuild:
        """A rebuild by the worker's settings, or others."""
        config = config_of(self.folder, **settings) if settings else self.config
        return Rebuild(config, self.store.client, self.clock)

    def rows(self) -> dict[str, LiveRow]:
        """Every view as it is, by id."""
        found = self.store.client.rows(
            "SELECT DISTINCT toString(first_seen_day), view_key FROM views"
        ).rows
        days: dict[str, list[str]] = {}
        for day, key in found:
            days.setdefault(day, []).append(key)
        return {
            row.view_id: row
            for day, keys in days.items()
            for rows in rows_of(self.store.client, day, keys).values()
            for row in rows
        }

    def damage(self, condition: str, **columns: object) -> None:
        """Put newer rows over some, with other values."""
        changed = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        self.store.client.command(
            f"INSERT INTO views SELECT * REPLACE ({changed}, version + 1 AS version)"
            f" FROM (SELECT * FROM views FINAL WHERE {condition})"  # of the names before REPLACE
        )

    def parts(self) -> int:
        """Rows of views that are there, replaced ones too."""
        return int(self.store.client.rows("SELECT count() FROM views").rows[0][0])

    def _take(self, record: Record) -> None:
        folded = self._folder.fold([record])
        with closing(Ledger(self.folder / "worker.db")) as ledger:
            Loader(self.store.client, ledger, self.clock, self.folder).load(
                folded, self._folder.refold
            )
        self.next = folded.next
        self._note(folded.as_of_ms)

    def _note(self, as_of_ms: int) -> None:
        with closing(Ledger(self.folder / "worker.db")) as ledger:
            ledger.note(as_of_ms=as_of_ms, **{NOTE: self._stamp})


def replayed(world: World, keys: list[str]) -> dict[str, ViewRow]:
    """What a fold of all stored events makes of keys: the rows of a fresh replay of the log."""
    tracks = Tracks(world.config.process)
    found: dict[str, ViewRow] = {}
    for key, events in Recall(world.store.client).events(keys, world.next).items():
        view_id = events[0].event.view_id or ""
        track = tracks.new(key, view_id, explicit=bool(view_id))
        track.replay(events)
        found |= {row.view_id: row for row in track.rows(world.at_ms)}
    return found
