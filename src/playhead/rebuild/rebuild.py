"""`playhead rebuild`: every final view folded again from its stored events, shown, switched.

It runs in a process of its own beside a running server, in three stages. *Folding* writes rows that differ
beside the live ones, day by day. The *switch* lets a day's rows count, day by day. Then the *sums* of those
days are made anew. Open views are the worker's and stay untouched. After `kill -9` the same command
goes on where it was (`progress.py`).
"""

import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import Conflict, DiskLow
from playhead.log.lock import WriterLock
from playhead.log.offsets import Ledger
from playhead.model.event_row import Stored
from playhead.model.rollup import Layout
from playhead.model.view import ViewRow
from playhead.observe import logger
from playhead.process.recall import Recall
from playhead.process.stamp import NOTE, differences, stamp_of
from playhead.process.tracks import Tracks
from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of
from playhead.rebuild import live, progress, totals
from playhead.rebuild.judge import Judged, is_whole, judge
from playhead.rebuild.live import DayCaps, LiveRow
from playhead.rebuild.progress import Plan, Progress, Tally
from playhead.rebuild.rest import at_rest
from playhead.rebuild.side import Side
from playhead.store.client import StoreClient
from playhead.store.rollup import Rollups
from playhead.store.upkeep import optimize_closed_days

NEVER: Final = "9999-12-31"
"""No day has all its events: none are stored."""
_LOG = logger("rebuild")
_DAYS_SQL: Final = (
    "SELECT DISTINCT toString(first_seen_day) AS day FROM playhead.views"
    " WHERE ({from:String} = '' OR first_seen_day >= toDateOrZero({from:String}))"
    " AND ({to:String} = '' OR first_seen_day <= toDateOrZero({to:String})) ORDER BY day"
)
_OLDEST_SQL: Final = "SELECT count(), toString(toDate(min(received_at))) FROM playhead.events"
_EARLIER_SQL: Final = (
    "SELECT DISTINCT view_key FROM playhead.views"
    " WHERE first_seen_day <= {day:Date} AND view_key IN {keys:Array(String)}"
)
_COLUMNS_SQL: Final = (
    "SELECT name FROM system.columns WHERE database = 'playhead' AND table = 'view_rollup'"
    " AND match(name, '^[nsuq]_')"
)
Said = Callable[[Progress], None]
"""Is told of every page and day."""


