"""The recorder: rows about requests, operations and jobs, written once a second.

It only watches: what it cannot write it drops and counts, and no request waits for it. What it held in
memory when the process was killed is lost, which the log of events never is.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from playhead.clock import Clock
from playhead.errors import PlayheadError, StoreError, Unavailable
from playhead.observe import counter, gauge, logger
from playhead.record.entries import Export, JobRow, Operation, PipeCall, Size, SqlCall
from playhead.record.tables import Keep, make_service_tables
from playhead.store.async_client import AsyncStoreClient

__all__ = ["Export", "JobRow", "Operation", "PipeCall", "Recorder", "Size", "SqlCall"]

TEXT_CHARS_MAX: Final = 2_000
"""Longest text of a row; the rest is cut."""
AGENT_CHARS_MAX: Final = 200
OUTPUT_MAX: Final = 100
"""Most names of files of one export."""
SECONDS_MAX: Final = 10_000
"""Sums of the running second: one for each data source and format."""
BATCH_ROWS_MAX: Final = 10_000
CLOSE_S: Final = 2.0
_LOG = logger("record")
_WRITTEN = counter("records_written", "Rows about requests, operations and jobs.", ("table",))
_DROPPED = counter("records_dropped", "Such rows that could not be kept.", ("table",))
_PENDING = gauge("records_pending", "Such rows that wait to be written.")
_LINES: Final = msgspec.json.Encoder()
_COLUMNS: Final = {
    "pipe_stats_rt": (
        "start_datetime, pipe_id, pipe_name, token, token_name, duration, read_bytes, read_rows,"
        " result_rows, url, error, error_message, status_code, request_id, parameters, method,"
        " user_agent, billable, workspace_id"
    ),
    "bi_stats_rt": (
        "start_datetime, query, query_normalized, error_code, error, duration, read_rows,"
        " read_bytes, result_rows, result_bytes, workspace_id"
    ),
    "datasources_ops_log": (
        "timestamp, event_type, datasource_id, datasource_name, result, elapsed_time, error,"
        " request_id, import_id, job_id, rows, rows_quarantine, `Options.Names`, `Options.Values`,"
        " pipe_id, pipe_name, read_rows, read_bytes, written_rows, written_bytes,"
        " written_rows_quarantine, operation_id, workspace_id"
    ),
    "hfi_requests": (
        "ts, datasource_id, datasource_name, format, successful_requests, error_requests,"
        " rows_total, rows_successful, rows_quarantined, bytes, workspace_id"
    ),
    "sinks_ops_log": (
        "timestamp, service, pipe_id, pipe_name, token_name, result, error, elapsed_time, job_id,"
        " read_rows, written_rows, written_bytes, output, workspace_id"
    ),
    "jobs_log": (
        "job_id, job_type, workspace_id, pipe_id, pipe_name, created_at, updated_at, started_at,"
        " status, error, job_metadata, datasource_id, datasource_name"
    ),
    "datasources_storage": (
        "datasource_id, datasource_name, timestamp, bytes, rows, bytes_quarantine,"
        " rows_quarantine, workspace_id"
    ),
}  # fmt: skip
"""What is written of each table; the rest has its default."""


class Recorder:
    """Takes rows at once and writes them each second; `run` is a task of the web process.

    Args:
        store: Where they go.
        clock: Marks operations and seconds.
        keep: How long rows are kept.
        rows_max: Most rows that wait; what comes beyond is dropped and counted.
        every_ms: How often they are written.
    """

    def __init__(
        self,
        store: AsyncStoreClient,
        clock: Clock,
        *,
        keep: Keep | None = None,
        rows_max: int = 50_000,
        every_ms: int = 1_000,
    ) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep or Keep()
        self._rows_max = rows_max
        self._every_s = every_ms / 1000
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
        self._count = 0
        self._seconds: dict[tuple[str, str, str], list[int]] = {}
        self._minutes: dict[tuple[str, str], list[int]] = {}
        self._minute = 0
        self._held: tuple[str, str, bytes, int] | None = None
        """A batch whose writing failed: table, token, lines, rows. It goes first, as it was."""
        self._number = 0
        self._begun = f"{clock.now_ms()}"
        self._ready = False
        self.dropped = 0

    def pending(self) -> int:
        """Return how many rows wait."""
        return self._count + (self._held[3] if self._held else 0)

    def pipe(self, call: PipeCall) -> None:
        """Record a request."""
        failed = int(call.status >= 400)
        self._put("pipe_stats_rt", (
            _moment(call.began_ms), call.pipe, call.pipe, "", call.token_name, call.duration_s,
            call.read_bytes, call.read_rows, call.result_rows, call.url[:TEXT_CHARS_MAX], failed,
            call.error[:TEXT_CHARS_MAX] if failed else None, call.status, call.request_id,
            call.parameters, call.method, call.user_agent[:AGENT_CHARS_MAX], 1 - failed,
            call.workspace,
        ))  # fmt: skip

    def sql(self, call: SqlCall) -> None:
        """Record a statement of the ClickHouse interface."""
        query = call.query[:TEXT_CHARS_MAX]
        self._put("bi_stats_rt", (
            _moment(call.began_ms), query, query, call.error_code, call.error[:TEXT_CHARS_MAX],
            round(call.duration_s * 1000), call.read_rows, call.read_bytes, call.result_rows,
            call.result_bytes, call.workspace,
        ))  # fmt: skip

    def operation(self, done: Operation) -> None:
        """Record an operation on a data source."""
        self._number += 1
        self._put("datasources_ops_log", (
            _moment(self._clock.now_ms()), done.event_type, done.datasource, done.datasource,
            done.result, done.elapsed_s, done.error[:TEXT_CHARS_MAX] or None, done.request_id,
            done.import_id or None, done.job_id or None, done.rows, done.rows_quarantine,
            list(done.options), [text[:TEXT_CHARS_MAX] for text in done.options.values()],
            done.pipe, done.pipe, done.read_rows, done.read_bytes, done.written_rows,
            done.written_bytes, done.written_rows_quarantine, f"{self._begun}-{self._number}",
            done.workspace,
        ))  # fmt: skip

    def ingested(  # noqa: PLR0913 (a plain call: it is made for every request of the events API)
        self,
        datasource: str,
        *,
        format: str = "ndjson",  # noqa: A002 (the reference's own word)
        workspace: str = "",
        rows: int = 0,
        quarantined: int = 0,
        byte_count: int = 0,
        ok: bool = True,
    ) -> None:
        """Add a request of the events API to the sums of this second."""
        key = (workspace, datasource, format)
        sums = self._seconds.get(key)
        if sums is None:
            if len(self._seconds) >= SECONDS_MAX:
                self._drop("hfi_requests", 1)
                return
            sums = self._seconds[key] = [0, 0, 0, 0, 0, 0]
        sums[0 if ok else 1] += 1
        sums[2] += rows + quarantined
        sums[3] += rows
        sums[4] += quarantined
        sums[5] += byte_count

    def export(self, done: Export) -> None:
        """Record what a sink wrote."""
        self._put("sinks_ops_log", (
            _moment(self._clock.now_ms()), done.service, done.pipe, done.pipe, done.token_name,
            done.result, done.error[:TEXT_CHARS_MAX] or None, done.elapsed_s, done.job_id or None,
            done.rows, done.rows, done.byte_count, list(done.output[:OUTPUT_MAX]), done.workspace,
        ))  # fmt: skip

    def job(self, row: JobRow) -> None:
        """Record the state of a job; the newest state of a job stands for it."""
        self._put("jobs_log", (
            row.id, row.kind, row.workspace, row.pipe, row.pipe, _moment(row.created_ms),
            _moment(row.updated_ms), _moment(row.started_ms) if row.started_ms else None,
            row.status, row.error[:TEXT_CHARS_MAX] or None, row.metadata[:TEXT_CHARS_MAX],
            row.datasource, row.datasource,
        ))  # fmt: skip

    def storage(self, sizes: Iterable[Size]) -> None:
        """Record how large data sources are in this hour; the largest of an hour stays."""
        hour = self._clock.now_ms() // 3_600_000 * 3_600
        for one in sizes:
            self._put("datasources_storage", (
                one.datasource, one.datasource, hour, one.byte_count, one.rows,
                one.byte_count_quarantine, one.rows_quarantine, one.workspace,
            ))  # fmt: skip

    async def run(self) -> None:
        """Write each second, until cancelled; then what is left."""
        try:
            while True:
                await asyncio.sleep(self._every_s)
                await self.flush()
        finally:
            self._close_second()
            self._close_minute(now=True)
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self.flush()
            except TimeoutError:
                pass
            if self.pending():
                _LOG.warning("records_not_written", rows=self.pending())

    async def flush(self) -> None:
        """Write what waits; what the store does not take now stays for the next time."""
        self._close_minute()
        self._close_second()
        try:
            if not self._ready:
                await make_service_tables(self._store, self._keep)
                self._ready = True
            await self._write_held()
            for table, rows in self._rows.items():
                # What comes while these are written waits for the next second: each insert takes a
                # good part of one, so to go on until nothing waits would be to insert without end.
                for _ in range(0, len(rows), BATCH_ROWS_MAX):
                    self._hold(table, rows)
                    await self._write_held()
        except Unavailable:
            pass  # the next second, in the same order
        except PlayheadError as error:
            self._give_up(error)
        _PENDING.set(self.pending())

    def _hold(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        part = rows[:BATCH_ROWS_MAX]
        del rows[: len(part)]
        self._count -= len(part)
        self._number += 1
        token = f"record:{self._begun}:{self._number}"
        self._held = (table, token, _LINES.encode_lines(part), len(part))

    async def _write_held(self) -> None:
        if self._held is None:
            return
        table, token, lines, count = self._held
        await self._store.insert_rows(
            f"INSERT INTO tinybird.{table} ({_COLUMNS[table]}) FORMAT JSONCompactEachRow",
            lines,
            settings={"insert_deduplication_token": token},
        )
        self._held = None
        _WRITTEN.labels(table).inc(count)

    def _give_up(self, error: PlayheadError) -> None:
        """Let the batch go that the store refuses; the tables are looked at again."""
        self._ready = not isinstance(error, StoreError)
        table, _, _, count = self._held or ("", "", b"", 0)
        self._held = None
        if count:
            self._drop(table, count)
        _LOG.warning("records_refused", table=table, rows=count, reason=error.message)

    def _close_minute(self, *, now: bool = False) -> None:
        """Turn what the events API brought in the minute that ends into operations."""
        minute = self._clock.now_ms() // 60_000
        if minute == self._minute and not now:
            return
        self._minute, minutes, self._minutes = minute, self._minutes, {}
        for (workspace, datasource), (rows, quarantined) in minutes.items():
            self.operation(
                Operation(
                    event_type="append-hfi",
                    datasource=datasource,
                    workspace=workspace,
                    rows=rows,
                    rows_quarantine=quarantined,
                    written_rows=rows,
                    written_rows_quarantine=quarantined,
                )
            )

    def _close_second(self) -> None:
        """Turn the sums of the second that ends into rows."""
        if not self._seconds:
            return
        at = self._clock.now_ms() // 1000
        seconds, self._seconds = self._seconds, {}
        for (workspace, datasource, format_), sums in seconds.items():
            self._put("hfi_requests", (at, datasource, datasource, format_, *sums, workspace))
            minute = self._minutes.setdefault((workspace, datasource), [0, 0])
            minute[0] += sums[3]
            minute[1] += sums[4]

    def _put(self, table: str, row: tuple[Any, ...]) -> None:
        if self._count >= self._rows_max:
            self._drop(table, 1)
            return
        self._count += 1
        self._rows[table].append(row)

    def _drop(self, table: str, count: int) -> None:
        self.dropped += count
        _DROPPED.labels(table).inc(count)


def _moment(ms: int) -> str:
    """Return a time as the engine reads it, to the millisecond."""
    return f"{ms // 1000}.{ms % 1000:03d}"
