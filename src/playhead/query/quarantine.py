"""Quarantine: refused events as rows, counted by reason, and those that wait to be taken up again."""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any, Final

import msgspec

from playhead.errors import InvalidRequest
from playhead.query.cursor import cursor_text, is_span, read_cursor
from playhead.query.question import Asking, Values, check_names, one, span_in, whole
from playhead.query.reader import Reader
from playhead.query.scope import Scope, add_span
from playhead.query.span import EARLIEST_MS, LATEST_MS, Span, iso, ms_of
from playhead.query.statement import Conditions, Params, Statement

QUARANTINE: Final = "playhead.quarantine"
RETRIES: Final = "playhead.quarantine_retries"
Row = dict[str, Any]
At = tuple[int, int]
"""Where a row came from: log offset and index."""

_NAMES = frozenset(
    {"door", "code", "source", "property", "from", "to", "timezone", "retried", "limit"}
)
_DEFAULT_LIMIT = 100
_REASONS_MAX = 1_000
_TAKEN = f"(log_offset, log_index) IN (SELECT log_offset, log_index FROM {RETRIES})"
_SHOWN = (
    "received_at", "log_offset", "log_index", "door", "source", "property", "code", "message",
    "body", "truncated",
)  # fmt: skip
_HELD = (*_SHOWN, "context")


class Place(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Where a page ended: the last row's time (UTC ms), offset and index, and the span (UTC ms)."""

    received_at: int
    offset: int
    index: int
    from_ms: int
    to_ms: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are meant. Empty text, None and no ids: whatever it is."""

    span: Span | None = None
    bound_to: str | None = None
    """The property the token is bound to."""
    door: str = ""
    code: str = ""
    source: str = ""
    property: str = ""
    retried: bool | None = None
    ids: tuple[At, ...] = ()

    def scope(self) -> Scope:
        """Return what the token may see."""
        return Scope(property=self.bound_to)

    def narrow(self, params: Params, conditions: Conditions) -> None:
        """Add the conditions of these rows to a statement."""
        if self.span is not None:
            add_span(params, conditions, self.span, "received_at")
        if self.bound_to is not None:
            conditions.add(f"property = {params.add('String', self.bound_to)}")
        for name in ("door", "code", "property"):
            text = getattr(self, name)
            if text:
                conditions.add(f"{name} = {params.add('String', text)}")
        if self.source:  # what the sender said beside its name follows after an ampersand
            source = params.add("String", self.source)
            conditions.add(f"source = {source} OR startsWith(source, concat({source}, '&'))")
        if self.retried is not None:
            conditions.add(_TAKEN if self.retried else f"NOT ({_TAKEN})")
        if self.ids:
            offsets = sorted({offset for offset, _ in self.ids})
            conditions.add(f"log_offset IN {params.add('Array(Int64)', offsets)}")
            names = params.add("Array(String)", [id_of(*at) for at in self.ids])
            conditions.add(f"concat(toString(log_offset), '-', toString(log_index)) IN {names}")


class QuarantineQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of which rows, newest first."""

    wanted: Wanted
    span: Span
    limit: int
    after: Place | None = None


def id_of(offset: int, index: int) -> str:
    """Return a row's id."""
    return f"{offset}-{index}"


def at_of(text: str) -> At:
    """Return where the row of an id came from.

    Raises:
        InvalidRequest: It is no id.
    """
    offset, _, index = text.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (offset, index)):
        raise InvalidRequest("An id cannot be read.", hint="Ids look like 120-3: OFFSET-INDEX.")
    return int(offset), int(index)


