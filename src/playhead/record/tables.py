"""The service tables as they stand in the store: engines, order, how long rows are kept.

Every table of `tinybird.*` has one column more than the reference names: the workspace its rows are of.
Whoever reads sees it taken away again, and the rows of one workspace only.
"""

from typing import Final

import msgspec

from playhead.project.services import SERVICE_DATABASES, SERVICE_TABLES, WORKSPACE
from playhead.store.async_client import AsyncStoreClient
from playhead.store.schema import DAYS_MAX

OWN: Final = "tinybird"
_DEDUPLICATION: Final = "non_replicated_deduplication_window = 1000"
_QUANTILES: Final = "quantilesTimingState(0.9, 0.95, 0.99)"


class Keep(msgspec.Struct, frozen=True):
    """How many days rows are kept."""

    requests_days: int = 7
    """Single requests: `pipe_stats_rt`, `bi_stats_rt`, `endpoint_errors`, `hfi_requests`."""
    days: int = 90
    """The rest."""


class _Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is kept. `order` follows the workspace; `types` replace those of the reference."""

    at: str
    order: str
    engine: str = "MergeTree"
    short: bool = False
    """Kept as single requests are."""
    types: dict[str, str] = {}


_SUMS: Final = dict.fromkeys(("view_count", "error_count", "read_bytes_sum", "read_rows_sum", "executions", "read_bytes", "read_rows", "written_rows", "written_bytes", "written_rows_quarantine", "written_bytes_quarantine"), "SimpleAggregateFunction(sum, UInt64)") | {"resource_tags": "SimpleAggregateFunction(groupUniqArrayArray, Array(String))"}  # fmt: skip
_MOST: Final = dict.fromkeys(
    ("bytes", "rows", "bytes_quarantine", "rows_quarantine"), "SimpleAggregateFunction(max, UInt64)"
)
_AGGREGATING: Final = "AggregatingMergeTree"
_SHAPES: Final[dict[str, _Shape]] = {
    "pipe_stats_rt": _Shape(at="start_datetime", order="pipe_name, start_datetime", short=True),
    "pipe_stats_rt_by_second": _Shape(
        at="start_datetime", order="pipe_name, pipe_id, start_datetime", short=True,
        engine=_AGGREGATING, types=_SUMS,
    ),
    "pipe_stats": _Shape(
        at="date", order="pipe_name, pipe_id, date", engine=_AGGREGATING, types=_SUMS
    ),
    "endpoint_errors": _Shape(at="start_datetime", order="start_datetime", short=True),
    "datasources_ops_log": _Shape(at="timestamp", order="timestamp"),
    "datasources_ops_stats": _Shape(
        at="event_date", order="event_date, event_type, pipe_id, pipe_name",
        engine=_AGGREGATING, types=_SUMS,
    ),
    "datasources_storage": _Shape(
        at="timestamp", order="datasource_name, datasource_id, timestamp",
        engine=_AGGREGATING, types=_MOST,
    ),
    "sinks_ops_log": _Shape(at="timestamp", order="timestamp"),
    "jobs_log": _Shape(at="created_at", order="job_id", engine="ReplacingMergeTree(updated_at)"),
    "hfi_requests": _Shape(at="ts", order="datasource_name, ts", short=True),
    "realtime_ingestion_mv": _Shape(at="timestamp", order="datasource_name, timestamp", short=True),
    "bi_stats_rt": _Shape(at="start_datetime", order="start_datetime", short=True),
}  # fmt: skip
_PLAIN: Final = _Shape(at="", order="")

_FILLS: Final = {  # the texts hold nothing but names of ours
    "pipe_stats": (
        "SELECT toDate(start_datetime) AS date, pipe_id, pipe_name, count() AS view_count,"  # noqa: S608
        " countIf(error = 1) AS error_count, avgState(duration) AS avg_duration_state,"
        f" {_QUANTILES}(duration) AS quantile_timing_state, sum(r.read_bytes) AS read_bytes_sum,"
        " sum(r.read_rows) AS read_rows_sum, groupUniqArrayArray(r.resource_tags) AS resource_tags,"
        f" {WORKSPACE} FROM tinybird.pipe_stats_rt AS r"
        f" GROUP BY date, pipe_id, pipe_name, {WORKSPACE}"
    ),
    "pipe_stats_rt_by_second": (
        "SELECT toDateTime(r.start_datetime) AS start_datetime, pipe_id, pipe_name,"  # noqa: S608
        " count() AS view_count, countIf(error = 1) AS error_count,"
        " sum(r.read_bytes) AS read_bytes_sum, sum(r.read_rows) AS read_rows_sum,"
        f" {WORKSPACE} FROM tinybird.pipe_stats_rt AS r"
        f" GROUP BY start_datetime, pipe_id, pipe_name, {WORKSPACE}"
    ),
    "endpoint_errors": (
        "SELECT start_datetime, request_id, pipe_id, pipe_name, toJSONString(parameters) AS params,"  # noqa: S608
        f" url, status_code, error_message AS error, resource_tags, {WORKSPACE}"
        " FROM tinybird.pipe_stats_rt WHERE pipe_stats_rt.error = 1"
    ),
    "datasources_ops_stats": (
        "SELECT toDate(timestamp) AS event_date, event_type, pipe_id, pipe_name,"  # noqa: S608
        " countIf(result = 'error') AS error_count, count() AS executions,"
        " avgState(elapsed_time) AS avg_elapsed_time_state,"
        f" {_QUANTILES}(elapsed_time) AS quantiles_state, sum(o.read_bytes) AS read_bytes,"
        " sum(o.read_rows) AS read_rows, sum(o.written_rows) AS written_rows,"
        " sum(o.written_bytes) AS written_bytes,"
        " sum(o.written_rows_quarantine) AS written_rows_quarantine,"
        " sum(o.written_bytes_quarantine) AS written_bytes_quarantine,"
        f" groupUniqArrayArray(o.resource_tags) AS resource_tags, {WORKSPACE}"
        " FROM tinybird.datasources_ops_log AS o"
        f" GROUP BY event_date, event_type, pipe_id, pipe_name, {WORKSPACE}"
    ),
    "realtime_ingestion_mv": (
        "SELECT ts AS timestamp, datasource_id, datasource_name, 'append-hfi' AS event_type,"  # noqa: S608
        " rows_successful AS rows, bytes, rows_quarantined AS rows_quarantine,"
        f" {WORKSPACE} FROM tinybird.hfi_requests"
    ),
}  # fmt: skip
"""What the engine works out by itself from what is recorded: table to the query of its view."""


async def make_service_tables(store: AsyncStoreClient, keep: Keep | None = None) -> None:
    """Make the service tables that are missing, and keep rows as long as `keep` says.

    Without `keep` how long rows are kept stays as it is. Tables of earlier releases, which were always
    empty, are made again.
    """
    names = ", ".join(f"'{name}'" for name in SERVICE_DATABASES)
    found = await store.rows(
        "SELECT concat(database, '.', name), engine_full, total_rows,"  # noqa: S608 (names of ours)
        f" position(create_table_query, '`{WORKSPACE}`') > 0 FROM system.tables"
        f" WHERE database IN ({names})"
    )
    there = {row[0]: row[1:] for row in found.rows}
    for database in SERVICE_DATABASES:
        if not any(name.startswith(f"{database}.") for name in there):
            await store.command(f"CREATE DATABASE IF NOT EXISTS {database} ENGINE = Atomic")
    kept = keep or Keep()
    for name in SERVICE_TABLES:
        if name not in there:
            await store.command(_create(name, kept))
        elif name.startswith(OWN) and not there[name][2]:
            if there[name][1]:
                await store.command(
                    f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {WORKSPACE} String"
                )
            else:
                await store.command(f"DROP TABLE IF EXISTS {name} SYNC")
                await store.command(_create(name, kept))
        elif keep is not None and (ttl := _ttl(name, keep)) and ttl not in there[name][0]:
            await store.command(f"ALTER TABLE {name} MODIFY {ttl}")
    for table, query in _FILLS.items():
        view = f"{OWN}.{table}_fill"
        if view not in there:
            await store.command(
                f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO {OWN}.{table} AS {query}"
            )


def _shape(name: str) -> _Shape:
    database, _, table = name.partition(".")
    return _SHAPES.get(table, _PLAIN) if database == OWN else _PLAIN


def _create(name: str, keep: Keep) -> str:
    shape = _shape(name)
    columns = [
        f"{column} {shape.types.get(column, type_)}"
        for column, type_ in (one.split(" ", 1) for one in columns_of(name))
    ]
    if name.startswith(OWN) and not any(one.startswith(f"{WORKSPACE} ") for one in columns):
        columns.append(f"{WORKSPACE} String")
    order = f"({WORKSPACE}, {shape.order})" if shape.order else "tuple()"
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)}) ENGINE = {shape.engine}"
        f" ORDER BY {order} {_ttl(name, keep)} SETTINGS {_DEDUPLICATION},"
        " allow_dimensions_outside_sorting_key = 1"
    )


def _ttl(name: str, keep: Keep) -> str:
    shape = _shape(name)
    if not shape.at:
        return ""
    days = keep.requests_days if shape.short else keep.days
    if not 0 < days <= DAYS_MAX:
        return ""
    return f"TTL toDateTime({shape.at}) + toIntervalDay({days})"


def columns_of(name: str) -> list[str]:
    """Return the columns of a service table, each as "name Type"."""
    found, depth, start = [], 0, 0
    text = SERVICE_TABLES[name]
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            found.append(text[start:at].strip())
            start = at + 1
    return [*found, text[start:].strip()]


def service_days() -> dict[str, str]:
    """Return by table the SQL of the time of a row, for those that hold rows of their own."""
    return {f"{OWN}.{table}": shape.at for table, shape in _SHAPES.items()}
