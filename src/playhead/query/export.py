"""Views as one file of any length: streamed out of the store, never a whole in memory.

Rows hold what `/v1/views` shows. They come in no order: an order would need all of them first.
Parquet is the exception in both: its index stands at the end, so the engine builds the file whole,
within the limit of an ordinary answer.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, Literal

import msgspec

from playhead.errors import InvalidRequest, ResultTooLarge
from playhead.model.view import ViewRow
from playhead.query.metrics import where_sql
from playhead.query.question import (
    FILTERS,
    Asking,
    Values,
    check_names,
    one,
    scope_of,
    span_in,
)
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.span import Span
from playhead.query.statement import Params, Statement
from playhead.query.views import LIST_COLUMNS, SHOWN_AS, TIMES, VIEWS
from playhead.store.client import Limits

FileForm = Literal["csv", "ndjson", "parquet"]
FORMATS: Final[dict[FileForm, str]] = {
    "csv": "CSVWithNames",
    "ndjson": "JSONEachRow",
    "parquet": "Parquet",
}
_SETTINGS: Final[dict[FileForm, dict[str, object]]] = {
    "csv": {
        "date_time_output_format": "iso",
        "output_format_csv_crlf_end_of_line": 1,
    },
    "ndjson": {"date_time_output_format": "iso"},
    "parquet": {},
}
_SINGLE: Final = frozenset({"from", "to", "timezone", "columns"})
_KINDS: Final = {str: "String", int: "Int64", float: "Float64", bool: "Bool"}
_NUMBERS: Final = frozenset({"Int64", "Float64", "Bool"})
_FORMULA: Final = "'=+-@\\t\\r'"
_MOMENT: Final = "DateTime64(3, 'UTC')"
_WATCHED: Final = (
    "arrayMap((b, e) -> CAST((b, e), 'Tuple(from_s Float64, to_s Float64)'), "
    "watched_from_s, watched_to_s)"
)
_INTERVALS: Final = (
    "arrayMap((s, b, e, p, q, k, h, c) -> CAST((s, fromUnixTimestamp64Milli(b, 'UTC'), "
    "fromUnixTimestamp64Milli(e, 'UTC'), if(p < 0, NULL, p), if(q < 0, NULL, q), nullIf(k, 0), "
    "nullIf(h, 0), c), 'Tuple(state String, `from` DateTime64(3, \\'UTC\\'), "
    "`to` DateTime64(3, \\'UTC\\'), position_from_s Nullable(Float64), "
    "position_to_s Nullable(Float64), bitrate_kbps Nullable(Float64), height Nullable(Int64), "
    "cdn String)'), interval_state, interval_from, interval_to, interval_position_from_s, "
    "interval_position_to_s, interval_bitrate_kbps, interval_height, interval_cdn)"
)
_NESTED: Final = {"watched": _WATCHED, "intervals": _INTERVALS}
"""Columns that are lists: only where they are asked for."""
_STORED: Final = {SHOWN_AS.get(name, name): name for name in LIST_COLUMNS}
COLUMNS: Final[tuple[str, ...]] = (*_STORED, *_NESTED)


class ExportQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of which views; a view is in the span by its start."""

    span: Span
    scope: Scope
    columns: tuple[str, ...]
    form: FileForm


