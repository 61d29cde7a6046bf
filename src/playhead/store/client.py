"""The store's clients: ClickHouse over HTTP, by the embedded engine's socket or a server's URL."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, NoReturn

import httpx2
import msgspec
import zstandard

from playhead.errors import InvalidRequest, PlayheadError, QueryTimeout, StoreUnavailable
from playhead.store import external
from playhead.store.binding import bound, filters_literal
from playhead.store.fault import CODE_HEADER, TAG_HEADER, code_of, error_of
from playhead.store.location import Location
from playhead.store.result import Limits, Rows, rows_of
from playhead.store.schema import arriving
from playhead.store.unix import UnixTransport

__all__ = ["AsyncStoreClient", "Limits", "Rows", "StoreClient"]

CONNECT_TIMEOUT_S: Final = 2.0
QUEUE_AND_ANSWER_S: Final = 10.0
"""On top of the query's own limit: the wait for a slot, and the answer's way back."""
DEFAULT_QUERY_TIMEOUT_S: Final = 60.0
INSERT_TIMEOUT_S: Final = 150.0
COMMAND_TIMEOUT_S: Final = 630.0
KEEP_ALIVE_S: Final = 20.0
TAIL_BYTES: Final = 16_384
"""How much of a stream's end is looked at for the engine's last words when it is cut."""
INSERT_SETTINGS: Final = {
    "async_insert": "0",
    "insert_deduplicate": "1",
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    # One block an insert: a repeated insert is recognised only if it is cut the same way.
    "max_insert_block_size": "1000000",
    "min_insert_block_size_rows": "1000000",
    "min_insert_block_size_bytes": "1073741824",
    "max_insert_threads": "1",
    "input_format_parallel_parsing": "0",
    "max_partitions_per_insert_block": "2000",
    "input_format_json_read_objects_as_strings": "1",
    "input_format_null_as_default": "1",
}
_READ_SETTINGS: Final = {
    "readonly": "1",
    "default_format": "JSONCompact",
    "output_format_json_quote_64bit_integers": "0",
    "wait_end_of_query": "1",
}
_LAST_WORDS: Final = re.compile(
    rb"__exception__\r\n([\w-]+)\r\n(.*?)\r\n\d+ \1\r\n__exception__", re.DOTALL
)
_TOO_LONG = "The query's values and filters are longer than a URL may be (64 KiB)."


class _Call(msgspec.Struct, frozen=True):
    """One request, the same for both clients."""

    arguments: dict[str, str]
    content: bytes
    timeout_s: float
    headers: dict[str, str] = {}

    def options(self) -> dict[str, Any]:
        """Return the arguments of the HTTP client's `post` and `stream`."""
        return {
            "params": self.arguments,
            "content": self.content,
            "headers": self.headers,
            "timeout": httpx2.Timeout(self.timeout_s, connect=CONNECT_TIMEOUT_S),
        }


