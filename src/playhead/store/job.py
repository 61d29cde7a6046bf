"""One HTTP request to the store, understood: the statement, its data, its settings and limits."""

import asyncio
import copy
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from playhead.config import Config
from playhead.errors import QueryFailed
from playhead.store import external
from playhead.store.external import External, external_of
from playhead.store.form import fields_of, is_form
from playhead.store.session import Session
from playhead.store.statement import Lane, format_of, lane_of, split_body

REMEMBERED_ADDRESSES: Final = 512
REMEMBERED_BYTES: Final = 2_048
"""Only shorter addresses are remembered: values that differ make the long ones."""
IDS_AT_ONCE: Final = 256
"""Asking the system lets another thread have Python's lock, so it is not done for each request."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_QUERY_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_VALUE: Final = re.compile(r"[A-Za-z0-9_.,:/@ +=-]{0,300}")
_IGNORED: Final = frozenset({
    "user", "password", "quota_key", "role", "session_id", "session_check", "session_timeout",
    "compress", "decompress", "buffer_size", "wait_end_of_query", "enable_http_compression",
    "http_write_exception_in_output_format", "send_progress_in_http_headers", "stacktrace",
    "client_protocol_version", "http_headers_progress_interval_ms",
    "cancel_http_readonly_queries_on_client_close", "log_comment",
})  # fmt: skip
_ALLOWED: Final = frozenset({
    "max_execution_time", "max_result_rows", "max_result_bytes", "max_rows_to_read",
    "max_bytes_to_read", "max_memory_usage", "max_threads", "max_block_size", "readonly",
    "result_overflow_mode", "read_overflow_mode", "timeout_overflow_mode", "limit", "offset",
    "async_insert", "wait_for_async_insert", "insert_deduplicate", "insert_deduplication_token",
    "deduplicate_blocks_in_dependent_materialized_views", "max_insert_block_size",
    "min_insert_block_size_rows", "min_insert_block_size_bytes", "max_insert_threads",
    "max_partitions_per_insert_block", "optimize_on_insert", "mutations_sync", "alter_sync",
    "optimize_throw_if_noop", "final", "do_not_merge_across_partitions_select_final",
    "optimize_move_to_prewhere", "optimize_move_to_prewhere_if_final", "join_use_nulls",
    "extremes", "session_timezone", "use_query_cache", "query_cache_ttl", "prefer_column_name_to_alias",
    "max_ast_depth", "max_ast_elements", "max_query_size", "max_expanded_ast_elements",
    "aggregate_functions_null_for_empty", "max_rows_to_group_by", "group_by_overflow_mode",
    "max_bytes_before_external_group_by", "max_bytes_before_external_sort", "priority",
    "allow_suspicious_types_in_group_by", "allow_suspicious_types_in_order_by",
    "joined_subquery_requires_alias", "cast_string_to_date_time_mode", "join_algorithm",
    "max_columns_to_read", "optimize_aggregation_in_order", "max_subquery_depth",
    "flatten_nested", "short_circuit_function_evaluation", "materialize_ttl_after_modify",
    "use_skip_indexes", "use_partition_pruning", "use_primary_key", "use_statistics",
    "use_statistics_for_part_pruning",
    "use_query_condition_cache", "enable_join_runtime_filters", "optimize_use_projections",
    "compile_expressions", "compile_aggregate_expressions", "compile_sort_description",
    "optimize_use_implicit_projections", "type_json_skip_duplicated_paths",
})  # fmt: skip
_ALLOWED_PREFIXES: Final = (
    "input_format_",
    "output_format_",
    "format_",
    "date_time_",
    "allow_experimental_",
    "allow_suspicious_",
)


class Job:
    """A statement from its arrival to its end, with the flag that ends it early."""

    def __init__(self, session: Session, arguments: "Arguments", lane: Lane, sql: str) -> None:
        self.session = session
        self.params = arguments.params
        self.compress = arguments.compress
        self.timeout_ms = arguments.timeout_ms
        self.lane = lane
        self.sql = sql
        self.data = b""
        self.external: External | None = None
        """Rows that came along, for a read or an INSERT … SELECT."""
        self.format = format_of(sql, arguments.default_format)
        self.reason = ""
        """Why it was ended from outside: gone, timeout, stopping; "" = it was not."""
        self.on_stop: Callable[[], object] | None = None
        """Called once, at the first `stop`."""
        self.done = asyncio.Event()
        self.answering = False
        """Response headers are sent: an error can only cut the connection."""
        self.sending = False
        """Waits for the client to take bytes; the engine is idle."""
        self.work: asyncio.Task[Any] | None = None
        self.given_up = False
        """Its work was cancelled, because the client of a stopped job takes no bytes."""

    def stop(self, reason: str) -> None:
        """Ask for the end of the job; the first reason counts."""
        if not self.reason:
            self.reason = reason
            if self.on_stop is not None:
                self.on_stop()


class Arguments:
    """The URL's arguments, sorted into what they are."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.params: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.row_filters = ""
        self.query = ""
        self.structure = ""
        self.structure_format = ""
        self.content_type = ""
        self.query_id = ""
        self.timeout_ms = 0
        self.compress = False
        self.database = ""
        self.default_format = ""
        for name, value in pairs:
            self._take(name, value)

    def take_fields(self, fields: Mapping[str, str]) -> None:
        """Take what came as a form: the statement and its values."""
        for name, value in fields.items():
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        if name.startswith("param_"):
            self.params[name.removeprefix("param_")] = value
        elif name == external.STRUCTURE:
            self.structure = value
        elif name == external.FORMAT:
            self.structure_format = _matching(_NAME, value, name)
        elif name == "query":
            self.query = value
        elif name == "database":
            self.database = _matching(_NAME, value or "default", "database")
        elif name == "default_format":
            self.default_format = _matching(_NAME, value, name)
        elif name == "query_id":
            self.query_id = _matching(_QUERY_ID, value, name) if value else self.query_id
        elif name == "additional_table_filters":
            self.row_filters = value
        elif name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES):
            self.settings[name] = _matching(_VALUE, value, name)
        elif name not in _IGNORED:
            raise refused(
                115, f"Setting {name!r} is unknown or may not be set here", "UNKNOWN_SETTING"
            )


