"""Views as rows: a page of them, or one with its intervals and events."""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any

import msgspec

from playhead.errors import InvalidRequest, NotFound
from playhead.model import event_row, view
from playhead.query.causes import causes_of
from playhead.query.cursor import cursor_text, is_span, read_cursor
from playhead.query.delivery import of_view
from playhead.query.metrics import where_sql
from playhead.query.neighbours import neighbours
from playhead.query.question import (
    FILTERS,
    Asking,
    Values,
    check_names,
    one,
    scope_of,
    span_in,
    whole,
)
from playhead.query.reader import Reader
from playhead.query.scope import Scope, sql_time
from playhead.query.span import DAY_MS, Span, iso, ms_of
from playhead.query.statement import Conditions, Params, Statement
from playhead.query.trouble import minutes_of, troubles_of

VIEWS = "playhead.views"
EVENTS = "playhead.events"
Row = dict[str, Any]

_ARRAYS = tuple(name for name in view.COLUMNS if name.startswith(("interval_", "watched_")))
_INTERNAL = ("view_key", "first_seen_day", "fold_version", "last_offset", "version", "state")
LIST_COLUMNS = tuple(n for n in view.COLUMNS if n not in {*_ARRAYS, *_INTERNAL})
SHOWN_AS = {"events": "event_count"}
"""On one view, `events` are the events themselves."""
TIMES = ("started_at", "ended_at", "last_event_at", "received_at", "live_until")
ORDERS: dict[str, str] = {
    "started_at": "toFloat64(toUnixTimestamp64Milli(started_at))",
    "ended_at": "toFloat64(toUnixTimestamp64Milli(ended_at))",
    "watch_ms": "toFloat64(watch_ms)",
    "rebuffer_ms": "toFloat64(rebuffer_ms)",
    "startup_ms": "ifNull(toFloat64(startup_ms), -1)",
    "score": "ifNull(toFloat64(score), -1)",
    "errors": "toFloat64(errors)",
}
_SINGLE = frozenset({"from", "to", "timezone", "order", "limit", "cursor"})
_DEFAULT_LIMIT = 100
_EVENT_TIMES = ("at", "received_at")
_EVENT_INTERNAL = frozenset({"view_key", "identity", "log_offset", "log_index", "anonymous_id"})


class Cursor(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Where a page ended: the last row's order value and identity, and the span in milliseconds."""

    value: float
    view_id: str
    property: str
    from_ms: int
    to_ms: int


class ViewsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of which views; a view is in the span by its start."""

    span: Span
    scope: Scope
    order: str
    descending: bool
    limit: int
    after: Cursor | None = None


def views_question_of(values: Values, asking: Asking) -> ViewsQuestion:
    """Read a question for a page of views.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    order, _, direction = (one(values, "order") or "started_at:desc").partition(":")
    if order not in ORDERS or direction not in {"", "asc", "desc"}:
        names = ", ".join(ORDERS)
        raise InvalidRequest("The order is not known.", hint=f"Use {names}, then :asc or :desc.")
    span = span_in(values, asking)
    after = read_cursor(one(values, "cursor"), Cursor, _is_sound)
    return ViewsQuestion(
        # A relative span would slide from page to page: the first page's is kept in the cursor.
        span=span if after is None else Span(after.from_ms, after.to_ms),
        scope=scope_of(values, asking),
        order=order,
        descending=direction != "asc",
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=asking.config.query.max_page_rows),
        after=after,
    )


async def page(reader: Reader, question: ViewsQuestion) -> tuple[list[Row], str | None]:
    """Return a page of view rows and the cursor of the next page (None: this was the last).

    First the page's keys from narrow columns, then whole rows by key: a row is wide.
    """
    keys = await _keys(reader, question)
    more = len(keys) > question.limit
    keys = keys[: question.limit]
    if not keys:
        return [], None
    rows = await _rows(reader, question, keys)
    by_key = {(row["view_id"], row["property"]): row for row in rows}
    found = [by_key.get((key["view_id"], key["property"])) for key in keys]
    last, span = keys[-1], question.span
    cursor = Cursor(last["place"], last["view_id"], last["property"], span.from_ms, span.to_ms)
    return [row for row in found if row is not None], cursor_text(cursor) if more else None


