"""A question about a metric, read from the parameters of a request and checked in full."""

from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import Catalogue, Dimension, Metric
from playhead.query.filter import filters_of, is_number, numbers_of
from playhead.query.scope import Scope
from playhead.query.source import SourceName
from playhead.query.span import Buckets, Span, buckets_of, span_of, zone_of

Form = Literal["overall", "timeseries", "breakdown"]
FORMS: tuple[Form, ...] = ("overall", "timeseries", "breakdown")
Values = Mapping[str, Sequence[str]]
"""Parameters of a request: every name with its values in order."""

FILTERS = frozenset({"filters", "filters[]", "metric_filters", "metric_filters[]"})
"""The parameters `scope_of` reads; each may stand many times."""
_SINGLE = frozenset(
    {"from", "to", "interval", "timezone", "group_by", "measurement", "limit", "order"}
)
_DEFAULT_GROUPS = {"timeseries": 10, "breakdown": 50}


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a question is read with: the catalogue, the limits, now, the token's property if any."""

    catalogue: Catalogue
    config: Config
    now_ms: int
    property: str | None = None


class Order(msgspec.Struct, frozen=True):
    """How groups are ordered."""

    by: str = "value"
    descending: bool = True


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question: a metric, measured so, over a span, cut and narrowed so."""

    metric: Metric
    form: Form
    measurement: str
    span: Span
    zone: ZoneInfo
    scope: Scope
    buckets: Buckets | None = None
    group_by: Dimension | None = None
    limit: int = 0
    order: Order = Order()


def check_names(values: Values, allowed: frozenset[str], many: frozenset[str]) -> None:
    """Check that there are only known parameters, and single ones stand once.

    Raises:
        InvalidRequest: An unknown parameter, or one given twice.
    """
    for name, given in values.items():
        if name not in allowed | many:
            names = ", ".join(sorted(allowed | many))
            raise InvalidRequest("A parameter is not known here.", hint=f"Known are: {names}.")
        if len(given) > 1 and name not in many:
            raise InvalidRequest(f"'{name}' is given more than once.")


def one(values: Values, name: str) -> str | None:
    """Return a parameter's value, None when it is absent or empty."""
    given = values.get(name)
    return given[0] if given and given[0] else None


def whole(values: Values, name: str, default: int, *, most: int) -> int:
    """Return a whole number from 1 to `most`.

    Raises:
        InvalidRequest: It is none.
    """
    text = one(values, name)
    if text is None:
        return min(default, most)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidRequest(f"'{name}' must be a whole number from 1 to {most}.")
    return int(text)


def zone_in(values: Values) -> ZoneInfo:
    """Return the zone in which a request's times are read; UTC where it names none."""
    return zone_of(one(values, "timezone") or "UTC")


def span_in(values: Values, asking: Asking, start: str | None = None) -> Span:
    """Return the span a request asks about, beginning at `start` (default: a day ago) unless said.

    Raises:
        InvalidRequest: A moment or the zone cannot be read, or the span is empty.
    """
    begin = one(values, "from") or start
    return span_of(begin, one(values, "to"), asking.now_ms, zone=zone_in(values))


def scope_of(values: Values, asking: Asking, source: SourceName = "views") -> Scope:
    """Return the scope of a request: its filters, and what its token is bound to.

    Raises:
        InvalidRequest: A filter is not valid; the sentence says why.
    """
    texts = [*values.get("filters", ()), *values.get("filters[]", ())]
    for text in (*values.get("metric_filters", ()), *values.get("metric_filters[]", ())):
        if not is_number(text):
            hint = "Write metric_filters[]=startup_time>=1000; dimensions stand in filters."
            raise InvalidRequest("A metric filter compares a number.", hint=hint)
        texts.append(text)
    limit = asking.config.query.max_filters
    return Scope(
        filters=filters_of(texts, asking.catalogue, limit=limit, source=source),
        numbers=numbers_of(texts, asking.catalogue, source),
        property=asking.property,
        source=source,
    )


def question_of(metric: Metric, form: Form, values: Values, asking: Asking) -> Question:
    """Read a question.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    zone, span = zone_in(values), span_in(values, asking)
    group_by = one(values, "group_by")
    if form == "breakdown" and group_by is None:
        hint = "Add group_by=country; GET /v1/metrics lists the dimensions."
        raise InvalidRequest("A breakdown needs 'group_by'.", hint=hint)
    if form == "overall" and group_by is not None:
        raise InvalidRequest("'overall' has no groups; ask for the breakdown.")
    buckets = None
    if form == "timeseries":
        interval = one(values, "interval") or "auto"
        buckets = buckets_of(span, interval, zone, limit=asking.config.query.max_buckets)
    dimension = asking.catalogue.dimension(group_by, metric.source) if group_by else None
    limits = asking.config.query
    most = limits.max_series if form == "timeseries" else limits.max_groups
    return Question(
        metric=metric,
        form=form,
        measurement=metric.measurement(one(values, "measurement")),
        span=span,
        zone=zone,
        scope=scope_of(values, asking, metric.source),
        buckets=buckets,
        group_by=dimension,
        limit=whole(values, "limit", _DEFAULT_GROUPS.get(form, 1), most=most),
        order=order_of(one(values, "order"), metric.of().counted),
    )


def order_of(text: str | None, counted: str = "views") -> Order:
    """Read an order: a field (`value`, `views`, `group`), a direction, or both (`views:asc`).

    Args:
        text: The order as given, None for the default.
        counted: The field with the number of rows: `views`, or what a source calls them.

    Raises:
        InvalidRequest: Another word.
    """
    words = (text or "value:desc").replace(",", ":").replace(" ", ":").split(":")
    if not set(words) <= {"value", counted, "group", "asc", "desc"}:
        raise InvalidRequest(
            "The order is not known.", hint=f"Use value, {counted} or group, then :asc or :desc."
        )
    by = next((word for word in words if word not in {"asc", "desc"}), "value")
    return Order(by, descending="asc" not in words)