class Rebuild:
    """The rebuild of one data folder; only one at a time has it.

    Args:
        config: The settings: those of the running worker.
        client: Its store.
        clock: For the day of today.

    Raises:
        DataDirBusy: Another rebuild of this folder runs.
        SchemaTooNew: A newer release began one.
    """

    def __init__(self, config: Config, client: StoreClient, clock: Clock) -> None:
        self._config = config
        self._client = client
        self._clock = clock
        self._tracks = Tracks(config.process, internal_viewers=config.collect.internal_viewers)
        self._recall = Recall(client)
        self._side = Side(client)
        self._catalogue = catalogue(config.query)
        self.totals = totals.Totals(client, self._catalogue)
        self._lock = WriterLock(config.data_dir / progress.FOLDER / "lock")
        try:
            self.progress = progress.read(config.data_dir)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let another one begin; what is done is kept."""
        self._lock.release()

    def goes_on(self, from_day: str, to_day: str) -> bool:
        """Return whether what was begun is what is asked for now, and can be gone on with."""
        found = self.progress
        if found is None or found.stage not in progress.OPEN:
            return False
        if found.stage in {"switching", "summing"}:
            return True
        if found.plan.stamp != stamp_of(self._tracks.limits) or not self._side.are_there():
            return False
        return (from_day, to_day) in {("", ""), (found.plan.from_day, found.plan.to_day)}

    def begin(self, from_day: str = "", to_day: str = "") -> Progress:
        """Plan a rebuild of days (ISO, "" = no bound); of what was begun before nothing is left.

        Raises:
            Conflict: The worker folds otherwise than this command, or has not run yet.
            PlayheadError: As `StoreClient.rows`.
        """
        as_of_ms, position = self._worker_is_at()
        bounds = {"from": from_day, "to": to_day}
        days = [row[0] for row in self._client.rows(_DAYS_SQL, bounds, limits=live.LIMITS).rows]
        plan = Plan(
            id=secrets.token_hex(6),
            from_day=from_day,
            to_day=to_day,
            position=position,
            as_of_ms=as_of_ms,
            stamp=stamp_of(self._tracks.limits),
            days=tuple(days),
        )
        # First of all: tables made anew are not what an older file speaks of.
        (self._config.data_dir / progress.FOLDER / progress.FILE).unlink(missing_ok=True)
        self._side.make()
        return self._keep(Progress(plan=plan))

    def fold(self, said: Said = lambda _: None) -> Progress:
        """Fold what is left of the plan's days.

        Raises:
            Conflict: As `begin`.
            DiskLow: Too little room; what is done is kept.
            PlayheadError: As `StoreClient.rows`; what is done is kept.
        """
        found = self._begun()
        self._worker_is_at()
        while found.stage == "folding" and found.at < len(found.plan.days):
            self._fold_day(found, found.plan.days[found.at])
            found.at += 1
            said(self._keep(found))
        if found.stage == "folding":
            found.stage, found.at = "folded", 0
        return self._keep(found)

    def switch(self, said: Said = lambda _: None) -> Progress:
        """Let the rebuilt rows count, and make the sums of those days anew.

        Raises:
            Conflict: The worker folds otherwise by now: fold again.
            PlayheadError: As `StoreClient.command`; what is done is kept, call it again.
        """
        found = self._begun()
        if found.stage == "folded":
            self._worker_is_at()
            found.stage, found.at = "switching", 0
            self._keep(found)
        while found.stage == "switching" and found.at < len(found.touched):
            day = found.touched[found.at]
            parts = self._side.slices(day)
            for number in range(parts):
                self._check_room()  # below the floor nothing merges, and a removal would wait for it
                with at_rest(self._config.data_dir, self._clock):
                    self._side.take_over(day, (number, parts), found.plan)
            found.at += 1
            said(self._keep(found))
        if found.stage == "switching":
            found.stage = "summing"
            self._keep(found)
        if found.touched:
            self._sum(len(found.plan.days))
        self._side.drop()
        found.stage = "done"
        _LOG.info("views_rebuilt", days=len(found.touched), views=found.tally.written)
        return self._keep(found)

    def discard(self) -> None:
        """Let go of what was folded; live rows stay as they are.

        Raises:
            Conflict: The switch has begun: it can only be finished.
        """
        found = self.progress
        if found is not None and found.stage in {"switching", "summing"}:
            raise Conflict(
                "The switch has begun: some days are taken over already.",
                hint="'playhead rebuild --switch' finishes it.",
            )
        self._side.drop()
        (self._config.data_dir / progress.FOLDER / progress.FILE).unlink(missing_ok=True)
        self.progress = None

    def _begun(self) -> Progress:
        if self.progress is None:
            raise Conflict("No rebuild was begun.", hint="'playhead rebuild' begins one.")
        return self.progress

    def _keep(self, found: Progress) -> Progress:
        progress.write(self._config.data_dir, found)
        self.progress = found
        return found

    def _worker_is_at(self) -> tuple[int, int]:
        """Return log time and offset up to which everything is stored; the worker must fold as we do."""
        ledger = Ledger(self._config.data_dir / "worker.db", writable=False)
        try:
            notes = ledger.notes()
            # Log time first: rows of what comes between the two have a later one, and win.
            as_of_ms, position = int(notes.get("as_of_ms", 0)), ledger.position()
        finally:
            ledger.close()
        own, theirs = stamp_of(self._tracks.limits), notes.get(NOTE, "")
        if not theirs:
            raise Conflict(
                "The worker has not said how it folds: it has not run yet, or is of a release before"
                " this one. Nothing was changed.",
                hint="Start the server of this release ('playhead up'), then call this again.",
            )
        if theirs != own:
            names = ", ".join(differences(own, theirs))
            raise Conflict(
                f"The running worker folds otherwise than this command ({names}); its rows and the"
                " rebuilt ones would not agree. Nothing was changed.",
                hint="Name the server's own --config, or restart the server, then call this again.",
            )
        return as_of_ms, position

    def _whole_after(self) -> str:
        """Return the day after which no event can be missing."""
        count, oldest = self._client.rows(_OLDEST_SQL, limits=live.LIMITS).rows[0]
        if not count:
            return NEVER
        keep_days = self._config.process.event_retention_days
        if not keep_days:
            return str(oldest)
        expired = self._today() - timedelta(days=keep_days)
        return max(str(oldest), expired.isoformat())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()

    def _fold_day(self, found: Progress, day: str) -> None:
        """Fold the views of a day, page by page; a day that was cut off begins anew."""
        self._side.empty(day)
        caps = DayCaps.of_day(self._client, day, self._config.process.max_values_per_dimension)
        tally, after = Tally(), ""
        while keys := live.keys_of(self._client, day, after):
            self._check_room()
            rows = live.rows_of(self._client, day, keys)
            page = Judged()
            for turn in live.turns(keys, rows):
                for judged in self._turn(found.plan, day, turn, rows, caps):
                    page.add(judged)
            self._side.put(day, page)
            tally.add(page.tally)
            after = keys[-1]
        old, new = self.totals.of_day(day, is_changed=bool(tally.written))
        totals.add(found.old, old)
        totals.add(found.new, new)
        found.tally.add(tally)
        if tally.written:
            found.touched.append(day)

    def _turn(
        self,
        plan: Plan,
        day: str,
        keys: list[str],
        rows: dict[str, list[LiveRow]],
        caps: DayCaps,
    ) -> list[Judged]:
        """Fold some keys and say what becomes of their views of a day."""
        asked = [key for key in keys if any(row.final for row in rows.get(key, ()))]
        events = self._recall.events(asked, plan.position)
        anew = {key: self._fold_key(key, events[key], plan.as_of_ms) for key in events}
        short = [
            key for key in asked if (made := anew.get(key)) and not is_whole(rows[key], made, day)
        ]
        cut = self._may_cut(short, day)
        found = []
        for key in keys:
            made = anew.get(key, [])
            if made is None:
                final = sum(row.final for row in rows[key])
                open_ = len(rows[key]) - final
                views = len(rows[key])
                found.append(Judged(tally=Tally(views=views, not_folded=final, not_final=open_)))
            elif key in rows:
                found.append(judge(rows[key], made, day, caps, may_cut=key in cut))
        return found

    def _fold_key(self, key: str, events: list[Stored], as_of_ms: int) -> list[ViewRow] | None:
        """Return the rows of a key's views; None where the fold fails on them."""
        view_id = events[0].event.view_id or ""
        track = self._tracks.new(key, view_id, explicit=bool(view_id))
        try:
            track.replay(events)
            return track.rows(as_of_ms)
        except Exception:  # noqa: BLE001 (one view must not stop all others; its row stays)
            _LOG.exception("view_not_rebuilt", view_key=key)
            return None
        finally:
            self._tracks.forget(track)

    def _may_cut(self, keys: list[str], day: str) -> set[str]:
        """Return the keys of which every event was still stored, so that views may be cut anew.

        Asked after the events were read: what goes meanwhile counts as gone.
        """
        if not keys or day <= (whole_after := self._whole_after()):
            return set()
        asked = {"day": whole_after, "keys": keys}
        earlier = self._client.rows(
            _EARLIER_SQL, asked, limits=live.LIMITS, settings=live.SETTINGS
        ).rows
        return set(keys) - {row[0] for row in earlier}

    def _check_room(self) -> None:
        """Stop where the disk is nearly full: the doors need what is left."""
        floor = self._config.log.free_space_floor_bytes
        if shutil.disk_usage(self._config.data_dir).free < floor:
            raise DiskLow(
                "Less than log.free_space_floor_bytes of the disk is free; the rebuild stopped. What is"
                " done is kept, live rows are as they were.",
                retry_after_s=60,
            )

    def _sum(self, days: int) -> None:
        """Merge the days that got rows, and make the rollups of closed days that have none.

        So many rounds as days at most: where late events come without end, a day is never done.
        The worker does in idle time what is left.
        """
        today = self._today()
        for _ in range(days):
            if not optimize_closed_days(self._client, today):
                break
        config = self._config.process
        layout = layout_of(self._catalogue)
        if not config.rollup_days_per_round or not self._are_columns_of(layout):
            return
        rollups = Rollups(self._client, layout, values_max=config.max_rollup_values, settled=False)
        for _ in range(days):
            if not rollups.make(today, days_max=config.rollup_days_per_round):
                break

    def _are_columns_of(self, layout: Layout) -> bool:
        """Return whether the table of rollups is as this command would have it, or has no sums yet.

        By other thresholds than the server's it is not: making it so would empty it under the worker.
        """
        found = self._client.rows(_COLUMNS_SQL, limits=live.LIMITS).rows
        return {row[0] for row in found} <= set(layout.all_columns())
