"""Filters of a question: which values, which texts, and which numbers its rows may have.

    country:DE            a dimension has a value          !country:DE    it has another
    video_title~final     it contains a text, in any case  !video_title~final  it does not
    startup_ms>=1000      a number of the row: a column of its table, or a metric's value of that row

Values of one dimension are OR, everything else is AND. A row without the number never passes a filter
on it, not even `!=`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, Literal, get_args

import msgspec

from playhead.errors import InvalidRequest, NotFound
from playhead.model import cdn_request, frame, view
from playhead.query.catalogue import Catalogue, Dimension, Metric
from playhead.query.source import SOURCES, SourceName
from playhead.query.statement import Params

Comparison = Literal[">=", "<=", "!=", ">", "<", "="]
_FILTER: Final = re.compile(r"(!?)([A-Za-z0-9_.\-]*)(>=|<=|!=|[:~><=])(.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HINT: Final = (
    "Write filters=country:DE, !country:DE for all others, video_title~final for a text, "
    "or startup_ms>=1000 for a number."
)
_ROWS: Final[dict[SourceName, type[msgspec.Struct]]] = {
    "views": view.ViewRow,
    "renditions": view.ViewRow,
    "cdn": cdn_request.CdnRequest,
    "frames": frame.Frame,
}
_REQUEST_NUMBERS: Final = frozenset({"bytes", "ttfb_ms", "total_ms", "status", "asn"})
"""Those of the requests of players, which lie in events and are no struct."""
_NO_NUMBERS: Final = frozenset(
    {"at", "started_at", "ended_at", "last_event_at", "live_until", "received_at", "fold_version",
     "last_offset", "version"}
)  # fmt: skip
"""Whole numbers of a row that are times, or of our own book-keeping."""


class Filter(msgspec.Struct, frozen=True):
    """Rows whose dimension is (or, excluded, is not) one of the values; or contains one of them."""

    dimension: Dimension
    values: tuple[str, ...]
    excluded: bool = False
    contains: bool = False

    def sql(self, params: Params) -> str:
        """Return the condition."""
        text = f"toString({self.dimension.sql(params)})"
        if not self.contains:
            values = params.add("Array(String)", list(self.values))
            return f"{text} {'NOT IN' if self.excluded else 'IN'} {values}"
        found = (
            f"positionCaseInsensitiveUTF8({text}, {params.add('String', value)}) > 0"
            for value in self.values
        )
        return f"{'NOT ' if self.excluded else ''}({' OR '.join(found)})"


class NumberFilter(msgspec.Struct, frozen=True):
    """Rows whose number compares so with a bound; `expression` is SQL of ours, NULL = no number."""

    name: str
    expression: str
    comparison: Comparison
    bound: float

    def sql(self, params: Params) -> str:
        """Return the condition; false where the row has no such number."""
        bound = params.add("Float64", self.bound)
        return f"ifNull(toFloat64({self.expression}) {self.comparison} {bound}, false)"


class _Read(msgspec.Struct, frozen=True):
    excluded: bool
    name: str
    sign: str
    text: str


def filters_of(
    texts: Sequence[str], catalogue: Catalogue, *, limit: int, source: SourceName = "views"
) -> tuple[Filter, ...]:
    """Read filters on dimensions; those on numbers are left to `numbers_of`.

    The first sign ends the dimension, so values may hold any sign and may be empty.

    Raises:
        InvalidRequest: A filter that cannot be read, an unknown dimension, or too many filters.
    """
    if len(texts) > limit:
        raise InvalidRequest(f"More than {limit} filters; the limit is query.max_filters.")
    gathered: dict[tuple[str, bool, bool], list[str]] = {}
    for read in map(_read, texts):
        if read.sign not in {":", "~"}:
            continue
        contains = read.sign == "~"
        if contains and not read.text:
            raise InvalidRequest("A filter looks for an empty text.", hint=_HINT)
        gathered.setdefault((read.name, read.excluded, contains), []).append(read.text)
    return tuple(
        Filter(catalogue.dimension(name, source), tuple(values), excluded, contains)
        for (name, excluded, contains), values in gathered.items()
    )


def numbers_of(
    texts: Sequence[str], catalogue: Catalogue, source: SourceName = "views"
) -> tuple[NumberFilter, ...]:
    """Read filters on numbers; those on dimensions are left to `filters_of`.

    Raises:
        InvalidRequest: The bound is no number, or the rows have no number of that name.
    """
    found = []
    for read in map(_read, texts):
        if read.sign in {":", "~"}:
            continue
        if read.excluded:
            raise InvalidRequest("'!' stands before dimensions, not before numbers.", hint=_HINT)
        sign = next(one for one in get_args(Comparison) if one == read.sign)
        expression = _expression(read.name, catalogue, source)
        found.append(NumberFilter(read.name, expression, sign, number_of(read.text)))
    return tuple(found)


def number_of(text: str) -> float:
    """Return a finite decimal number.

    Raises:
        InvalidRequest: It is none.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        hint = "Write a decimal number, such as 1000, -2.5 or 1e6, in the unit of the column or metric."
        raise InvalidRequest("A filter compares with what is no number.", hint=hint)
    return value


def is_number(text: str) -> bool:
    """Return whether a filter is one on a number."""
    return _read(text).sign not in {":", "~"}


def row_value(metric: Metric) -> str | None:
    """Return SQL of a metric's value of one row, NULL where there is none; None: no row has one.

    A ratio's is that of the row alone, a weighted mean's the row's own number.
    """
    if metric.kind == "value":
        value = metric.value
    elif metric.kind == "weighted":
        value = f"if({metric.weight} > 0, {metric.scale} * ({metric.value}), NULL)"
    elif metric.kind == "ratio":
        above, below = f"toFloat64({metric.numerator})", f"toFloat64({metric.denominator})"
        value = f"{metric.scale} * {above} / nullIf({below}, 0)"
    else:
        return None
    return value if metric.valid == "true" else f"if({metric.valid}, {value}, NULL)"


def _read(text: str) -> _Read:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise InvalidRequest("A filter cannot be read.", hint=_HINT)
    return _Read(bool(match[1]), match[2], match[3], match[4])


def _expression(name: str, catalogue: Catalogue, source: SourceName) -> str:
    if name in _numbers(source):
        return name
    try:
        metric = catalogue.metric(name)
    except NotFound:
        metric = None
    if metric is None or metric.source != source:
        hint = (
            "Compare a numeric column (startup_ms>=1000) or a metric of these rows "
            "(startup_time>=1000); a dimension is written country:DE."
        )
        raise InvalidRequest(f"{SOURCES[source].said} have no number of that name.", hint=hint)
    value = row_value(metric)
    if value is None:
        raise InvalidRequest(f"'{name}' is no number of one row: it counts many.")
    return value


@cache
def _numbers(source: SourceName) -> frozenset[str]:
    """Return the numeric columns of a source's rows."""
    if source == "requests":
        return _REQUEST_NUMBERS
    numeric: Mapping[str, object] = _ROWS[source].__annotations__
    kinds = {int, float, int | None, float | None}
    return frozenset(name for name, kind in numeric.items() if kind in kinds) - _NO_NUMBERS
