"""The embedded column store; the only module that imports chdb.

One process holds one folder. Every statement gets a connection of its own, opened with its
settings in the path and closed after it, so nothing of one query can reach the next. A running
statement is ended from outside only by `kill`: cancelling a stream from another thread deadlocks
in the engine.
"""

import fcntl
import os
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chdb.state.sqlitelike import Connection

from playhead.config import Store
from playhead.errors import ConfigInvalid, DataDirBusy, QueryFailed, StartupError
from playhead.store.external import TABLE, External
from playhead.store.fault import RESULT_LIMIT, code_of
from playhead.store.session import Session, Written
from playhead.store.statement import STREAMED, has_head, header_bytes

_ENGINE_XML = """<clickhouse>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>{cache}</mark_cache_size>
  <index_mark_cache_size>{cache}</index_mark_cache_size>
  <primary_index_cache_size>{cache}</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
  <mmap_cache_size>100</mmap_cache_size>
  <max_thread_pool_size>256</max_thread_pool_size>
  <max_thread_pool_free_size>16</max_thread_pool_free_size>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
"""
_ALWAYS = {
    "allow_introspection_functions": "0",
    "implicit_select": "0",
    # Compiled from its third time on, an expression of constants in a lambda is refused as "non
    # constant", though it ran twice. Statements get no faster by it: docs/performance.md.
    "compile_expressions": "0",
}
_NAMED = "insert_deduplication_token"
"""The setting that names an insert."""
_FAILURES_SQL = "SELECT sum(value) FROM system.errors"
_BUILT_WHOLE = {"output_format_parallel_formatting": "0"}
"""Threads for writing the text cost a short query a tenth of its time."""


class Cursor:
    """A running read: `first` is its beginning, `fetch` goes on, `close` must be called.

    `whole`: `first` is everything, and the connection is already closed.
    """

    def __init__(self, connection: Any, stream: Any, format_name: str) -> None:
        self.first = b""
        self.whole = stream is None
        self.rows_read = 0
        self.bytes_read = 0
        self._connection = connection
        self._stream = stream
        self._format = format_name

    def fetch(self) -> bytes | None:
        """Return the next bytes, or None at the end.

        Raises:
            QueryFailed: The engine ended the query.
        """
        if self.whole:
            return None
        result = _engine(self._stream.fetch)
        if result is None:
            return None
        self.rows_read, self.bytes_read = result.storage_rows_read(), result.storage_bytes_read()
        chunk = bytes(result.bytes())
        return chunk[header_bytes(chunk, self._format) :] if self.first else chunk

    def close(self) -> None:
        """End the connection; only while no `fetch` runs."""
        self._connection.close()


