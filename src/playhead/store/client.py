"""The store's clients: ClickHouse over HTTP, by the embedded engine's socket or a server's URL."""

from collections.abc import Mapping, Sequence

import httpx2
import zstandard

from playhead.store import external
from playhead.store.async_client import AsyncStoreClient
from playhead.store.exchange import (
    COMMAND_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    INSERT_SETTINGS,
    INSERT_TIMEOUT_S,
    Call,
    options_of,
    raise_for_status,
    raise_transport,
    read_call,
    texts,
    transport_of,
)
from playhead.store.external import External
from playhead.store.location import Location
from playhead.store.result import Answered, Limits, Rows, rows_of
from playhead.store.schema import arriving

__all__ = ["Answered", "AsyncStoreClient", "Limits", "Rows", "StoreClient"]


class StoreClient:
    """The blocking client of worker and command line; threads may share it."""

    def __init__(
        self, location: Location, *, database: str = "playhead", connections_max: int = 8
    ) -> None:
        self._http = httpx2.Client(
            transport=transport_of(location, connections_max), **options_of(location)
        )
        self._database = database
        self._compress = not location.socket

    def rows(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> Rows:
        """Return the whole result of a query that names no FORMAT.

        Args:
            sql: The query, values as `{name:Type}`.
            params: The values: str, int, float, bool, None, datetime (as ms), lists of these.
            limits: Bounds; the store's defaults when None.
            settings: More settings of the engine. One thread reads unless these say so: worker and
                command line have time, those who ask have none.

        Raises:
            QueryTimeout: It took longer than its limit.
            ResultTooLarge: It crossed a limit of rows, bytes or memory.
            StoreBusy: Too many queries run and wait.
            StoreUnavailable: The store does not answer.
            QueryFailed: The engine refused it; carries the engine's code.
        """
        own = {"max_threads": 1, **(settings or {})}
        return rows_of(self._send(read_call(sql, params, limits, own, self._database)))

    def command(self, sql: str, *, settings: Mapping[str, object] | None = None) -> None:
        """Run a statement without a result; raises as `rows` does."""
        arguments = {"database": self._database} | texts(settings)
        self._send(Call(arguments, sql.encode(), COMMAND_TIMEOUT_S))

    def insert(self, table: str, columns: Sequence[str], body: bytes, *, token: str) -> None:
        """Insert rows as one block; the same token again adds nothing.

        Times of the tables in `schema.TIMES` are integer milliseconds.

        Args:
            table: A table of the client's database.
            columns: Their names, in the order of the values.
            body: One JSON array a line (JSONCompactEachRow), at most `store.max_insert_bytes`.
            token: Names the block; the same rows must come under the same token.

        Raises:
            PlayheadError: As `rows`. Whether rows were stored is unknown; repeat with the token.
        """
        names = ", ".join(f"`{name}`" for name in arriving(table, tuple(columns)))
        self._insert(f"INSERT INTO {table} ({names}) FORMAT JSONCompactEachRow", body, token, {})

    def insert_rows(
        self,
        sql: str,
        body: bytes,
        *,
        token: str,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Insert rows into a table of any database as one block; the same token again adds nothing.

        Args:
            sql: `INSERT INTO t (columns) FORMAT name`.
            body: Rows in that format, at most `store.max_insert_bytes`.
            token: Names the block; the same rows must come under the same token.
            settings: More settings of the engine.

        Raises:
            PlayheadError: As `rows`. Whether rows were stored is unknown; repeat with the token.
                QueryFailed with "while pushing to view" says that the table has the rows, and that
                view has not.
        """
        self._insert(sql, body, token, texts(settings))

    def insert_given(
        self,
        sql: str,
        given: External,
        *,
        token: str,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Insert what a SELECT makes of rows that come along, as one block, all or nothing.

        Args:
            sql: `INSERT INTO t (columns) SELECT … FROM given`.
            given: The rows, at most `store.max_insert_bytes`.
            token: Names the block; the same rows must come under the same token.
            settings: More settings of the engine, for reading the rows and for the SELECT.

        Raises:
            PlayheadError: As `rows`. Whether rows were stored is unknown; repeat with the token.
        """
        arguments = {
            "database": self._database,
            "query": sql,
            "insert_deduplication_token": token,
            external.STRUCTURE: given.structure,
            external.FORMAT: given.format,
            **INSERT_SETTINGS,
            **texts(settings),
        }
        body, content_type = external.body_of(given.data)
        self._send(Call(arguments, body, INSERT_TIMEOUT_S, {"content-type": content_type}))

    def ping(self) -> bool:
        """Return whether the store answers."""
        try:
            return self._http.get("/ping", timeout=CONNECT_TIMEOUT_S).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _insert(self, sql: str, body: bytes, token: str, more: Mapping[str, str]) -> None:
        arguments = {
            "database": self._database,
            "query": sql,
            "insert_deduplication_token": token,
            **INSERT_SETTINGS,
            **more,
        }
        headers = {}
        if self._compress:
            body = zstandard.ZstdCompressor(level=1).compress(body)
            headers["content-encoding"] = "zstd"
        self._send(Call(arguments, body, INSERT_TIMEOUT_S, headers))

    def _send(self, call: Call) -> bytes:
        try:
            response = self._http.post("/", **call.options())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise_transport(call, error)
        raise_for_status(response)
        return response.content
