"""The tables beside `views` while a rebuild is not switched, and the switch itself.

`views_rebuild` holds rows made anew, `views_rebuild_gone` the ids of rows to be removed. Nothing reads
them but the switch. Its rows have the log time at which the rebuild began: they replace what was there,
and whatever the worker writes later replaces them, in whichever order the two come. So taking a day over
twice changes nothing.
"""

# ruff: noqa: S608 (days, numbers and names of columns: nothing of it comes from outside)

import secrets
from collections.abc import Sequence
from typing import Any, Final

from playhead.model.view import COLUMNS
from playhead.process.loader import blocks
from playhead.rebuild.judge import Judged
from playhead.rebuild.live import LIMITS, SETTINGS
from playhead.rebuild.progress import Plan
from playhead.store.client import StoreClient
from playhead.store.rollup_carry import carry_over, counting

ROWS: Final = "views_rebuild"
GONE: Final = "views_rebuild_gone"
_NAMES: Final = ", ".join(COLUMNS)
_GONE_COLUMNS: Final = ("first_seen_day", "view_id", "property")
_AS_OF_BITS: Final = 42
ROWS_PER_SLICE: Final = 20_000
"""Taken over at once."""


class Side:
    """The side tables of one store."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    def make(self) -> None:
        """Make the tables anew, empty."""
        self.drop()
        self._client.command(f"CREATE TABLE playhead.{ROWS} AS playhead.views")
        self._client.command(
            f"CREATE TABLE playhead.{GONE} (first_seen_day Date, view_id String, property String)"
            " ENGINE = ReplacingMergeTree PARTITION BY first_seen_day ORDER BY (view_id, property)"
            " SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1,"
            " fsync_part_directory = 1"
        )

    def are_there(self) -> bool:
        """Return whether both tables exist."""
        found = self._client.rows(
            "SELECT count() FROM system.tables WHERE database = 'playhead'"
            f" AND name IN ('{ROWS}', '{GONE}')"
        )
        return int(found.rows[0][0]) == len((ROWS, GONE))

    def drop(self) -> None:
        """Remove the tables; missing ones are no error."""
        for name in (ROWS, GONE):
            self._client.command(f"DROP TABLE IF EXISTS playhead.{name} SYNC")

    def empty(self, day: str) -> None:
        """Forget what was kept of a day."""
        for name in (ROWS, GONE):
            self._client.command(f"ALTER TABLE playhead.{name} DROP PARTITION '{day}'")

    def put(self, day: str, judged: Judged) -> None:
        """Keep what is to be written and removed of a day."""
        gone: Sequence[Any] = [(day, *one) for one in judged.remove]
        parts: tuple[tuple[str, tuple[str, ...], Sequence[Any]], ...]
        parts = ((ROWS, COLUMNS, judged.write), (GONE, _GONE_COLUMNS, gone))
        for name, columns, rows in parts:
            # A name of its own for each time: what `empty` removed has to come back.
            for block in blocks(name, rows, secrets.token_hex(8)):
                self._client.insert(name, columns, block.body, token=block.token)

    def slices(self, day: str) -> int:
        """Return in how many parts a day is taken over: each is short, for the worker waits."""
        counts = self._client.rows(
            f"SELECT (SELECT count() FROM playhead.{ROWS} WHERE first_seen_day = '{day}'),"
            f" (SELECT count() FROM playhead.{GONE} WHERE first_seen_day = '{day}')",
            limits=LIMITS,
        ).rows[0]
        return -(-max(map(int, counts)) // ROWS_PER_SLICE)

    def take_over(self, day: str, part: tuple[int, int], plan: Plan) -> None:
        """Let rows of a day count; what was deleted meanwhile does not come back.

        Args:
            day: The day.
            part: Which one of how many: by the hash of the view key.
            plan: Of the rebuild: rows of later than its log time are the worker's and stay.
        """
        number, parts = part
        rows = f"first_seen_day = '{day}' AND cityHash64(view_key) % {parts} = {number}"
        held = f"view_key IN (SELECT view_key FROM playhead.views WHERE {rows})"
        if self._are_forgotten_since(plan.position):
            # Somebody of before who came back under the same key has only newer events.
            held += (
                " AND view_key IN (SELECT view_key FROM playhead.events"
                f" WHERE log_offset < {plan.position} AND cityHash64(view_key) % {parts} = {number})"
            )
        self._client.command(
            f"INSERT INTO playhead.views ({_NAMES}) SELECT {_NAMES} FROM playhead.{ROWS} FINAL"
            f" WHERE {rows} AND {held}",
            # Never left out because an earlier rebuild inserted the same: it may be gone since.
            settings={**SETTINGS, "insert_deduplicate": 0, "max_insert_threads": 1},
        )
        self._remove(day, rows, plan)

    def _remove(self, day: str, rows: str, plan: Plan) -> None:
        """Remove the rows of a part of a day whose ids are gone, older writings of theirs too."""
        written_ms = f"bitAnd(bitShiftRight(version, 16), {(1 << _AS_OF_BITS) - 1})"
        doomed = (
            f"{rows} AND {written_ms} <= {plan.as_of_ms} AND (view_id, property) IN"
            f" (SELECT view_id, property FROM playhead.{GONE} WHERE first_seen_day = '{day}')"
        )
        sql = f"SELECT 1 FROM playhead.views WHERE {doomed} LIMIT 1"
        if not self._client.rows(sql, limits=LIMITS).rows:
            return
        counted = counting(self._client)
        self._client.command(f"DELETE FROM playhead.views WHERE {doomed}")
        carry_over(self._client, counted, except_days={day.replace("-", "")})

    def _are_forgotten_since(self, position: int) -> bool:
        """Return whether anybody's views were deleted by a command of an offset or later."""
        sql = "SELECT count() FROM playhead.forgotten WHERE log_offset >= {position:Int64}"
        return bool(self._client.rows(sql, {"position": position}, limits=LIMITS).rows[0][0])
