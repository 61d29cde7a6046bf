"""What a dimension's values are: for menus and searches, most rows first."""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any, Final, Literal

import msgspec

from playhead.errors import InvalidRequest, NotFound
from playhead.query.catalogue import CUSTOM_PREFIX, Dimension
from playhead.query.metrics import text_sql, where_sql
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
from playhead.query.scope import Scope
from playhead.query.source import SOURCES, Source, SourceName
from playhead.query.span import Span
from playhead.query.statement import Params, Statement

Row = dict[str, Any]
Match = Literal["contains", "prefix"]
_SINGLE: Final = frozenset({"from", "to", "timezone", "limit"})
_SINGLE_OF_ONE: Final = _SINGLE | {"q", "match", "source"}
_DEFAULT_LIMIT: Final = 100
_VIDEO: Final = "video_id"
_NEWEST_TITLE: Final = "argMaxIf(video_title, started_at, video_title != '')"


class DimensionsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which custom keys the views of a span have, at most `limit` of them."""

    span: Span
    scope: Scope
    limit: int


class ValuesQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which values of a dimension the rows of a span have, at most `limit` of them."""

    dimension: Dimension
    span: Span
    scope: Scope
    limit: int
    search: str | None = None
    match: Match = "contains"

    def of(self) -> Source:
        """Return the rows whose values they are."""
        return SOURCES[self.scope.source]


def dimensions_question_of(values: Values, asking: Asking) -> DimensionsQuestion:
    """Read a question for the list of dimensions.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    return DimensionsQuestion(
        span=span_in(values, asking),
        scope=scope_of(values, asking),
        limit=_limit_of(values, asking),
    )


def values_question_of(name: str, values: Values, asking: Asking) -> ValuesQuestion:
    """Read a question for the values of the dimension of that name.

    Raises:
        NotFound: There is no dimension of that name.
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE_OF_ONE, FILTERS)
    source = _source_of(name, one(values, "source"), asking)
    return ValuesQuestion(
        dimension=asking.catalogue.dimension(name, source),
        span=span_in(values, asking),
        scope=scope_of(values, asking, source),
        limit=_limit_of(values, asking),
        search=one(values, "q"),
        match=_match_of(one(values, "match")),
    )


def _source_of(name: str, asked: str | None, asking: Asking) -> SourceName:
    """Return the source asked for; else views, or where views lack the dimension, the first with it."""
    own = [one.sources for one in asking.catalogue.listed if one.id == name]
    found: list[SourceName] = [source for sources in own for source in sources]
    if not found:
        try:
            asking.catalogue.dimension(name)  # a custom one
        except InvalidRequest as error:
            raise NotFound(error.message, hint=error.hint) from None
        found = ["views"]
    if asked is None:
        return "views" if "views" in found else found[0]
    for source in found:
        if source == asked:
            return source
    hint = f"Use one of {', '.join(found)}."
    raise InvalidRequest("The dimension is not one of that source.", hint=hint)


def _match_of(text: str | None) -> Match:
    if text in {None, "contains"}:
        return "contains"
    if text != "prefix":
        raise InvalidRequest("The match is not known.", hint="Use contains or prefix.")
    return "prefix"


def _limit_of(values: Values, asking: Asking) -> int:
    return whole(values, "limit", _DEFAULT_LIMIT, most=asking.config.query.max_groups)


async def dimensions(reader: Reader, question: DimensionsQuestion) -> tuple[list[Row], bool]:
    """Return rows `{id, description, sources, views}`, and whether there were more custom keys.

    First every dimension of the catalogue (`views` None: not counted), then the custom keys of the
    views that began in the span, most views first.
    """
    params = Params()
    where = where_sql(reader, question.scope, question.span, "started_at", params)
    limit = params.add("UInt32", question.limit + 1)
    sql = (
        "SELECT arrayJoin(mapKeys(custom)) AS key, count() AS views "
        f"FROM {SOURCES['views'].rows()} WHERE {where} "
        f"GROUP BY key ORDER BY views DESC, key LIMIT {limit}"
    )
    keep_ms = reader.keep_ms(question.span)
    keys = await reader.rows(Statement(sql, params.values()), question.scope, keep_ms=keep_ms)
    rows: list[Row] = [
        {"id": one.id, "description": one.description, "sources": one.sources, "views": None}
        for one in reader.catalogue.listed
    ]
    rows += [
        {
            "id": f"{CUSTOM_PREFIX}{row['key']}",
            "description": "A custom dimension of yours.",
            "sources": ("views",),
            "views": row["views"],
        }
        for row in keys[: question.limit]
    ]
    return rows, len(keys) > question.limit


async def values(reader: Reader, question: ValuesQuestion) -> tuple[list[Row], bool]:
    """Return rows `{value, views}`, most rows first, and whether there were more.

    The number bears the name of the source's rows. A view is in the span by its start. A video has
    its newest `title` beside its id, and is found by it, too.
    """
    params = Params()
    source = question.of()
    column = "started_at" if source.of_views else "at"
    where = where_sql(reader, question.scope, question.span, column, params)
    text = text_sql(question.dimension, params)
    is_video = source.of_views and question.dimension.id == _VIDEO
    if question.search is not None:
        search = params.add("String", question.search)
        wanted = "= 1" if question.match == "prefix" else "> 0"
        searched = [text, "video_title"] if is_video else [text]
        found_in = [f"positionCaseInsensitiveUTF8({one}, {search}) {wanted}" for one in searched]
        where += f" AND ({' OR '.join(found_in)})"
    title = f", {_NEWEST_TITLE} AS title" if is_video else ""
    sql = (
        f"SELECT {text} AS text, count() AS n{title} FROM {source.rows()} WHERE {where} "
        f"GROUP BY text ORDER BY n DESC, text LIMIT {params.add('UInt32', question.limit + 1)}"
    )
    keep_ms = reader.keep_ms(question.span)
    found = await reader.rows(Statement(sql, params.values()), question.scope, keep_ms=keep_ms)
    rows = [
        {"value": row["text"], source.counted: row["n"]}
        | ({"title": row["title"]} if is_video else {})
        for row in found[: question.limit]
    ]
    return rows, len(found) > question.limit