def quarantine_question_of(
    values: Values, asking: Asking, *, pages: bool = True
) -> QuarantineQuestion:
    """Read a question for rows, or with `pages` off for reasons.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _NAMES | {"cursor"} if pages else _NAMES, frozenset())
    retried = one(values, "retried")
    if retried not in {None, "yes", "no"}:
        raise InvalidRequest("'retried' must be yes or no.")
    after = cursor_of(one(values, "cursor"))
    span = span_in(values, asking)
    if after is not None:  # a relative span would slide from page to page
        span = Span(after.from_ms, after.to_ms)
    most = asking.config.query.max_page_rows if pages else _REASONS_MAX
    return QuarantineQuestion(
        wanted=Wanted(
            span=span,
            bound_to=asking.property,
            door=one(values, "door") or "",
            code=one(values, "code") or "",
            source=one(values, "source") or "",
            property=one(values, "property") or "",
            retried=None if retried is None else retried == "yes",
        ),
        span=span,
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=most),
        after=after,
    )


async def page(reader: Reader, question: QuarantineQuestion) -> tuple[list[Row], str | None]:
    """Return a page of rows and the cursor of the next page (None: this was the last)."""
    rows = await _page(reader, question.wanted, question.limit + 1, question.after, _SHOWN)
    more = len(rows) > question.limit
    rows = rows[: question.limit]
    if not rows:
        return [], None
    taken = await _taken(reader, question.wanted.scope(), rows)
    last, span = rows[-1], question.span
    cursor = Place(
        ms_of(last["received_at"]), last["log_offset"], last["log_index"], span.from_ms, span.to_ms
    )
    return [_presented(row, taken) for row in rows], cursor_text(cursor) if more else None


async def reasons(reader: Reader, question: QuarantineQuestion) -> list[Row]:
    """Return rows {door, source, code, count, first_at, last_at, message}, most frequent first."""
    params = Params()
    conditions = Conditions()
    question.wanted.narrow(params, conditions)
    sql = (
        "SELECT door, source, code, count() AS count, min(received_at) AS first_at, "
        "max(received_at) AS last_at, "
        "argMax(message, (received_at, log_offset, log_index)) AS message "
        f"FROM {QUARANTINE} WHERE {conditions.sql()} GROUP BY door, source, code "
        "ORDER BY count DESC, door, source, code "
        f"LIMIT {params.add('UInt32', question.limit)}"
    )
    statement = Statement(sql, params.values())
    rows = await reader.rows(statement, question.wanted.scope(), keep_ms=0)
    for row in rows:
        row["first_at"], row["last_at"] = (iso(ms_of(row[n])) for n in ("first_at", "last_at"))
    return rows


async def waiting(reader: Reader, wanted: Wanted, limit: int, after: Place | None) -> list[Row]:
    """Return rows that were neither taken up nor cut, oldest first, with their context.

    `received_at` is in UTC ms.
    """
    wanted = msgspec.structs.replace(wanted, retried=False)
    rows = await _page(reader, wanted, limit, after, _HELD, oldest=True)
    return [row | {"received_at": ms_of(row["received_at"])} for row in rows]


def place_of(row: Row) -> Place:
    """Return the place of a row that waits, for the next page; its span is any."""
    return Place(row["received_at"], row["log_offset"], row["log_index"], 0, 1)


async def cut(reader: Reader, wanted: Wanted) -> int:
    """Return how many rows wait that were cut, and so cannot be taken up."""
    params = Params()
    conditions = Conditions()
    msgspec.structs.replace(wanted, retried=False).narrow(params, conditions)
    sql = f"SELECT count() AS rows FROM {QUARANTINE} WHERE truncated AND {conditions.sql()}"
    (row,) = await reader.rows(Statement(sql, params.values()), wanted.scope(), keep_ms=0)
    return int(row["rows"])


async def _page(
    reader: Reader,
    wanted: Wanted,
    limit: int,
    after: Place | None,
    columns: tuple[str, ...],
    *,
    oldest: bool = False,
) -> list[Row]:
    params = Params()
    conditions = Conditions()
    wanted.narrow(params, conditions)
    if oldest:
        conditions.add("NOT truncated")
    way, beyond = ("ASC", ">") if oldest else ("DESC", "<")
    if after is not None:
        bound = ", ".join((
            f"fromUnixTimestamp64Milli({params.add('Int64', after.received_at)}, 'UTC')",
            params.add("Int64", after.offset),
            params.add("UInt32", after.index),
        ))  # fmt: skip
        conditions.add(f"(received_at, log_offset, log_index) {beyond} ({bound})")
    sql = (
        f"SELECT {', '.join(columns)} FROM {QUARANTINE} WHERE {conditions.sql()} "
        f"ORDER BY received_at {way}, log_offset {way}, log_index {way} "
        f"LIMIT {params.add('UInt32', limit)}"
    )
    return await reader.rows(Statement(sql, params.values()), wanted.scope(), keep_ms=0)


async def _taken(reader: Reader, scope: Scope, rows: list[Row]) -> dict[At, int]:
    """Return when each of the rows was taken up (UTC ms); those that were not are missing."""
    params = Params()
    offsets = sorted({row["log_offset"] for row in rows})
    sql = (
        f"SELECT log_offset, log_index, min(retried_at) AS at FROM {RETRIES} "
        f"WHERE log_offset IN {params.add('Array(Int64)', offsets)} GROUP BY log_offset, log_index"
    )
    found = await reader.rows(Statement(sql, params.values()), scope, keep_ms=0)
    return {(row["log_offset"], row["log_index"]): ms_of(row["at"]) for row in found}


def _presented(row: Row, taken: dict[At, int]) -> Row:
    at = row["log_offset"], row["log_index"]
    retried_at = taken.get(at)
    return {
        "id": id_of(*at),
        "received_at": iso(ms_of(row["received_at"])),
        **{name: row[name] for name in _SHOWN[3:]},
        "truncated": bool(row["truncated"]),
        "retried_at": None if retried_at is None else iso(retried_at),
    }


def cursor_of(text: str | None) -> Place | None:
    """Read the place a page ended at; None where there is no text.

    Raises:
        InvalidRequest: It is none.
    """
    return read_cursor(text, Place, _is_sound)


def _is_sound(place: Place) -> bool:
    in_time = EARLIEST_MS <= place.received_at < LATEST_MS
    in_log = 0 <= place.offset < 1 << 63 and 0 <= place.index < 1 << 32
    return is_span(place.from_ms, place.to_ms) and in_time and in_log
