"""A replay: files in, acknowledged batches out, and how far it got.

Without a speed the files go one after another; with one, all files go together in the order of
their times. Batches of lines never hold more than one file and end where the file says, so that a
repeated run sends the same ones.
"""

import heapq
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

import msgspec

from playhead.clock import Clock
from playhead.connect.files import plain, progress
from playhead.connect.files.kind import Kind, Target
from playhead.connect.files.lines import Lines, Source
from playhead.connect.files.mapped import Mapped
from playhead.connect.files.mapping import Mapping
from playhead.connect.files.pace import Pace
from playhead.connect.files.progress import FileState, State
from playhead.connect.files.record import Record
from playhead.connect.files.sending import Batch, Sender
from playhead.errors import InvalidRequest

BATCH_EVENTS: Final = 500
BATCH_LINES: Final = 2_000
BATCH_BYTES: Final = 512 << 10
BATCH_SPAN_MS: Final = 10_000
"""A batch of CMCD records ends where its time has gone on by this much."""
SAVE_EVERY_S: Final = 1.0
TOGETHER_MAX: Final = 800
"""Most files open at once, which a speed needs."""
NAMED_MAX: Final = 20
"""Refusals that are named; all are counted."""
FIRST_LOOKED_AT: Final = 1_000
"""Records looked at to find the first time of a file."""


class Part(msgspec.Struct):
    """One file of the replay: what it is, where it goes, and how far it is."""

    source: Source
    kind: Kind
    target: Target
    state: FileState
    lines: Lines


class Refused(msgspec.Struct, frozen=True):
    """One record that was not taken, and where it stands."""

    where: str
    code: str
    message: str


class Tally(msgspec.Struct):
    """What this run did."""

    files: int = 0
    accepted: int = 0
    refused: int = 0
    named: list[Refused] = []


Told = Callable[["Replay"], None]


def _quiet(_: "Replay") -> None:
    """Show nothing."""


