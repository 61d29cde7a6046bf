"""What is told to the recorder: requests, statements, operations, jobs, sizes."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

PARAMETERS_MAX: Final = 50
PARAMETER_CHARS_MAX: Final = 200


class PipeCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an endpoint or to /v0/sql, as it ended."""

    pipe: str
    """Its name; `query_api` for /v0/sql."""
    workspace: str = ""
    began_ms: int
    duration_s: float
    status: int
    token_name: str = ""
    method: str = "GET"
    url: str = ""
    """Without the token."""
    error: str = ""
    parameters: dict[str, str] = {}
    user_agent: str = ""
    request_id: str = ""
    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0


class SqlCall(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that came through the ClickHouse interface."""

    query: str
    workspace: str = ""
    began_ms: int
    duration_s: float
    error_code: int = 0
    error: str = ""
    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Something done to a data source, as it ended."""

    event_type: str
    """append, append-hfi, create, copy, replace, delete, truncate, populateview, …"""
    datasource: str
    workspace: str = ""
    result: str = "ok"
    """ok or error."""
    error: str = ""
    elapsed_s: float = 0.0
    rows: int | None = None
    rows_quarantine: int | None = None
    job_id: str = ""
    import_id: str = ""
    request_id: str = ""
    pipe: str = ""
    """The pipe that did it, for copies and views."""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    written_rows_quarantine: int = 0
    options: dict[str, str] = {}


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink wrote, as it ended."""

    pipe: str
    workspace: str = ""
    service: str = "file"
    token_name: str = ""
    result: str = "ok"
    error: str = ""
    elapsed_s: float = 0.0
    job_id: str = ""
    rows: int = 0
    byte_count: int = 0
    output: tuple[str, ...] = ()
    """Names of the files."""


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as `jobs_log` has it; times in UTC ms, 0 = not yet."""

    id: str
    kind: str
    workspace: str = ""
    pipe: str = ""
    datasource: str = ""
    created_ms: int
    updated_ms: int
    started_ms: int = 0
    status: str
    error: str = ""
    metadata: str = "{}"


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much a data source holds."""

    datasource: str
    workspace: str = ""
    rows: int = 0
    byte_count: int = 0
    rows_quarantine: int = 0
    byte_count_quarantine: int = 0


def shortened(parameters: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return the parameters of a request as they are kept: not too many, none too long."""
    found: dict[str, str] = {}
    for name, value in parameters:
        if len(found) >= PARAMETERS_MAX:
            break
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        found[name[:PARAMETER_CHARS_MAX]] = text[:PARAMETER_CHARS_MAX]
    return found