def arguments_of(query_string: bytes, headers: Mapping[str, str]) -> Arguments:
    """Return the arguments of a request; those of an address seen before are taken from memory.

    Raises:
        QueryFailed: A setting that is unknown, or a value that is not allowed.
    """
    read = _read if len(query_string) <= REMEMBERED_BYTES else _read.__wrapped__
    made = copy.copy(read(query_string))
    made.params, made.settings = dict(made.params), dict(made.settings)
    made.content_type = headers.get("content-type", "")
    made.query_id = made.query_id or next(_IDS)
    made.database = made.database or headers.get("x-clickhouse-database") or "default"
    made.default_format = (
        made.default_format or headers.get("x-clickhouse-format") or "TabSeparated"
    )
    return made


def _ids() -> Iterator[str]:
    """Yield ids nobody can guess: they also mark where an error in an answer begins."""
    while True:
        digits = os.urandom(16 * IDS_AT_ONCE).hex()
        for start in range(0, len(digits), 32):
            yield digits[start : start + 32]


_IDS: Final = _ids()


@lru_cache(REMEMBERED_ADDRESSES)
def _read(query_string: bytes) -> Arguments:
    return Arguments(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))


def job_of(arguments: Arguments, body: bytes, config: Config, *, writable: bool) -> Job:
    """Return the job of a request.

    Args:
        arguments: The URL's arguments.
        body: The body, decompressed.
        config: Its store and query sections fill in limits the request leaves open.
        writable: False for GET, which only reads.

    Raises:
        QueryFailed: No statement, or one longer than `store.max_query_bytes`.
    """
    if is_form(arguments.content_type) and not arguments.structure:
        arguments.take_fields(fields_of(body, arguments.content_type))
        body = b""
    sql, data = (arguments.query, body) if arguments.query else split_body(body)
    lane = lane_of(sql)
    given = None
    if arguments.structure and arguments.query and lane is not Lane.COMMAND:
        kind = arguments.structure_format or "JSONEachRow"
        given = external_of(arguments.structure, kind, body, arguments.content_type)
        data = b""
    if data and lane is not Lane.INSERT:
        # As ClickHouse does: the statement is the argument and the body, one after the other.
        sql, data = f"{sql}\n{data.decode('utf-8', 'replace')}", b""
    if not sql.strip():
        raise refused(62, "Empty query", "SYNTAX_ERROR")
    if len(sql) > config.store.max_query_bytes:
        raise refused(62, f"Max query size exceeded: {len(sql)} characters", "SYNTAX_ERROR")
    settings = _defaults(lane, config) | arguments.settings
    read_only = lane is Lane.READ or not writable or settings.get("readonly", "0") != "0"
    settings.pop("readonly", None)
    arguments.timeout_ms = _timeout_ms(lane, settings, config)
    _cap_memory(settings, config)
    session = Session(
        query_id=arguments.query_id,
        database=arguments.database,
        settings=settings,
        row_filters=arguments.row_filters,
        read_only=read_only,
    )
    job = Job(session, arguments, lane, sql)
    job.data = data
    job.external = given
    return job


def refused(code: int, sentence: str, name: str) -> QueryFailed:
    """Return an error in the engine's own words."""
    return QueryFailed(f"Code: {code}. DB::Exception: {sentence}. ({name})", engine_code=code)


def _defaults(lane: Lane, config: Config) -> dict[str, str]:
    settings: dict[str, Any] = {"max_threads": config.store.max_threads}
    if lane is Lane.READ:
        settings |= {
            # The engine would keep 1 GiB free for each thread, so `store.max_memory_bytes` as it is
            # by default left one. `max_memory_usage` and `max_server_memory_usage` bound all of it.
            "max_threads_min_free_memory_per_thread": 0,
            "max_execution_time": config.query.timeout_ms / 1000,
            "max_result_bytes": config.query.max_result_bytes,
        }
    settings["max_memory_usage"] = config.store.max_query_memory_bytes
    return {name: str(value) for name, value in settings.items()}


def _timeout_ms(lane: Lane, settings: Mapping[str, str], config: Config) -> int:
    try:
        asked_ms = round(float(settings.get("max_execution_time", "0")) * 1000)
    except (ValueError, OverflowError):
        raise refused(36, "max_execution_time is no number of seconds", "BAD_ARGUMENTS") from None
    fallback_ms = {
        Lane.READ: config.query.timeout_ms,
        Lane.INSERT: config.store.insert_timeout_ms,
        Lane.COMMAND: config.store.command_timeout_ms,
    }
    return asked_ms if asked_ms > 0 else fallback_ms[lane]


def _cap_memory(settings: dict[str, str], config: Config) -> None:
    limit = config.store.max_query_memory_bytes
    asked = settings.get("max_memory_usage", "0")
    if not asked.isdigit() or not 0 < int(asked) <= limit:
        settings["max_memory_usage"] = str(limit)


def _matching(pattern: re.Pattern[str], value: str, name: str) -> str:
    if not pattern.fullmatch(value):
        raise refused(36, f"The value of {name!r} is not allowed here", "BAD_ARGUMENTS")
    return value