class StoreClient:
    """The blocking client of worker and command line; threads may share it."""

    def __init__(
        self, location: Location, *, database: str = "playhead", connections_max: int = 8
    ) -> None:
        self._http = httpx2.Client(
            transport=_transport(location, connections_max), **_options(location)
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
        return rows_of(self._send(_read(sql, params, limits, settings, self._database)))

    def command(self, sql: str, *, settings: Mapping[str, object] | None = None) -> None:
        """Run a statement without a result; raises as `rows` does."""
        arguments = {"database": self._database} | _texts(settings)
        self._send(_Call(arguments, sql.encode(), COMMAND_TIMEOUT_S))

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
        self._send(_Call(arguments, body, INSERT_TIMEOUT_S, headers))

    def ping(self) -> bool:
        """Return whether the store answers."""
        try:
            return self._http.get("/ping", timeout=CONNECT_TIMEOUT_S).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _send(self, call: _Call) -> bytes:
        try:
            response = self._http.post("/", **call.options())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            _raise_transport(error)
        _raise_for_status(response)
        return response.content


class AsyncStoreClient:
    """The client of the web process. Cancelling a call, or leaving a stream, ends the query."""

    def __init__(
        self, location: Location, *, database: str = "playhead", connections_max: int = 64
    ) -> None:
        self._http = httpx2.AsyncClient(
            transport=_async_transport(location, connections_max), **_options(location)
        )
        self._database = database

    async def rows(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> Rows:
        """Return the whole result of a query; arguments and errors as `StoreClient.rows`."""
        call = _read(sql, params, limits, settings, self._database)
        try:
            response = await self._http.post("/", **call.options())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            _raise_transport(error)
        _raise_for_status(response)
        return rows_of(response.content)

    async def stream(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        format: str = "JSONEachRow",  # noqa: A002 (the engine's own word)
        limits: Limits | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield a result as text in a format of the engine, as it is computed.

        What fails before the first byte raises before it; what fails later raises after bytes
        were yielded: then the result is not complete. Close the iterator when leaving early.

        Raises:
            PlayheadError: As `StoreClient.rows`.
        """
        extra = {"default_format": format, "wait_end_of_query": "0", **_texts(settings)}
        call = _read(sql, params, limits, extra, self._database)
        tail = b""
        tag = ""
        try:
            async with self._http.stream("POST", "/", **call.options()) as response:
                if response.status_code != httpx2.codes.OK:
                    await response.aread()
                    _raise_for_status(response)
                tag = response.headers.get(TAG_HEADER, "")
                mark = f"\r\n__exception__\r\n{tag}".encode()
                async for chunk in response.aiter_bytes():
                    tail = tail[-TAIL_BYTES:] + chunk[-TAIL_BYTES:]
                    text = chunk.partition(mark)[0] if tag and mark in chunk else chunk
                    if text:
                        yield text
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            last = _LAST_WORDS.search(tail) if tag else None
            if last and last[1] == tag.encode():
                words = last[2].decode("utf-8", "replace")
                raise error_of(code_of(words), words) from error
            _raise_transport(error)

    async def converted(
        self,
        rows: bytes,
        structure: str,
        *,
        format: str,  # noqa: A002 (the engine's own word)
        limits: Limits | None = None,
    ) -> bytes:
        """Return rows that are not in the store in a format of the engine, built whole.

        Args:
            rows: One JSON object a line; a column that is missing in one is NULL or empty there.
            structure: The columns, as "`name` Type, `name` Type": the rows' values in this order.
            format: A format of the engine.
            limits: Bounds; the store's defaults when None.

        Raises:
            PlayheadError: As `rows`.
        """
        extra = {
            "default_format": format,
            external.STRUCTURE: structure,
            external.FORMAT: "JSONEachRow",
            "query": f"SELECT * FROM {external.TABLE}",  # noqa: S608 (a name of ours)
            "date_time_input_format": "best_effort",
        }
        call = _read("", None, limits, extra, self._database)
        body, content_type = external.body_of(rows)
        call = msgspec.structs.replace(call, content=body, headers={"content-type": content_type})
        try:
            response = await self._http.post("/", **call.options())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            _raise_transport(error)
        _raise_for_status(response)
        return response.content

    async def ping(self) -> bool:
        """Return whether the store answers."""
        try:
            response = await self._http.get("/ping", timeout=CONNECT_TIMEOUT_S)
        except httpx2.HTTPError:
            return False
        return response.status_code == httpx2.codes.OK

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()


def _transport(location: Location, connections_max: int) -> httpx2.HTTPTransport:
    if location.socket:
        return UnixTransport(location.socket, _pool(connections_max))
    return httpx2.HTTPTransport(limits=_pool(connections_max))


def _async_transport(location: Location, connections_max: int) -> httpx2.AsyncHTTPTransport:
    limits = _pool(connections_max)
    if location.socket:
        # No TLS over a socket: reading the machine's certificates would only cost time.
        return httpx2.AsyncHTTPTransport(
            uds=location.socket, limits=limits, verify=False, trust_env=False
        )
    return httpx2.AsyncHTTPTransport(limits=limits)


def _pool(connections_max: int) -> httpx2.Limits:
    return httpx2.Limits(
        max_connections=connections_max,
        max_keepalive_connections=connections_max,
        keepalive_expiry=KEEP_ALIVE_S,
    )


def _options(location: Location) -> dict[str, Any]:
    headers = {"user-agent": "playhead"}
    if location.user:
        headers["x-clickhouse-user"] = location.user
        headers["x-clickhouse-key"] = location.password
    base_url = location.url or "http://store"
    return {"base_url": base_url, "headers": headers, "trust_env": False}


def _read(
    sql: str,
    params: Mapping[str, object] | None,
    limits: Limits | None,
    settings: Mapping[str, object] | None,
    database: str,
) -> _Call:
    limits = limits or Limits()
    arguments = {"database": database, **_READ_SETTINGS}
    for name, value in (
        ("max_execution_time", limits.timeout_ms / 1000),
        ("max_result_rows", limits.max_result_rows),
        ("max_result_bytes", limits.max_result_bytes),
        ("max_rows_to_read", limits.max_rows_to_read),
        ("max_memory_usage", limits.max_memory_bytes),
    ):
        if value:
            arguments[name] = str(value)
    if limits.row_filters:
        arguments["additional_table_filters"] = filters_literal(limits.row_filters)
    arguments |= _texts(settings)
    for name, given in (params or {}).items():
        arguments[f"param_{name}"] = bound(given)
    timeout_s = limits.timeout_ms / 1000 or DEFAULT_QUERY_TIMEOUT_S
    return _Call(arguments, sql.encode(), timeout_s + QUEUE_AND_ANSWER_S)


def _texts(settings: Mapping[str, object] | None) -> dict[str, str]:
    return {name: bound(value) for name, value in (settings or {}).items()}


def _raise_for_status(response: httpx2.Response) -> None:
    code = response.headers.get(CODE_HEADER, "")
    if response.status_code == httpx2.codes.OK and not code:
        return
    text = response.text
    retry_after = response.headers.get("retry-after", "")
    raise error_of(
        int(code) if code.isdigit() else code_of(text),
        text,
        status=response.status_code,
        retry_after_s=int(retry_after) if retry_after.isdigit() else 1,
    )


def _raise_transport(error: httpx2.HTTPError | httpx2.InvalidURL) -> NoReturn:
    """Raise what a broken exchange means to the caller."""
    found: PlayheadError
    if isinstance(error, httpx2.InvalidURL):
        found = InvalidRequest(_TOO_LONG)
    elif isinstance(error, httpx2.TimeoutException) and not isinstance(
        error, httpx2.ConnectTimeout | httpx2.PoolTimeout
    ):
        found = QueryTimeout("The store gave no answer in the query's time; it was given up.")
    else:
        found = StoreUnavailable()
    raise found from error