def export_question_of(values: Values, asking: Asking, form: FileForm) -> ExportQuestion:
    """Read a question for a file of views.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    return ExportQuestion(
        span=span_in(values, asking),
        scope=scope_of(values, asking),
        columns=_columns_of(one(values, "columns")),
        form=form,
    )


async def chunks(reader: Reader, question: ExportQuestion) -> AsyncGenerator[bytes, None]:
    """Yield the file piece by piece; what fails before the first piece raises before it.

    Raises:
        ResultTooLarge: More rows or bytes than an export, or a Parquet file, may have.
        PlayheadError: As `Reader.rows`; raised after pieces were yielded, the file is not complete.
    """
    stream = reader.stream(
        _statement(reader, question),
        question.scope,
        format_name=FORMATS[question.form],
        limits=_limits(reader, question.form),
        settings=_SETTINGS[question.form],
    )
    try:
        async for piece in stream:
            yield piece
    except ResultTooLarge as error:
        raise _too_large(reader, question.form, error) from error
    finally:
        await stream.aclose()


def types() -> dict[str, str]:
    """Return the columns of view rows with the types they have in Parquet."""
    return {shown: f"Nullable({_kind(name)})" for shown, name in _STORED.items()}


def _columns_of(text: str | None) -> tuple[str, ...]:
    if text is None:
        return tuple(_STORED)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not set(names) <= set(COLUMNS):
        hint = f"Known are: {', '.join(COLUMNS)}."
        raise InvalidRequest("A name in 'columns' is not known.", hint=hint)
    return names


def _statement(reader: Reader, question: ExportQuestion) -> Statement:
    params = Params()
    where = where_sql(reader, question.scope, question.span, "started_at", params)
    cell = _CELLS[question.form]
    shown = ", ".join(f"{cell(name)} AS `{name}`" for name in question.columns)
    # The conditions stand inside, where a name still means the stored column.
    return Statement(
        f"SELECT {shown} FROM (SELECT * FROM {VIEWS} FINAL WHERE {where})",
        params.values(),
    )


def _kind(stored: str) -> str:
    """Return the type of a stored column in Parquet; what is nested is JSON text."""
    if stored in TIMES:
        return _MOMENT
    hint = ViewRow.__annotations__[stored]
    hint = next((one for one in getattr(hint, "__args__", ()) if one in _KINDS), hint)
    return _KINDS.get(hint, "String")


def _may_lack(stored: str) -> bool:
    return type(None) in getattr(ViewRow.__annotations__[stored], "__args__", ())


def _plain(name: str) -> str:
    return _NESTED.get(name) or _STORED[name]


def _quoted(name: str) -> str:
    """Return SQL of a cell of CSV: text that a spreadsheet would take for a formula is quoted."""
    if name in _NESTED or ViewRow.__annotations__[_STORED[name]] == dict[str, str]:
        return f"toJSONString({_plain(name)})"
    stored = _STORED[name]
    if _kind(stored) in _NUMBERS:
        # The engine's own word for "no value" is \\N; an empty setting would not reach it.
        return f"ifNull(toString({stored}), '')" if _may_lack(stored) else stored
    if _kind(stored) != "String":
        return stored
    risky = f"{stored} != '' AND position({_FORMULA}, substring({stored}, 1, 1)) > 0"
    return f"if({risky}, concat('''', {stored}), {stored})"


def _typed(name: str) -> str:
    if name in _NESTED or ViewRow.__annotations__[_STORED[name]] == dict[str, str]:
        return f"CAST(toJSONString({_plain(name)}), 'Nullable(String)')"
    kind = f"Nullable({_kind(_STORED[name])})".replace("'", "\\'")
    return f"CAST({_STORED[name]}, '{kind}')"


_CELLS: Final[dict[FileForm, Callable[[str], str]]] = {
    "csv": _quoted,
    "ndjson": _plain,
    "parquet": _typed,
}


def _limits(reader: Reader, form: FileForm) -> Limits:
    query = reader.config.query
    whole = form == "parquet"
    return Limits(
        timeout_ms=query.export_timeout_ms,
        max_result_rows=query.max_export_rows,
        max_result_bytes=query.max_result_bytes if whole else query.max_export_bytes,
        max_rows_to_read=query.max_rows_to_read,
        max_memory_bytes=reader.config.store.max_query_memory_bytes,
    )


def _too_large(reader: Reader, form: FileForm, error: ResultTooLarge) -> ResultTooLarge:
    query: Any = reader.config.query
    if form == "parquet":
        return ResultTooLarge(
            f"The Parquet file would be larger than {query.max_result_bytes} bytes.",
            hint="Ask for a shorter span or fewer columns, take format=csv or ndjson, which are "
            "not built whole, or raise query.max_result_bytes.",
        )
    return ResultTooLarge(
        error.message,
        hint="Ask for a shorter span, or raise query.max_export_rows or query.max_export_bytes.",
    )
