"""Every error Playhead raises, one tree.

PlayheadError
├── RequestError                 the caller can mend it
│   ├── InvalidRequest           400 invalid_request
│   │   ├── TemplateInvalid      400 template_invalid    template/rendering.py
│   │   ├── TemplateRefused      400 template_refused    template/rendering.py
│   │   └── CustomRefusal        400 custom_refusal      template/rendering.py
│   ├── InvalidBody              400 invalid_body
│   ├── ProjectInvalid           400 project_invalid
│   │   └── Unreadable           400 file_unreadable
│   ├── QueryRefused             400 query_refused
│   ├── Unauthenticated          401 unauthenticated
│   ├── Forbidden                403 forbidden
│   ├── NotFound                 404 not_found
│   ├── MethodNotAllowed         405 method_not_allowed
│   ├── QueryTimeout             408 query_timeout
│   ├── BodyTimeout              408 body_timeout
│   ├── Conflict                 409 conflict
│   ├── DoorClosed               410 door_closed
│   ├── BodyTooLarge             413 body_too_large
│   ├── ResultTooLarge           413 result_too_large
│   ├── RateLimited              429 rate_limited
│   └── HeadTooLarge             431 head_too_large
├── Unavailable                  the same call works later; carries `retry_after_s`
│   ├── QueueFull                503 queue_full
│   ├── DiskLow                  503 disk_low
│   ├── LogUnavailable           503 log_unavailable
│   ├── RowsUnsettled            503 rows_unsettled
│   ├── ListenersFull            503 listeners_full
│   ├── StoreBusy                503 store_busy
│   └── StoreUnavailable         503 store_unavailable
├── StoreError                   the engine refused or failed; carries `engine_code`
│   └── QueryFailed              500 query_failed
├── BucketRefused                502 bucket_refused
├── BackupDamaged                500 backup_damaged
├── LogError                     the log on disk is not what it should be
│   ├── LogCorrupt               500 log_corrupt
│   └── OffsetGone               500 offset_gone
└── StartupError                 Playhead cannot start; the sentence says what to do
    ├── ConfigInvalid            500 config_invalid
    ├── DataDirBusy              500 data_dir_busy
    ├── SchemaTooNew             500 schema_too_new
    └── ExtraMissing             500 extra_missing

A class's docstring is its default message. `code` is stable: clients may rely on it.
"""

from typing import ClassVar


class PlayheadError(Exception):
    """Something went wrong inside Playhead."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    hint: str = "Look at the server's log; if it repeats, report it with the log line."

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        if hint is not None:
            self.hint = hint
        super().__init__(self.message)

    def body(self) -> dict[str, str]:
        """Return the error as it goes over HTTP: code, message, hint, docs."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "docs": f"/docs/errors#{self.code}",
        }


class RequestError(PlayheadError):
    """The request cannot be answered as it was sent."""

    code = "invalid_request"
    status = 400
    hint = "Change the request and send it again."


class InvalidRequest(RequestError):
    """A parameter of the request is not valid."""


class InvalidBody(RequestError):
    """The body cannot be read; nothing of it was stored."""

    code = "invalid_body"
    hint = "Send one JSON object or an array of objects, encoded as UTF-8."


class ProjectInvalid(RequestError):
    """The files of the project cannot be used as they are; nothing was changed."""

    code = "project_invalid"
    hint = "Mend what the lines name; 'playhead fmt --check FILE' checks one file."


class QueryRefused(RequestError):
    """The query cannot be run: it is no query, or it asks for what is not allowed here."""

    code = "query_refused"
    hint = "Ask with one SELECT over the data sources and pipes your token may read."


class Unauthenticated(RequestError):
    """This answer needs a token."""

    code = "unauthenticated"
    status = 401
    hint = (
        "Send 'Authorization: Bearer TOKEN'; the admin token is in the data folder's admin.token."
    )


class Forbidden(RequestError):
    """The token is valid but may not do this."""

    code = "forbidden"
    status = 403
    hint = "Use a token of the right kind: 'playhead token create --kind read'."


class NotFound(RequestError):
    """There is nothing at this address."""

    code = "not_found"
    status = 404
    hint = "Check the spelling; GET /v1/metrics lists the metrics and dimensions."


class MethodNotAllowed(RequestError):
    """This address does not take that HTTP method."""

    code = "method_not_allowed"
    status = 405
    hint = "See the API reference for the methods of this address."


class QueryTimeout(RequestError):
    """The query took longer than its limit and was stopped."""

    code = "query_timeout"
    status = 408
    hint = "Ask for a shorter range or fewer groups, or raise query.timeout_ms."


class BodyTimeout(RequestError):
    """The body did not arrive in time; nothing of it was stored."""

    code = "body_timeout"
    status = 408
    hint = "Send smaller batches, or raise collect.body_timeout_ms."


class Conflict(RequestError):
    """It does not go together with what is there; nothing was changed."""

    code = "conflict"
    status = 409
    hint = "Look at what is there, and change the request or that."


