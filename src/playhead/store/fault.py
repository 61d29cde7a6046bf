"""What the engine's error codes mean to us; used by both clients.

The codes are ClickHouse's own and stable: https://clickhouse.com/docs/native-protocol/server
"""

import re
from typing import Final

from playhead.errors import (
    BodyTooLarge,
    PlayheadError,
    QueryFailed,
    QueryTimeout,
    ResultTooLarge,
    StoreBusy,
    StoreUnavailable,
)

CODE_HEADER: Final = "x-clickhouse-exception-code"
TAG_HEADER: Final = "x-clickhouse-exception-tag"
SUMMARY_HEADER: Final = "x-clickhouse-summary"
TIMEOUT_EXCEEDED: Final = 159
TOO_MANY_QUERIES: Final = 202
ABORTED: Final = 236
MEMORY_LIMIT: Final = 241
CANCELLED: Final = 394
RESULT_LIMIT: Final = 396
BROKEN_PART: Final = frozenset({33, 246})
"""A file of a part ends too early, or is damaged."""

TIMEOUTS: Final = frozenset({TIMEOUT_EXCEEDED, 160, 209})
_LIMITS: Final = frozenset({158, 307, RESULT_LIMIT})
_SENTENCES: Final = {
    158: "The query would read more rows than its limit; it was stopped.",
    307: "The query would read more bytes than its limit; it was stopped.",
    MEMORY_LIMIT: "The query needs more memory than its limit; it was stopped.",
}
_PUSHED: Final = re.compile(
    r"((?:: while pushing to view [^\s:'\"]+(?: \([^)'\"]*\))?)+)\.? ?\([A-Z][A-Z0-9_]*\)\.?"
    r"(?: \(version [^'\"]*\))?\s*\Z"
)
"""Ends the engine's words when a materialized view did not take what its table has. Only at the end:
values that stand in them are a sender's."""
_BUSY: Final = frozenset({TOO_MANY_QUERIES, 203, 252})
_GONE: Final = frozenset({ABORTED, 210, 279, 425})
_CODE: Final = re.compile(r"Code: (\d+)\.")
_SENTENCE: Final = re.compile(r"DB::Exception: (.+?) \(\w+\)")
_FILE: Final = re.compile(r"from file |from part |marks from")
_MESSAGE_CHARS_MAX: Final = 2_000


def code_of(text: str) -> int:
    """Return the number in "Code: N. DB::Exception: …", or 0."""
    found = _CODE.search(text)
    return int(found[1]) if found else 0


def names_a_file(fault: QueryFailed) -> bool:
    """Tell whether the engine says that a file of a part cannot be read: no query is at fault then."""
    return fault.engine_code in BROKEN_PART and bool(_FILE.search(fault.message))


def error_of(code: int, text: str, *, status: int = 0, retry_after_s: int = 1) -> PlayheadError:
    """Return the error for an answer of the store.

    Args:
        code: The engine's error code; 0 = unknown.
        text: The engine's own sentence.
        status: The HTTP status of the answer; 0 when it broke off under way.
        retry_after_s: What the answer says about trying again.
    """
    if status == BodyTooLarge.status and not code:
        return BodyTooLarge("The block is larger than store.max_insert_bytes; nothing was stored.")
    kind = _kind(code, text, status)
    if kind is QueryFailed:
        return QueryFailed(_shortened(text.strip()) or None, engine_code=code)
    if kind is StoreBusy:
        said = _SENTENCE.search(text) if code == TOO_MANY_QUERIES else None
        return StoreBusy(said[1].rstrip(".") + "." if said else None, retry_after_s=retry_after_s)
    if kind is StoreUnavailable:
        return StoreUnavailable(retry_after_s=retry_after_s)
    return kind(_SENTENCES.get(code))


def views_failed(text: str) -> list[str]:
    """Return the materialized views, `database.view`, that did not take what their table has taken."""
    found = _PUSHED.search(text, max(0, len(text) - _MESSAGE_CHARS_MAX))
    if found is None:
        return []
    named = [part.split(" ", 1)[0] for part in found[1].split(": while pushing to view ")[1:]]
    return [one.rstrip(".").replace("`", "") for one in named]


def _shortened(text: str) -> str:
    """Return the engine's words without what is too long: the beginning, and the end that may name a view."""
    if len(text) <= _MESSAGE_CHARS_MAX:
        return text
    found = _PUSHED.search(text, len(text) - _MESSAGE_CHARS_MAX)
    return text[:_MESSAGE_CHARS_MAX] + (f"…{found[0]}" if found else "")


def _kind(code: int, text: str, status: int) -> type[PlayheadError]:
    if code not in _BUSY | _GONE and "(total)" not in text and views_failed(text):
        return (
            QueryFailed  # the table has the rows, so who inserts must know which view has them not
        )
    return _kind_of_code(code, text, status)


def _kind_of_code(code: int, text: str, status: int) -> type[PlayheadError]:
    if code in TIMEOUTS:
        return QueryTimeout
    if code == MEMORY_LIMIT:
        # "(total)": the engine as a whole is at its cap; the query alone may fit later.
        return StoreBusy if "(total)" in text else ResultTooLarge
    if code in _LIMITS:
        return ResultTooLarge
    if code in _BUSY:
        # One insert for too many partitions: later it would be the same.
        return QueryFailed if code == 252 and "INSERT block" in text else StoreBusy
    if code in _GONE:
        return StoreUnavailable
    return StoreBusy if status == StoreBusy.status else QueryFailed
