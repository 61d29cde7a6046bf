"""Imports: a file goes into the log in pieces, and from there into its data source.

A job that was cut off cuts the file again, the same way, and goes on after the last piece that the
log has: as many as the worker has counted, and those that still lie before it.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from playhead.collect.project_sources import ProjectSources
from playhead.collect.sources import ProjectSource
from playhead.errors import Conflict, InvalidBody, NotFound, Unavailable
from playhead.jobs.fetching import fetch
from playhead.jobs.parquet import converted
from playhead.jobs.pieces import SAMPLE_BYTES, Layout, Piece, csv_head, pieces
from playhead.jobs.replacing import Replacing, is_switching, kept_counts
from playhead.jobs.spool import BODY, ROWS, Packed, Spool, Spooled
from playhead.jobs.work import Work
from playhead.log.base import Entry
from playhead.model.event import Into, Meta
from playhead.project.csv_insert import csv_insert

NAME: Final = "import"
DOOR: Final = "imports"
"""The door of log records that hold pieces."""
MODES: Final = ("append", "replace")
FORMS: Final = ("csv", "ndjson", "parquet")
LOOK_EVERY_S: Final = 0.02
SLOW_S: Final = 1.0
"""Where room for a piece takes longer, less is sent ahead."""
REFUSED_MAX: Final = 1_000
"""After so many refused rows and none taken the file is taken for another one."""
SLOW_PIECE_BYTES: Final = 512 * 1024
"""Pieces that no engine reads are smaller: events wait behind them."""
_READ_RECORDS: Final = 256
_READ_BYTES: Final = 64 * 1024 * 1024
_NAMED: Final = b'"job":'
_META = msgspec.json.Decoder(Meta)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an import was asked for; `Job.detail`."""

    mode: str = "append"
    form: str = "csv"
    start: int = 0
    end: int = 0
    """Which bytes of the spooled file are the body."""
    delimiter: str = ""
    """"" = it is looked for."""
    escape: str = ""
    url: str = ""
    condition: str = ""
    """Of a replacement: which rows it is about; "" = all."""
    skip_incompatible: bool = False


class Imports:
    """The kind of jobs that load a file."""

    name = NAME

    async def run(self, work: Work) -> None:
        """Load the file; see `Kind.run`.

        Raises:
            InvalidBody, BodyTooLarge: It cannot be read; what was loaded before stays.
            NotFound: The data source is gone.
        """
        run = _Import(work)
        try:
            if not work.kept.get("finished"):
                await run.load()
                await work.keep(finished=True)  # from here on the file is not needed
        except Unavailable:
            raise  # it goes on in a moment
        except Exception:  # whatever it was, the job ends with it
            await run.leave()
            raise
        run.spool.drop(work.job.id)