class Replay:
    """One run over all files.

    Args:
        parts: The files; those already complete are left out.
        mapping: How tables are read; None where there are none.
        state: What earlier runs did; kept up to date, and written to `path`.
        path: Where the state is kept.
        clock: Time.
    """

    def __init__(
        self,
        parts: list[Part],
        mapping: Mapping | None,
        state: State,
        path: Path,
        clock: Clock,
    ) -> None:
        self.parts = parts
        self.tally = Tally()
        self.state = state
        self._mapping = mapping
        self._path = path
        self._clock = clock
        self._told: Told = _quiet
        self._saved_s = clock.monotonic_s()
        self._ended: list[int] = []

    @property
    def read_bytes(self) -> int:
        """How much of the files on disk has been read."""
        return sum(
            part.source.size if part.state.complete else part.lines.read_bytes
            for part in self.parts
        )

    def begin(self, start_ms: int | None) -> None:
        """Set by how much the times of each file move; files begun by an earlier run keep theirs.

        Args:
            start_ms: Where the first event of all comes to lie; None leaves absolute times alone.
        """
        mapping = self._mapping
        relative = mapping is not None and mapping.relative
        stagger_ms = 0
        if mapping is not None and relative and mapping.table.time.files == "staggered":
            stagger_ms = mapping.table.time.stagger_ms
        if start_ms is None:
            return
        offsets = [index * stagger_ms for index in range(len(self.parts))]
        firsts = [self._first_ms(index) for index in range(len(self.parts))]
        known = [offset + at for offset, at in zip(offsets, firsts, strict=True) if at is not None]
        for offset, part in zip(offsets, self.parts, strict=True):
            if not part.state.done:
                part.state.shift_ms = start_ms - min(known, default=start_ms) + offset

    def run(self, sender: Sender, speed: float | None, told: Told = _quiet) -> None:
        """Send everything that is not acknowledged yet.

        Args:
            sender: To where.
            speed: Times real time; None is as fast as it goes.
            told: Called after every batch.

        Raises:
            PlayheadError: The server stops it; what it acknowledged is kept.
        """
        self._told = told
        pace = Pace(speed, self._clock, time.sleep)
        order = self._in_turn() if speed is None else self._together()
        pending: list[Record] = []
        size = 0
        try:
            for record in order:
                at_ms = self._at(record)
                due = pace.wait_s(at_ms) <= 0
                if pending and (not due or self._full(pending, size, record)):
                    self._flush(sender, pending)
                    pending, size = [], 0
                pace.wait(at_ms)
                pending.append(record)
                size += len(record.text)
            if pending:
                self._flush(sender, pending)
            for part in self.parts:
                self._complete(part)
            self.state.finished = True
        finally:
            order.close()  # and with it the files
            progress.save(self._path, self.state)

    def _at(self, record: Record) -> int | None:
        shift_ms = self.parts[record.file].state.shift_ms
        return None if record.at_ms is None else record.at_ms + shift_ms

    def records(self, index: int, *, fresh: bool = False) -> Iterator[Record]:
        """Yield the records of a file that are not acknowledged yet, or all of them if `fresh`."""
        part = self.parts[index]
        done = 0 if fresh else part.state.done
        wanted: Iterator[Record]
        if part.kind is Kind.CSV and self._mapping is not None:
            # What a row becomes depends on rows before it, so a table is read from its beginning.
            lines = Lines(part.source)
            found = Mapped(self._mapping, part.source, index).records(lines)
            wanted = (record for record in found if record.ordinal > done)
        else:
            lines = Lines(part.source, number=done, after=0 if fresh else part.state.after)
            wanted = plain.records(part.kind, part.source, index, lines)
        if not fresh:
            part.lines = lines
        yield from wanted
        if not fresh:
            self._ended.append(index)

    def _first_ms(self, index: int) -> int | None:
        for count, record in enumerate(self.records(index, fresh=True)):
            if record.at_ms is not None:
                return record.at_ms
            if count == FIRST_LOOKED_AT:
                break
        return None

    def _in_turn(self) -> Generator[Record, None, None]:
        for index, part in enumerate(self.parts):
            if not part.state.complete:
                yield from self.records(index)

    def _together(self) -> Generator[Record, None, None]:
        """Yield the records of all files in the order of their times."""
        waiting = [index for index, part in enumerate(self.parts) if not part.state.complete]
        if len(waiting) > TOGETHER_MAX:
            raise InvalidRequest(
                f"With a speed at most {TOGETHER_MAX} files go together; these are {len(waiting)}.",
                hint="Replay them in parts, or without --speed.",
            )
        yield from (record for _, _, record in heapq.merge(*map(self._timed, waiting)))

    def _timed(self, index: int) -> Iterator[tuple[int, tuple[int, int], Record]]:
        """Yield the records of a file with times that never go back, so that their order stays."""
        last = 0
        for nth, record in enumerate(self.records(index)):
            last = max(last, self._at(record) or 0)
            yield last, (index, nth), record

    def _full(self, pending: list[Record], size: int, record: Record) -> bool:
        """Return whether a batch must go before a record joins it."""
        first = pending[0]
        part, other = self.parts[record.file], self.parts[first.file]
        limit = BATCH_EVENTS if part.target.array else BATCH_LINES
        if part.target != other.target or len(pending) >= limit:
            return True
        if size + len(record.text) > BATCH_BYTES:
            return True
        if part.target.array:
            return False
        late = record.at_ms is not None and first.at_ms is not None
        return record.file != first.file or (
            late and (record.at_ms or 0) - (first.at_ms or 0) >= BATCH_SPAN_MS
        )

    def _flush(self, sender: Sender, pending: list[Record]) -> None:
        """Send a batch and note what became of it."""
        good = [record for record in pending if not record.code]
        refused = [(one, one.code, one.message) for one in pending if one.code]
        part = self.parts[pending[0].file]
        if good:
            head = plain.preamble(part.source) if part.kind is Kind.CDN else b""
            told = sender.send(Batch(part.kind, part.target, good, head))
            self.tally.accepted += told.accepted
            self.state.accepted += told.accepted
            refused += told.refused
        for one in sorted(refused, key=lambda one: (one[0].file, one[0].line)):
            self._refuse(*one)
        for record in pending:
            if record.ordinal:
                state = self.parts[record.file].state
                state.done, state.after = max(state.done, record.ordinal), record.after
        while self._ended:  # all it yielded lies behind, and what lies behind is acknowledged
            self._complete(self.parts[self._ended.pop()])
        now_s = self._clock.monotonic_s()
        if now_s - self._saved_s >= SAVE_EVERY_S:
            progress.save(self._path, self.state)
            self._saved_s = now_s
        self._told(self)

    def _refuse(self, record: Record, code: str, message: str) -> None:
        self.tally.refused += 1
        self.state.refused[code] = self.state.refused.get(code, 0) + 1
        if len(self.tally.named) < NAMED_MAX:
            where = f"{self.parts[record.file].source.path}:{record.line}"
            self.tally.named.append(Refused(where, code, message))

    def _complete(self, part: Part) -> None:
        if not part.state.complete:
            part.state.complete = True
            self.tally.files += 1
