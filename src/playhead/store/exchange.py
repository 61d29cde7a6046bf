"""One exchange with the store: what is sent, over which transport, and what its answer means."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import httpx2
import msgspec

from playhead.errors import InvalidRequest, PlayheadError, QueryTimeout, StoreUnavailable
from playhead.store.binding import bound, filters_literal
from playhead.store.fault import CODE_HEADER, code_of, error_of
from playhead.store.form import form_of
from playhead.store.location import Location
from playhead.store.result import Limits
from playhead.store.unix import UnixTransport
from playhead.store.wire import Reply

CONNECT_TIMEOUT_S: Final = 2.0
QUEUE_AND_ANSWER_S: Final = 10.0
"""On top of the query's own limit: the wait for a slot, and the answer's way back."""
DEFAULT_QUERY_TIMEOUT_S: Final = 60.0
INSERT_TIMEOUT_S: Final = 150.0
COMMAND_TIMEOUT_S: Final = 630.0
KEEP_ALIVE_S: Final = 20.0
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
    # A column of text may hold any bytes; JSON may not. What is no UTF-8 is written as U+FFFD.
    "output_format_json_validate_utf8": "1",
    "wait_end_of_query": "1",
}
LONG_PARAMS_CHARS: Final = 8_192
"""Longer values go as a form: an address has a limit of 64 KiB, and is longer than what it says."""
_TOO_LONG = "The query's values and filters are longer than a URL may be (64 KiB)."


class Call(msgspec.Struct, frozen=True):
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


def transport_of(location: Location, connections_max: int) -> httpx2.HTTPTransport:
    """Return the transport of the blocking client."""
    if location.socket:
        return UnixTransport(location.socket, _pool(connections_max))
    return httpx2.HTTPTransport(limits=_pool(connections_max))


def async_transport_of(location: Location, connections_max: int) -> httpx2.AsyncHTTPTransport:
    """Return the transport of the asynchronous client."""
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


def options_of(location: Location) -> dict[str, Any]:
    """Return the arguments of an HTTP client: address, user, no proxy of the environment."""
    headers = {"user-agent": "playhead"}
    if location.user:
        headers["x-clickhouse-user"] = location.user
        headers["x-clickhouse-key"] = location.password
    base_url = location.url or "http://store"
    return {"base_url": base_url, "headers": headers, "trust_env": False}


def read_call(
    sql: str,
    params: Mapping[str, object] | None,
    limits: Limits | None,
    settings: Mapping[str, object] | None,
    database: str,
) -> Call:
    """Return the request of a query; values that are long go as a form."""
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
    arguments |= texts(settings)
    values = {f"param_{name}": bound(given) for name, given in (params or {}).items()}
    timeout_s = (limits.timeout_ms / 1000 or DEFAULT_QUERY_TIMEOUT_S) + QUEUE_AND_ANSWER_S
    if sum(map(len, values.values())) > LONG_PARAMS_CHARS:
        body, content_type = form_of({"query": sql, **values})
        return Call(arguments, body, timeout_s, {"content-type": content_type})
    return Call(arguments | values, sql.encode(), timeout_s)


def texts(settings: Mapping[str, object] | None) -> dict[str, str]:
    """Return settings as arguments of an address."""
    return {name: bound(value) for name, value in (settings or {}).items()}


def raise_for_status(response: httpx2.Response | Reply) -> None:
    """Raise the error an answer of the store stands for, if it does."""
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


def raise_transport(call: Call, error: httpx2.HTTPError | httpx2.InvalidURL) -> NoReturn:
    """Raise what a broken exchange means to the caller.

    A query with a limit is ended by the engine itself: where nothing comes back long after that limit,
    it is the store that does not answer, and the question is not at fault.
    """
    found: PlayheadError
    if isinstance(error, httpx2.InvalidURL):
        found = InvalidRequest(_TOO_LONG)
    elif isinstance(error, httpx2.TimeoutException) and not isinstance(
        error, httpx2.ConnectTimeout | httpx2.PoolTimeout
    ):
        if call.arguments.get("max_execution_time"):
            found = StoreUnavailable(f"The store did not answer within {call.timeout_s:.0f} s.")
        else:
            found = QueryTimeout("The store gave no answer in the query's time; it was given up.")
    else:
        found = StoreUnavailable()
    raise found from error