class DoorClosed(RequestError):
    """This door takes nothing here; nothing was stored."""

    code = "door_closed"
    status = 410
    hint = "Stop sending here, or remove the door from collect.closed_doors."


class BodyTooLarge(RequestError):
    """The body is larger than the limit; nothing of it was stored."""

    code = "body_too_large"
    status = 413
    hint = "Send smaller batches, or raise collect.max_body_bytes."


class ResultTooLarge(RequestError):
    """The result is larger than the limit and was stopped."""

    code = "result_too_large"
    status = 413
    hint = "Ask for fewer rows or columns, or raise query.max_result_bytes."


class RateLimited(RequestError):
    """Too many requests from this sender; nothing of this one was stored."""

    code = "rate_limited"
    status = 429
    hint = (
        "Wait for the seconds in Retry-After, then send again; larger batches need fewer requests."
    )

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, retry_after_s: int = 1
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class HeadTooLarge(RequestError):
    """The head of the request is larger than the limit; nothing of it was read further."""

    code = "head_too_large"
    status = 431
    hint = "Send fewer or shorter headers and parameters, or raise limits.max_header_bytes."


class Unavailable(PlayheadError):
    """Playhead cannot take this now; nothing of it was stored."""

    code = "unavailable"
    status = 503
    hint = "Keep the data and send it again after the seconds in Retry-After."

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, retry_after_s: int = 1
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class QueueFull(Unavailable):
    """Events arrive faster than the disk takes them; nothing of this request was stored."""

    code = "queue_full"


class DiskLow(Unavailable):
    """The disk is below the free-space floor; nothing of this request was stored."""

    code = "disk_low"
    hint = "Free space on the data folder's disk or lower [log] free_space_floor_bytes; it resumes by itself."


class LogUnavailable(Unavailable):
    """The log cannot be written at the moment; nothing of this request was stored."""

    code = "log_unavailable"


class RowsUnsettled(Unavailable):
    """Rows of data sources are on their way into the tables and do not arrive; nothing was changed."""

    code = "rows_unsettled"
    hint = (
        "See that the server runs, its worker and its store; /v1/status says why. Then try again."
    )


class ListenersFull(Unavailable):
    """As many live streams as allowed are open."""

    code = "listeners_full"
    hint = "Close one, or raise query.max_listeners or query.max_live_questions."


class StoreBusy(Unavailable):
    """As many queries as allowed are already running and waiting."""

    code = "store_busy"


class StoreUnavailable(Unavailable):
    """The store does not answer; it is being restarted."""

    code = "store_unavailable"


class StoreError(PlayheadError):
    """The store refused the statement."""

    code = "store_error"

    def __init__(self, message: str | None = None, *, engine_code: int = 0) -> None:
        super().__init__(message)
        self.engine_code = engine_code


class QueryFailed(StoreError):
    """The query failed in the engine."""

    code = "query_failed"


class BucketRefused(PlayheadError):
    """The folder or object store took no file."""

    code = "bucket_refused"
    status = 502
    hint = "Check the connection's address, keys and rights; then run the job again."


class BackupDamaged(PlayheadError):
    """A file of the backup is not as it was written."""

    code = "backup_damaged"
    hint = (
        "Take another backup: 'playhead backup ls' lists them; 'check' says what else is damaged."
    )


class LogError(PlayheadError):
    """The log on disk is not what it should be."""

    code = "log_error"


class LogCorrupt(LogError):
    """A log segment cannot be read."""

    code = "log_corrupt"
    hint = "Keep the file; move it out of the log folder to go on without it, or restore a backup."


class OffsetGone(LogError):
    """The log no longer holds this offset: retention removed it.

    `next_offset` is the next one it holds.
    """

    code = "offset_gone"
    hint = "Start from the next offset the log holds, or restore a backup."

    def __init__(self, message: str | None = None, *, next_offset: int) -> None:
        super().__init__(message)
        self.next_offset = next_offset


class StartupError(PlayheadError):
    """Playhead cannot start."""

    code = "startup_error"
    hint = "Mend what the message names and start again."


class ConfigInvalid(StartupError):
    """A setting is not valid."""

    code = "config_invalid"
    hint = "'playhead config show' prints every setting, its value and where it came from."


class DataDirBusy(StartupError):
    """Another Playhead already uses this data folder."""

    code = "data_dir_busy"
    hint = "Stop the other one, or give this one another --data folder."


class SchemaTooNew(StartupError):
    """The data folder was written by a newer Playhead; nothing was changed."""

    code = "schema_too_new"
    hint = "Install that release again; a data folder cannot go back."


class ExtraMissing(StartupError):
    """A library that is not installed by default is needed."""

    code = "extra_missing"

    def __init__(self, extra: str, library: str) -> None:
        super().__init__(
            f"This needs the library {library}, which is not installed.",
            hint=f"Install it: pip install 'playhead[{extra}]'",
        )
