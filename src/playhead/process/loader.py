"""Into the store, exactly once: an intent on disk, then blocks with a token, then the advance.

After a crash the same range is rebuilt from the log with the same boundaries and inserted again
under the same tokens: what the store has is skipped, what it lacks is added (design, decision 4).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from playhead.clock import Clock
from playhead.errors import BodyTooLarge, QueryFailed
from playhead.log.offsets import Intent, Ledger
from playhead.model import event_row, view
from playhead.model.view import ViewRow
from playhead.observe import counter, histogram, logger
from playhead.process.commands import Commands
from playhead.process.folder import Folded
from playhead.process.forgetting import Forgetting
from playhead.process.holding import ROWS
from playhead.process.imports import Imports
from playhead.process.patience import Patience, Stopped
from playhead.process.project_rows import VIEW_FAILED, WORKSPACE_GONE, ProjectRows
from playhead.process.rows import Line
from playhead.process.unpack import (
    QUARANTINE_COLUMNS,
    RETRY_COLUMNS,
    unstored_row,
)
from playhead.process.verdicts import DATA_FAULTS, failed_views
from playhead.store.client import StoreClient

BLOCK_BYTES_MAX = 64 << 20
"""Encoded rows of one insert, unless one row alone is larger; `store.max_insert_bytes` is above."""
BLOCK_ROWS_MAX = 100_000
"""Rows of one insert; a range's events are fewer."""
VIEW_ROWS_MAX = 10_000
"""The same for view rows, which carry the state of the fold and may be large."""
COMPLETE_MAX = 5
"""How often missing rows of a range are added before the range counts as stored."""

__all__ = ["DATA_FAULTS", "Loader", "Stopped", "blocks"]

T = TypeVar("T")
_LOG = logger("loader")
_PRESENT_SQL = (
    "SELECT log_offset, log_index FROM playhead.{table} "
    "WHERE received_at >= {{since:DateTime64(3, 'UTC')}}"
    " AND received_at <= {{until:DateTime64(3, 'UTC')}}"
    " AND log_offset >= {{first:Int64}} AND log_offset <= {{last:Int64}}"
)
Place = tuple[int, int, int]
"""Whence a row came: when received (UTC ms), log offset and index."""
_ENCODER = msgspec.json.Encoder()
_ROWS = counter("loader_rows", "Rows inserted into the store", ("table",))
_SECONDS = histogram(
    "loader_range_seconds",
    "Time to store one range of the log",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)


class Block(NamedTuple):
    """Rows that are inserted at once."""

    token: str
    body: bytes
    rows: int


