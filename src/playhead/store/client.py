"""The store's clients: ClickHouse over HTTP, by the embedded engine's socket or a server's URL."""

from collections.abc import Mapping, Sequence

import httpx2
import zstandard

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
            settings: More settings of the engine.

        Raises:
            QueryTimeout: It took longer than its limit.
            ResultTooLarge: It crossed a limit of rows, bytes or memory.
            StoreBusy: Too many queries run and wait.
            StoreUnavailable: The store does not answer.
            QueryFailed: The engine refused it; carries the engine's code.
        """
        return rows_of(self._send(read_call(sql, params, limits, settings, self._database)))

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
        arguments = {
            "database": self._database,
            "query": f"INSERT INTO {table} ({names}) FORMAT JSONCompactEachRow",
            "insert_deduplication_token": token,
            **INSERT_SETTINGS,
        }
        headers = {}
        if self._compress:
            body = zstandard.ZstdCompressor(level=1).compress(body)
            headers["content-encoding"] = "zstd"
        self._send(Call(arguments, body, INSERT_TIMEOUT_S, headers))

    def ping(self) -> bool:
        """Return whether the store answers."""
        try:
            return self._http.get("/ping", timeout=CONNECT_TIMEOUT_S).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _send(self, call: Call) -> bytes:
        try:
            response = self._http.post("/", **call.options())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise_transport(error)
        raise_for_status(response)
        return response.content