async def one_view(reader: Reader, scope: Scope, view_id: str) -> Row:
    """Return one view: its row, `intervals`, `events`, `causes`, and `requests` of CDNs with KPIs.

    Where several properties use the same id, the newest view is meant.

    Raises:
        NotFound: There is no such view, or none the token may see.
    """
    params = Params()
    conditions = Conditions()
    conditions.add(f"view_id = {params.add('String', view_id)}")
    if scope.property is not None:
        conditions.add(f"property = {params.add('String', scope.property)}")
    columns = ", ".join((*LIST_COLUMNS, *_ARRAYS, "view_key"))
    sql = (
        f"SELECT {columns} FROM {VIEWS} FINAL WHERE {conditions.sql()} "
        f"ORDER BY started_at DESC LIMIT 1"
    )
    rows = await reader.rows(Statement(sql, params.values()), scope, keep_ms=0)
    if not rows:
        raise NotFound("There is no view of that id.", hint="GET /v1/views lists the views.")
    row = rows[0]
    shown = _presented(row) | {
        "watched": _watched(row),
        "intervals": _intervals(row),
        "events": await _events(reader, scope, row),
        **await of_view(reader, scope, row),
    }
    return await _explained(reader, scope, shown)


async def _explained(reader: Reader, scope: Scope, shown: Row) -> Row:
    """Return a view with `causes`, each also on the interval that it explains."""
    troubles = troubles_of(shown)[: reader.config.query.max_troubles]
    minutes = sorted({minute for trouble in troubles for minute in minutes_of(trouble)})
    crowds = await neighbours(reader, scope, shown, minutes)
    causes = []
    for interval in shown["intervals"]:
        interval["cause"] = None
    for told in causes_of(shown, crowds, troubles):
        cause = told["cause"] | {"others": told["others"]}
        edges = {"from": iso(told["from_ms"]), "to": iso(told["to_ms"])}
        length_ms = told["to_ms"] - told["from_ms"]
        causes.append({"what": told["what"], **edges, "duration_ms": length_ms, **cause})
        if told["index"] >= 0:
            shown["intervals"][told["index"]]["cause"] = cause
    return shown | {"causes": causes}


async def _keys(reader: Reader, question: ViewsQuestion) -> list[Row]:
    params = Params()
    where = where_sql(reader, question.scope, question.span, "started_at", params)
    place = ORDERS[question.order]
    way, beyond = ("DESC", "<") if question.descending else ("ASC", ">")
    if question.after is not None:
        after = question.after
        bound = (
            params.add("Float64", after.value),
            params.add("String", after.view_id),
            params.add("String", after.property),
        )
        where += f" AND ({place}, view_id, CAST(property, 'String')) {beyond} ({', '.join(bound)})"
    sql = (
        f"SELECT {place} AS place, view_id, CAST(property, 'String') AS property, "
        "first_seen_day "
        f"FROM {VIEWS} FINAL WHERE {where} "
        f"ORDER BY place {way}, view_id {way}, property {way} "
        f"LIMIT {params.add('UInt32', question.limit + 1)}"
    )
    return await reader.rows(Statement(sql, params.values()), question.scope, keep_ms=0)


async def _rows(reader: Reader, question: ViewsQuestion, keys: list[Row]) -> list[Row]:
    params = Params()
    conditions = Conditions()
    days = sorted({key["first_seen_day"] for key in keys})
    ids = [key["view_id"] for key in keys]
    conditions.add(f"first_seen_day IN {params.add('Array(Date)', days)}")
    if question.scope.property is not None:
        conditions.add(f"property = {params.add('String', question.scope.property)}")
    # view_id is of the sorting key: all versions of a view pass or none does, so FINAL stays right.
    sql = (
        f"SELECT {', '.join(LIST_COLUMNS)} FROM {VIEWS} FINAL "
        f"PREWHERE view_id IN {params.add('Array(String)', ids)} WHERE {conditions.sql()}"
    )
    rows = await reader.rows(Statement(sql, params.values()), question.scope, keep_ms=0)
    return [_presented(row) for row in rows]