class Loader:
    """Stores folded ranges in order and remembers how far it came."""

    def __init__(
        self,
        store: StoreClient,
        ledger: Ledger,
        clock: Clock,
        data_dir: Path | None = None,
        *,
        forgetting: Forgetting | None = None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._patience = Patience(clock)
        folder = data_dir or Path()
        self._projects = ProjectRows(folder, store, self._patience)
        self._imports = Imports(folder, store, self._patience, self._projects)
        self._commands = Commands(folder, store, ledger, self._patience, forgetting)

    @property
    def last_error(self) -> str:
        """What the store or the ledger refused last; empty if nothing ever was."""
        return self._patience.said

    def stop(self) -> None:
        """Give up repeating; the range in hand stays intended."""
        self._patience.stop()

    def load(self, folded: Folded, refold: Callable[[list[str], int], list[ViewRow]]) -> None:
        """Store one range; return when it is stored and recorded.

        Raises:
            Stopped: `stop` was called while the store did not answer.
        """
        began = self._clock.monotonic_s()
        span = f"{folded.first}-{folded.next}"
        of_projects = bool(folded.made or folded.pieces or folded.commands)
        detail = ROWS if of_projects else ""
        intent = Intent(folded.first, folded.next, folded.as_of_ms, detail)
        is_repeated = intent in self._ledger.intents()
        if not is_repeated:
            self._until_done(lambda: self._ledger.intend(intent))
        self._patience.troubled = is_repeated
        refused = self._insert("events", event_row.COLUMNS, blocks("events", folded.events, span))
        set_aside = folded.quarantine + [unstored_row(line) for line in refused]
        for table, lines in folded.rows.items():
            parts = blocks(table.label, lines, span)
            for line in self._insert(table.name, table.columns, parts):
                set_aside.append(unstored_row(line, table))
        more = len(set_aside) - len(folded.quarantine)
        set_aside += self._load_made(folded, span)
        set_aside += self._load_jobs(folded)
        if more:
            folded.counts["stored"] -= more
            folded.counts["quarantined"] = folded.counts.get("quarantined", 0) + more
        self._insert("quarantine", QUARANTINE_COLUMNS, blocks("quarantine", set_aside, span))
        retried = blocks("quarantine_retries", folded.retried, span)
        self._insert("quarantine_retries", RETRY_COLUMNS, retried)
        if self._patience.troubled:
            # A row lost here would be taken up again; one stored twice changes nothing.
            again = blocks("quarantine_retries", folded.retried, f"{span}:again", by_content=True)
            self._insert("quarantine_retries", RETRY_COLUMNS, again)
            self._complete_all(folded, set_aside, span)
        rows = folded.views
        if folded.late:
            rows = rows + self._until_done(lambda: refold(folded.late, folded.next))
        self._insert("views", view.COLUMNS, blocks("views", rows, span, by_content=is_repeated))
        if self._patience.troubled and not is_repeated:
            again = blocks("views", rows, f"{span}:again", by_content=True)
            self._insert("views", view.COLUMNS, again)
        self._until_done(lambda: self._ledger.advance(folded.next, folded.counts))
        if folded.commands:
            self._commands.finish()
        _SECONDS.observe(self._clock.monotonic_s() - began)

    def _load_made(self, folded: Folded, span: str) -> list[tuple[Any, ...]]:
        """Store rows of projects, count what became of them; return those without a table."""
        aside: list[tuple[Any, ...]] = []
        counts = Counter(folded.counts)
        for group, made in folded.made.items():
            # `plays` and `staging:plays` may have one table: each needs a name of its own.
            name = f"{span}:{group.datasource}"
            outcome = self._projects.store(group, made, name, at_s=folded.as_of_ms // 1000)
            counts["quarantined" if group.quarantine else "stored"] -= sum(one.rows for one in made)
            counts["stored"] += outcome.stored
            counts["quarantined"] += outcome.quarantined
            counts[f"dropped:{WORKSPACE_GONE}"] += outcome.dropped
            counts[VIEW_FAILED] += outcome.missed
            aside += outcome.aside
        folded.counts = {name: count for name, count in counts.items() if count}
        return aside

    def _load_jobs(self, folded: Folded) -> list[tuple[Any, ...]]:
        """Load pieces of imports and carry out commands; return rows without a table."""
        aside: list[tuple[Any, ...]] = []
        counts = Counter(folded.counts)
        for record, into in folded.pieces:
            found, outcome = self._imports.load(record, into)
            counts.update(found)
            aside += outcome.aside
        for record in folded.commands:
            counts.update(self._commands.run(record))
            done = self._commands.forgotten
            if done is not None:
                folded.late += done.shared
                folded.views = [row for row in folded.views if row.view_key not in done.keys]
        folded.counts = {name: count for name, count in counts.items() if count}
        return aside

    def _insert(self, table: str, columns: tuple[str, ...], parts: Iterable[Block]) -> list[bytes]:
        """Insert blocks; return the rows, as JSON, that the store will never take."""
        refused: list[bytes] = []
        for block in parts:
            token, body, count = block
            insert = partial(self._store.insert, table, columns, body, token=token)
            verdict = self._patience.verdicts.of(f"playhead.{table}")
            try:
                self._patience.until_done(insert, lasting=verdict.is_lasting)
            except (QueryFailed, BodyTooLarge) as error:
                views = failed_views(error) if isinstance(error, QueryFailed) else []
                if views:  # the table has the rows; by halves they would come twice
                    _LOG.error(VIEW_FAILED, view=views[-1], table=table, reason=error.message)
                    self._patience.said = f"{VIEW_FAILED}: {views[-1]}: {error.message}"
                elif count > 1:
                    refused += self._insert(table, columns, _halves_of(block))
                else:
                    _LOG.error("row_refused", table=table, token=token, reason=error.message)
                    refused.append(body)
            else:
                self._patience.verdicts.taken(f"playhead.{table}")
                _ROWS.labels(table).inc(count)
        return refused

    def _complete_all(self, folded: Folded, set_aside: list[tuple[Any, ...]], span: str) -> None:
        gone = {(row[1], row[2]) for row in set_aside}
        self._complete("events", event_row.COLUMNS, folded.events, span, without=gone)
        for table, lines in folded.rows.items():
            self._complete(table.name, table.columns, lines, span, without=gone)
        self._complete("quarantine", QUARANTINE_COLUMNS, set_aside, span)

    def _complete(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Sequence[Any],
        span: str,
        *,
        without: Collection[tuple[int, int]] = (),
    ) -> None:
        """After a failure: look which rows of a range are there, and add those that are not.

        A disk that was full to the last byte can lose a block whose token is remembered; repeating
        it under that token would add nothing, for ever.
        """
        place = _places(columns)
        wanted = [row for row in rows if place(row)[1:] not in without]
        for attempt in range(COMPLETE_MAX):
            if not wanted:
                return
            places = [place(row) for row in wanted]
            asked = {
                "since": datetime.fromtimestamp(min(at for at, _, _ in places) / 1000, UTC),
                "until": datetime.fromtimestamp(max(at for at, _, _ in places) / 1000, UTC),
                "first": min(offset for _, offset, _ in places),
                "last": max(offset for _, offset, _ in places),
            }
            sql = _PRESENT_SQL.format(table=table)
            found = self._until_done(partial(self._store.rows, sql, asked)).rows
            present = {(row[0], row[1]) for row in found}
            wanted = [row for row in wanted if place(row)[1:] not in present]
            if wanted:
                _LOG.warning("rows_missing", table=table, span=span, rows=len(wanted))
                again = f"{span}:again{attempt}"
                self._insert(table, columns, blocks(table, wanted, again, by_content=True))

    def _until_done(self, act: Callable[[], T]) -> T:
        return self._patience.until_done(act)


def blocks(
    table: str, rows: Sequence[Any], span: str, *, by_content: bool = False
) -> Iterator[Block]:
    """Yield a range's rows of one table as blocks the store takes.

    Nearly always one, named `<table>:<span>`; further ones are numbered, and the same rows are
    always cut the same way. A repeated range may hold other *view* rows than at first (a restart
    writes every open view), which a used name would lose: `by_content` names them by what they
    hold. A view row stored twice changes nothing.
    """
    for number, (body, count) in enumerate(_cut(table, rows)):
        token = f"{table}:{span}"
        if by_content:
            token += f":{blake2b(body, digest_size=8).hexdigest()}"
        elif number:
            token += f":{number}"
        yield Block(token, body, count)


def _halves_of(block: Block) -> list[Block]:
    """Return a block that the store refused as two, cut and named the same way every time."""
    lines = block.body.splitlines(keepends=True)
    half = len(lines) // 2
    return [
        Block(f"{block.token}:{side}", b"".join(part), len(part))
        for side, part in (("a", lines[:half]), ("b", lines[half:]))
    ]


def _places(columns: tuple[str, ...]) -> Callable[[Any], Place]:
    """Return what tells of a row of these columns whence it came."""
    at, offset, index = (columns.index(c) for c in ("received_at", "log_offset", "log_index"))

    def place(row: Any) -> Place:
        if isinstance(row, Line):
            return row.received_at, row.offset, row.index
        return row[at], row[offset], row[index]

    return place


def _cut(table: str, rows: Sequence[Any]) -> Iterator[tuple[bytes, int]]:
    most = VIEW_ROWS_MAX if table == "views" else BLOCK_ROWS_MAX
    for start in range(0, len(rows), most):
        yield from _halved(rows if len(rows) <= most else rows[start : start + most])


def _encoded(rows: Sequence[Any]) -> bytes:
    if isinstance(rows[0], Line):
        return b"\n".join([row.text for row in rows]) + b"\n"
    return _ENCODER.encode_lines(rows)


def _halved(rows: Sequence[Any]) -> Iterator[tuple[bytes, int]]:
    body = _encoded(rows)
    if len(body) <= BLOCK_BYTES_MAX or len(rows) == 1:
        yield body, len(rows)
        return
    del body
    half = len(rows) // 2
    yield from _halved(rows[:half])
    yield from _halved(rows[half:])