class _Import:
    """One run."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.spool = Spool(work.desk.config)
        self._asked = msgspec.convert(work.job.detail, Asked)
        self._path = self.spool.folder(work.job.id)
        self._replacing = Replacing(work, work.job.name)
        self._appended = 0
        self._last = -1
        self._lead = work.desk.config.jobs.import_chunk_bytes
        self._is_tried = False
        """Some row was taken."""
        self._waiting: list[tuple[int, int]] = []
        """Offset and size of the pieces that the worker has not stored yet."""

    async def load(self) -> None:
        if not is_switching(self.work.kept):
            await self._take_in()
        if self._asked.mode == "replace":
            await self._replacing.switch(
                self._asked.condition, skip_incompatible=self._asked.skip_incompatible
            )

    async def _take_in(self) -> None:
        """Bring all rows of the file into the data source, or beside it."""
        work = self.work
        if not self.spool.has(work.job.id) and (not self._asked.url or "end" in work.kept):
            raise Conflict("The file of this import is gone; send it again.")
        await self._fetch()
        source = await self._source()
        layout = await self._layout(source)
        if self._asked.mode == "replace":
            await self._replacing.begin(
                self._asked.condition, skip_incompatible=self._asked.skip_incompatible
            )
        if not work.kept.get("loaded"):
            await self._append(source, layout)
            await self._settled()
            await work.keep(loaded=True)

    async def leave(self) -> None:
        """Leave nothing half done: what is in the log is stored, what lies beside is dropped."""
        if self._last >= 0:
            await self.work.stored(self._last, check=False)
        if self._asked.mode == "replace":
            await self.work.forget("loaded", "layout", "shape")
            await self._replacing.drop()

    async def _fetch(self) -> None:
        """Bring the file into a form that can be cut."""
        work, asked = self.work, self._asked
        if asked.url and "end" not in work.kept:
            size = await fetch(work, self.spool, asked.url)
            await work.keep(end=size)
        if asked.form == "parquet" and not work.kept.get("converted"):
            source = await self._source()
            await converted(work, self._path / BODY, self._body(), source.reader, self._path / ROWS)
            await work.keep(converted=True)

    def _body(self) -> Spooled:
        if self._asked.url:
            return Spooled(0, int(self.work.kept["end"]))
        return Spooled(self._asked.start, self._asked.end)

    async def _source(self) -> ProjectSource:
        work = self.work
        folder = work.desk.folder(work.job.workspace)
        sources = ProjectSources(folder, 0, work.desk.clock, work.job.workspace)
        found = await sources.find(None, work.job.name)
        if found is None:
            raise NotFound(f"There is no data source '{work.job.name}' any more.")
        return found

    def _open(self) -> Packed:
        limit = self.work.desk.config.jobs.max_import_bytes
        rows = self._path / ROWS
        if self._asked.form == "parquet":
            return Packed(rows, Spooled(0, rows.stat().st_size), limit)
        return Packed(self._path / BODY, self._body(), limit)

    async def _layout(self, source: ProjectSource) -> Layout:
        """Return how the file is cut: as it was kept, else as it looks."""
        if "layout" in self.work.kept:
            return msgspec.convert(self.work.kept["layout"], Layout)
        layout = await asyncio.to_thread(self._looked_at, source)
        await self.work.keep(layout=msgspec.to_builtins(layout), shape=source.shape_id)
        return layout

    def _looked_at(self, source: ProjectSource) -> Layout:
        limits, asked = self.work.desk.config.jobs, self._asked
        form: Any = "csv" if asked.form == "parquet" else asked.form
        fast = form == "csv" and not asked.escape and csv_insert(source.reader.datasource)
        layout = Layout(
            form=form,
            delimiter=asked.delimiter or ",",
            escape=asked.escape,
            piece_bytes=min(
                limits.import_chunk_bytes, limits.import_chunk_bytes if fast else SLOW_PIECE_BYTES
            ),
            record_bytes_max=limits.max_record_bytes,
        )
        if asked.form == "parquet":
            return layout
        file = self._open()
        try:
            sample = file.read(SAMPLE_BYTES)
        finally:
            file.close()
        if sample.startswith(b"PAR1"):
            raise InvalidBody(f"The file is Parquet, not {asked.form}.", hint="Say format=parquet.")
        if form == "ndjson":
            return msgspec.structs.replace(layout, head_bytes=_ndjson_head(sample))
        if sample.lstrip()[:2] == b'{"':
            raise InvalidBody("The file is NDJSON, not CSV.", hint="Say format=ndjson.")
        delimiter, head = csv_head(sample, source.reader, asked.delimiter, asked.escape)
        return msgspec.structs.replace(layout, delimiter=delimiter, head_bytes=head)

    async def _append(self, source: ProjectSource, layout: Layout) -> None:
        """Append the pieces that the log does not have yet."""
        work = self.work
        there = await asyncio.to_thread(self._in_the_log)
        file = await asyncio.to_thread(self._open)
        total = self._body().end - self._body().start
        if self._asked.form == "parquet":
            total = (self._path / ROWS).stat().st_size
        try:
            cutting = pieces(file, layout)
            while (piece := await asyncio.to_thread(_next, cutting)) is not None:
                self._appended = piece.number + 1
                if piece.number < there:
                    continue
                work.check()
                await self._make_room(len(piece.body))
                await self._append_one(source, layout, piece)
                await work.progress(min(piece.done, total - 1), total)
        finally:
            file.close()

    async def _append_one(self, source: ProjectSource, layout: Layout, piece: Piece) -> None:
        work = self.work
        into = Into(
            workspace=work.job.workspace,
            datasource=source.name,
            shape=work.kept["shape"],
            job=work.job.id,
            chunk=piece.number,
            form=layout.form,
            dialect=(layout.delimiter, layout.escape),
            place=self._replacing.place if self._asked.mode == "replace" else "",
        )
        entry = Entry(
            door=DOOR,
            key=source.key,
            events=0,
            meta=msgspec.json.encode(Meta(into=into)),
            body=piece.body,
        )
        self._last = await work.desk.append(entry)
        self._waiting.append((self._last, len(piece.body)))

    async def _make_room(self, size: int) -> None:
        """Wait until so little lies before the worker that events do not wait for it.

        How much that is shows: the lead grows while the worker keeps up and shrinks while not.

        Raises:
            InvalidBody: Nothing of what was loaded so far fits the data source.
        """
        began_s = self.work.desk.clock.monotonic_s()
        most = self._lead if self._is_tried else 0  # the first piece says if it is the right file
        while self._waiting and self._ahead() + size > most:
            position = await asyncio.to_thread(self.work.desk.ledger.position)
            self._waiting = [one for one in self._waiting if one[0] >= position]
            self.work.check()
            if self._waiting and self._ahead() + size > most:
                await asyncio.sleep(LOOK_EVERY_S)
        waited_s = self.work.desk.clock.monotonic_s() - began_s
        most = self.work.desk.config.jobs.max_import_lead_bytes
        self._lead = self._lead // 2 if waited_s > SLOW_S else min(most, self._lead * 2)
        self._lead = max(self._lead, size)
        if self._is_tried:
            return
        counts = await asyncio.to_thread(self._counts)
        self._is_tried = counts.get("rows", 0) > 0
        if not self._is_tried and counts.get("quarantined", 0) >= REFUSED_MAX:
            raise InvalidBody(
                f"None of the first {counts['quarantined']} rows fits the data source; they are in"
                f" '{self.work.job.name}_quarantine', the rest was not loaded.",
                hint="Look there for the reasons, and at format, delimiter and columns.",
            )

    def _ahead(self) -> int:
        return sum(size for _, size in self._waiting)

    def _in_the_log(self) -> int:
        """Return how many pieces were appended: those the worker has counted, and those before it."""
        desk, job = self.work.desk, self.work.job.id
        if self.work.job.runs <= 1:
            return 0
        while True:
            position = desk.ledger.position()
            counted = self._counts().get("pieces", 0)
            if desk.ledger.position() == position:
                break
        found, at = counted, position
        while records := desk.log.read(at, max_records=_READ_RECORDS, max_bytes=_READ_BYTES):
            for record in records:
                if record.door == DOOR and _NAMED in record.meta:
                    into = _META.decode(record.meta).into
                    if into is not None and into.job == job:
                        found += 1
                        self._last = record.offset
            at = records[-1].offset + 1
        return found

    def _counts(self) -> dict[str, int]:
        work = self.work
        return kept_counts(work.kept, work.desk.ledger.job_counts(work.job.id))

    async def _settled(self) -> None:
        """Wait until the last piece is stored, and look what became of them all."""
        work = self.work
        if self._last >= 0:
            await work.stored(self._last)
        counts = await asyncio.to_thread(self._counts)
        lost = self._appended - counts.get("pieces", 0) + counts.get("lost", 0)
        if lost > 0:
            raise Conflict(
                f"{lost} of {self._appended} pieces of the file were not loaded: the data source was"
                " changed or removed meanwhile, or the log was cut. The others are in it.",
                hint="Look at the data source, and import the file again with mode=replace.",
            )


def _next(cutting: Iterator[Piece]) -> Piece | None:
    return next(cutting, None)


def _ndjson_head(sample: bytes) -> int:
    start = 3 if sample.startswith(b"\xef\xbb\xbf") else 0
    if sample[start:].lstrip()[:1] == b"[":
        raise InvalidBody(
            "The file is one JSON array; NDJSON has one object on each line.",
            hint="Send it to /v0/events?format=json, or write a line for each object.",
        )
    return start