async def _events(reader: Reader, scope: Scope, row: Row) -> list[Row]:
    """Return the view's stored events in time order, without their empty fields."""
    params = Params()
    conditions = Conditions()
    offset_ms = abs(int(row["clock_offset_ms"]))
    conditions.add(f"view_key = {params.add('String', row['view_key'])}")
    begin, end = ms_of(row["started_at"]), ms_of(row["ended_at"])
    newest = sql_time(ms_of(row["received_at"]))
    oldest = sql_time(max(0, begin - reader.config.collect.max_event_ahead_ms - DAY_MS))
    moment = "DateTime64(3, 'UTC')"
    conditions.add(
        f"received_at BETWEEN {params.add(moment, oldest)} AND {params.add(moment, newest)}"
    )
    if scope.property is not None:
        conditions.add(f"property = {params.add('String', scope.property)}")
    if not row["view_key"].endswith("/" + row["view_id"]):
        # The key is a session's, cut into views by time; or a CMCD session's, cut by video.
        first = params.add(moment, sql_time(max(0, begin - offset_ms - 1)))
        last = params.add(moment, sql_time(end + offset_ms + 1))
        conditions.add(f"at BETWEEN {first} AND {last}")
    else:
        # Reports of a CMCD session after the last of this view are of its next video.
        last = params.add(moment, sql_time(ms_of(row["last_event_at"]) + offset_ms + 1))
        conditions.add(f"(door != 'cmcd' OR at <= {last})")
    columns = ", ".join(name for name in event_row.COLUMNS if name not in _EVENT_INTERNAL)
    sql = (
        f"SELECT {columns} FROM {EVENTS} WHERE {conditions.sql()} "
        f"ORDER BY at, identity LIMIT {params.add('UInt32', reader.config.query.max_events_shown)}"
    )
    events = await reader.rows(Statement(sql, params.values()), scope, keep_ms=0)
    return [_event(event) for event in events]


def _event(row: Row) -> Row:
    shown = {name: value for name, value in row.items() if value is not None and value != ""}
    for name in _EVENT_TIMES:
        if name in shown:
            shown[name] = iso(ms_of(shown[name]))
    for name in event_row.JSON_COLUMNS:
        if isinstance(shown.get(name), str):
            shown[name] = msgspec.json.decode(shown[name])
    return shown


def _presented(row: Row) -> Row:
    shown = {SHOWN_AS.get(name, name): row[name] for name in LIST_COLUMNS}
    for name in TIMES:
        shown[name] = iso(ms_of(row[name]))
    return shown


def _watched(row: Row) -> list[Row]:
    pairs = zip(row["watched_from_s"], row["watched_to_s"], strict=True)
    return [{"from_s": begin, "to_s": end} for begin, end in pairs]


def _intervals(row: Row) -> list[Row]:
    fields = (row[name] for name in (
        "interval_state", "interval_from", "interval_to", "interval_position_from_s",
        "interval_position_to_s", "interval_bitrate_kbps", "interval_height", "interval_cdn",
    ))  # fmt: skip
    return [
        {
            "state": state,
            "from": iso(ms_of(begin)),
            "to": iso(ms_of(end)),
            "position_from_s": None if place < 0 else place,
            "position_to_s": None if reached < 0 else reached,
            "bitrate_kbps": kbps or None,
            "height": height or None,
            "cdn": cdn,
        }
        for state, begin, end, place, reached, kbps, height, cdn in zip(*fields, strict=True)
    ]


def _is_sound(cursor: Cursor) -> bool:
    return is_span(cursor.from_ms, cursor.to_ms)
