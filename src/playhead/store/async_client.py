"""The store's client of the web process and of builds; cancelling a call ends its query."""

import re
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import httpx2
import msgspec

from playhead.store import external
from playhead.store.binding import bound
from playhead.store.exchange import (
    COMMAND_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    INSERT_SETTINGS,
    INSERT_TIMEOUT_S,
    KEEP_ALIVE_S,
    Call,
    async_transport_of,
    options_of,
    raise_for_status,
    raise_transport,
    read_call,
    texts,
)
from playhead.store.fault import SUMMARY_HEADER, TAG_HEADER, code_of, error_of
from playhead.store.location import Location
from playhead.store.result import Answered, Limits, Rows, answered_of, rows_of
from playhead.store.wire import Reply, Wire

TAIL_BYTES: Final = 16_384
"""How much of a stream's end is looked at for the engine's last words when it is cut."""
_LAST_WORDS: Final = re.compile(
    rb"__exception__\r\n([\w-]+)\r\n(.*?)\r\n\d+ \1\r\n__exception__", re.DOTALL
)


class AsyncStoreClient:
    """The client of the web process. Cancelling a call, or leaving a stream, ends the query."""

    def __init__(
        self, location: Location, *, database: str = "playhead", connections_max: int = 64
    ) -> None:
        self._http = httpx2.AsyncClient(
            transport=async_transport_of(location, connections_max), **options_of(location)
        )
        self._wire = (
            Wire(location.socket, connections_max=connections_max, keep_s=KEEP_ALIVE_S)
            if location.socket
            else None
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
        call = read_call(sql, params, limits, settings, self._database)
        return rows_of((await self._post(call)).content)

    async def answer(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        format: str,  # noqa: A002 (the engine's own word)
        limits: Limits | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> Answered:
        """Return the whole result of a query as text of a format of the engine.

        Raises:
            PlayheadError: As `StoreClient.rows`.
        """
        extra = {"default_format": format, **texts(settings)}
        call = read_call(sql, params, limits, extra, self._database)
        began_s = time.perf_counter()
        response = await self._post(call)
        return answered_of(
            response.content,
            response.headers.get("content-type", ""),
            response.headers.get(SUMMARY_HEADER, ""),
            took_s=time.perf_counter() - began_s,
        )

    async def command(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Run a statement without a result; raises as `StoreClient.rows` does."""
        values = {f"param_{name}": bound(given) for name, given in (params or {}).items()}
        arguments = {"database": self._database} | texts(settings) | values
        await self._post(Call(arguments, sql.encode(), COMMAND_TIMEOUT_S))

    async def insert_rows(
        self, sql: str, body: bytes, *, settings: Mapping[str, object] | None = None
    ) -> None:
        """Insert data as one block; without a token the same data again are stored again.

        Args:
            sql: `INSERT INTO t (columns) FORMAT name`.
            body: Data in that format, at most `store.max_insert_bytes`.
            settings: More settings of the engine.

        Raises:
            PlayheadError: As `StoreClient.rows`. Whether rows were stored is unknown then.
        """
        arguments = {"database": self._database, "query": sql, **INSERT_SETTINGS} | texts(settings)
        await self._post(Call(arguments, body, INSERT_TIMEOUT_S))

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
        extra = {"default_format": format, "wait_end_of_query": "0", **texts(settings)}
        call = read_call(sql, params, limits, extra, self._database)
        tail = b""
        tag = ""
        try:
            async with self._http.stream("POST", "/", **call.options()) as response:
                if response.status_code != httpx2.codes.OK:
                    await response.aread()
                    raise_for_status(response)
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
            raise_transport(call, error)

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
        call = read_call("", None, limits, extra, self._database)
        body, content_type = external.body_of(rows)
        call = msgspec.structs.replace(call, content=body, headers={"content-type": content_type})
        return (await self._post(call)).content

    async def _post(self, call: Call) -> httpx2.Response | Reply:
        response: httpx2.Response | Reply
        try:
            if self._wire is None:
                response = await self._http.post("/", **call.options())
            else:
                response = await self._wire.post(
                    call.arguments,
                    call.content,
                    call.headers,
                    timeout_s=call.timeout_s,
                    connect_s=CONNECT_TIMEOUT_S,
                )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise_transport(call, error)
        raise_for_status(response)
        return response

    async def ping(self) -> bool:
        """Return whether the store answers."""
        try:
            response = await self._http.get("/ping", timeout=CONNECT_TIMEOUT_S)
        except httpx2.HTTPError:
            return False
        return response.status_code == httpx2.codes.OK

    async def close(self) -> None:
        """Close its connections."""
        if self._wire is not None:
            await self._wire.close()
        await self._http.aclose()