class Engine:
    """The folder, open."""

    def __init__(self, folder: Path, config: Store) -> None:
        self._folder = _checked(folder)
        self._config = config
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder.with_name(folder.name + ".lock"))
        settings_file = folder.with_name(folder.name + ".xml")
        settings_file.write_text(
            _ENGINE_XML.format(memory=config.max_memory_bytes, cache=config.cache_bytes)
        )
        try:
            # Kept open: the engine stops, and forgets its settings file, with its last connection.
            self._root = Connection(f"{folder}?config-file={quote(str(settings_file))}")
            self._control = Connection(str(folder))
        except RuntimeError as error:
            os.close(self._lock)
            raise StartupError(
                f"The store in {folder} cannot be opened: another program holds it or it is "
                f"damaged ({error}). Nothing was changed."
            ) from error
        self._control_lock = threading.Lock()

    def read(
        self,
        session: Session,
        sql: str,
        format_name: str,
        params: Mapping[str, str],
        external: External | None = None,
    ) -> Cursor:
        """Start a read and wait for its first bytes.

        Formats of `STREAMED` come block by block; any other is built whole. What `external` holds
        the statement reads as the table `given`.

        Raises:
            QueryFailed: The engine refused or ended it; carries the engine's code and text.
        """
        if format_name not in STREAMED:
            return self._whole(session, sql, format_name, params, external)
        connection = self._open(session, external)
        try:
            stream = _engine(connection.send_query, sql, format_name, params=dict(params))
            cursor = Cursor(connection, stream, format_name)
            cursor.first = cursor.fetch() or b""
        except BaseException:
            connection.close()
            raise
        if not cursor.first and has_head(format_name):
            # An empty stream has no header line; the same query built whole has one.
            cursor.close()
            return self._whole(session, sql, format_name, params, external)
        return cursor

    def insert(self, session: Session, sql: str, format_name: str, body: bytes) -> Written:
        """Insert data in an input format; all of it or, after an error, an unsure part.

        Raises:
            QueryFailed: The engine refused it; or the table has it and a materialized view has not.
        """
        failures = self._failures()
        connection = self._open(session)
        try:
            inserter = _engine(connection.send_insert, sql, format_name)
            if body:
                _engine(inserter.append, body)
            result = _engine(inserter.finish)
        finally:
            connection.close()
        if _NAMED in session.settings and self._failures() != failures:
            self._insist(session, sql, format_name, body)
        return Written(result.rows_written, result.bytes_written)

    def _failures(self) -> str:
        """Return how often anything failed in the engine so far."""
        with self._control_lock:
            return str(_engine(self._control.query, _FAILURES_SQL, "TabSeparated"))

    def _insist(self, session: Session, sql: str, format_name: str, body: bytes) -> None:
        """Make the engine say whether a view failed: a streamed insert keeps that to itself.

        Something failed meanwhile, here or in another query. The same statement in one piece, under
        the same token, adds nothing where the rows are, and fails as the view does.
        """
        try:
            data = body.decode()
        except UnicodeDecodeError:
            return
        connection = self._open(session)
        try:
            _engine(connection.query, f"{sql} FORMAT {format_name}\n{data}", "Null")
        finally:
            connection.close()

    def run(
        self,
        session: Session,
        sql: str,
        external: External | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Written:
        """Run a statement that has no result or a short one: DDL, INSERT … SELECT, OPTIMIZE.

        What `external` holds the statement reads as the table `given`.

        Raises:
            QueryFailed: The engine refused it.
        """
        connection = self._open(session, external)
        try:
            result = _engine(connection.query, sql, "TabSeparated", params=dict(params or {}))
            return Written(result.rows_written(), result.bytes_written(), bytes(result.bytes()))
        finally:
            connection.close()

    def kill(self, query_id: str) -> None:
        """Ask the engine to end a statement; returns at once, nothing happens if it is over."""
        condition = f"Settings['log_comment'] = '{query_id}'"
        with self._control_lock:
            _engine(self._control.query, f"KILL QUERY WHERE {condition} ASYNC", "Null")

    def close(self) -> None:
        """Release the folder; no statement may be running."""
        self._control.close()
        self._root.close()
        os.close(self._lock)

    def _whole(
        self,
        session: Session,
        sql: str,
        format_name: str,
        params: Mapping[str, str],
        external: External | None,
    ) -> Cursor:
        connection = self._open(session, external, _BUILT_WHOLE)
        try:
            result = _engine(connection.query, sql, format_name, params=dict(params))
            cursor = Cursor(connection, None, format_name)
            cursor.first = bytes(result.bytes())
            cursor.rows_read = result.storage_rows_read()
            cursor.bytes_read = result.storage_bytes_read()
        finally:
            connection.close()
        limit = int(session.settings.get("max_result_bytes", "0"))
        if limit and len(cursor.first) > limit:
            raise QueryFailed(
                f"Code: {RESULT_LIMIT}. DB::Exception: Limit for result exceeded, max bytes: "
                f"{limit}, as {format_name}: {len(cursor.first)}. (TOO_MANY_ROWS_OR_BYTES)",
                engine_code=RESULT_LIMIT,
            )
        return cursor

    def _open(
        self,
        session: Session,
        external: External | None = None,
        defaults: Mapping[str, str] = {},
    ) -> Any:
        settings = {**_ALWAYS, **defaults, **session.settings, "database": session.database}
        if session.read_only and not session.row_filters and external is None:
            settings["readonly"] = "1"
        path = "&".join([_setting(name, value) for name, value in settings.items()])
        own = f"log_comment={quote(session.query_id, safe='')}"
        connection = _engine(Connection, f"{self._folder}?{path}&{own}")
        if session.row_filters or external is not None:
            try:
                if external is not None:
                    _take_in(connection, external)
                if session.row_filters:
                    # Not in the path: conditions may hold '&', which the path cannot carry.
                    filters = f"SET additional_table_filters = {session.row_filters}"
                    _engine(connection.query, filters, "Null")
                if session.read_only:
                    _engine(connection.query, "SET readonly = 1", "Null")
            except BaseException:
                connection.close()
                raise
        return connection


@lru_cache(2_048)
def _setting(name: str, value: str) -> str:
    return f"{name}={quote(value, safe='')}"


def _take_in(connection: Any, external: External) -> None:
    """Put rows that came along into a table of the connection, which ends with it."""
    columns = external.structure
    create = f"CREATE TEMPORARY TABLE {TABLE} ({columns}) ENGINE = Memory"
    _engine(connection.query, create, "Null")
    inserter = _engine(connection.send_insert, f"INSERT INTO {TABLE}", external.format)
    if external.data:
        _engine(inserter.append, external.data)
    _engine(inserter.finish)


def _engine(call: Any, *args: Any, **named: Any) -> Any:
    """Call the engine; its failures become `QueryFailed` with the engine's own text and code."""
    try:
        return call(*args, **named)
    except RuntimeError as error:
        text = str(error)
        start = text.find("Code: ")
        text = text[start:] if start > 0 else text
        raise QueryFailed(text, engine_code=code_of(text)) from error


def _checked(folder: Path) -> Path:
    """Return the folder, if its name can stand in a connection path."""
    if any(sign in str(folder) for sign in "?&#%+"):
        raise ConfigInvalid(f"The data folder's path {folder} holds one of ? & # % +.")
    return folder


def _locked(path: Path) -> int:
    """Return a descriptor holding the folder's lock; the system frees it with the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DataDirBusy(f"Another Playhead already uses {path.parent}.") from error
    return descriptor
