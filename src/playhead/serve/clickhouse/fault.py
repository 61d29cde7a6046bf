"""Errors as ClickHouse says them: a number, a sentence, a name."""

from typing import Final

from starlette.responses import Response

from playhead.errors import (
    BodyTimeout,
    BodyTooLarge,
    Forbidden,
    InvalidBody,
    InvalidRequest,
    NotFound,
    PlayheadError,
    QueryFailed,
    QueryRefused,
    QueryTimeout,
    RateLimited,
    ResultTooLarge,
    StoreBusy,
    StoreUnavailable,
    Unauthenticated,
    Unavailable,
)

NAMES: Final = {
    36: "BAD_ARGUMENTS", 46: "UNKNOWN_FUNCTION", 60: "UNKNOWN_TABLE", 62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT", 81: "UNKNOWN_DATABASE", 159: "TIMEOUT_EXCEEDED", 164: "READONLY",
    201: "QUOTA_EXCEEDED", 202: "TOO_MANY_SIMULTANEOUS_QUERIES", 210: "NETWORK_ERROR",
    396: "TOO_MANY_ROWS_OR_BYTES", 497: "ACCESS_DENIED", 516: "AUTHENTICATION_FAILED",
    1002: "UNKNOWN_EXCEPTION",
}  # fmt: skip
_STATUS: Final = {
    60: 404, 81: 404, 159: 408, 164: 403, 201: 429, 202: 503, 210: 503, 396: 413, 497: 403,
    516: 403, 1002: 500,
}  # fmt: skip
_BY_CLASS: Final[tuple[tuple[type[PlayheadError], int], ...]] = (
    (Unauthenticated, 516), (Forbidden, 497), (QueryTimeout, 159), (ResultTooLarge, 396),
    (RateLimited, 201), (StoreBusy, 202), (StoreUnavailable, 210), (Unavailable, 202),
    (NotFound, 60), (InvalidBody, 36), (BodyTooLarge, 36), (BodyTimeout, 36),
    (InvalidRequest, 36),
)  # fmt: skip
_BY_WORDS: Final = (
    ("Syntax error", 62), ("The query is empty", 62), ("Only one statement", 62),
    ("There is no table", 60), ("There is no data source", 60), ("There is no function", 46),
    ("Only SELECT", 164), ("This interface only reads", 164), ("There is no database", 81),
    ("FORMAT ", 73), ("The query cannot be read", 62),
)  # fmt: skip


def code_of(error: PlayheadError) -> int:
    """Return the number ClickHouse has for an error."""
    if isinstance(error, QueryFailed):
        return error.engine_code or 1002
    cause = error.__cause__
    if isinstance(cause, QueryFailed) and cause.engine_code:
        return cause.engine_code
    if isinstance(error, QueryRefused):
        said = error.message
        return next((code for words, code in _BY_WORDS if said.startswith(words)), 497)
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), 1002)


def fault(error: PlayheadError, version: str, headers: dict[str, str]) -> Response:
    """Return an error as an answer."""
    code = code_of(error)
    name = NAMES.get(code, "")
    said = error.message.rstrip()
    if error.hint and error.hint not in said:
        said = f"{said} {error.hint}"
    named = "" if not name or f"({name})" in said else f" ({name})"
    text = f"Code: {code}. DB::Exception: {said}{named} (version {version})\n"
    more = {"x-clickhouse-exception-code": str(code), "cache-control": "no-store"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        more["retry-after"] = str(retry_after_s)
    return Response(
        text, status_code=_STATUS.get(code, 400 if error.status < 500 else 500),
        media_type="text/plain", headers={**headers, **more},
    )  # fmt: skip
