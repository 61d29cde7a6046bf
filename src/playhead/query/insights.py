"""Insights: what drags a metric. For each value of each dimension, what the metric would be without it.

The impact of a value is the metric over all views less the metric over all views without that value,
turned so that more is worse. One scan gives each value the sums its metrics are made from; "without" is
the total less these. Only what can be subtracted has an impact: counts, sums, averages and ratios, not
percentiles (a metric measured by its median elsewhere is averaged here).

Some of many values always lie far from the rest, by chance. What chance may explain is left out unless
asked for (`noise`): see `errors_of` and `errors_needed`.
"""

from itertools import combinations
from typing import Final

import msgspec

from playhead.errors import InvalidRequest
from playhead.query.catalogue import Dimension, Metric
from playhead.query.impact import Drag, errors_needed, part_sql, says_more
from playhead.query.insight_scan import Cut, Found, Key, Row, sample_of, scan
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
from playhead.query.span import Span

DEFAULT_METRICS: Final = (
    "startup_time", "rebuffer_percentage", "exits_before_video_start", "startup_failure_percentage",
    "playback_failure_percentage", "weighted_bitrate", "score",
)  # fmt: skip
"""What viewers feel."""
NOT_CAUSES: Final = frozenset(
    {"viewer_id", "session_id", "status", "fatal_error_code", "fatal_error_category",
     "exit_before_start", "startup_failed", "playback_failed", "final", "clean_end", "has_ad"}
)  # fmt: skip
"""Dimensions left out unless asked for: single people, and what is itself an outcome: a view that
never started has shown no ad either."""
_SINGLE: Final = frozenset(
    {"from", "to", "timezone", "measurement", "dimensions", "min_views", "limit", "pairs", "noise"}
)
_MANY: Final = FILTERS | {"metric"}
_DEFAULT_LIMIT: Final = 50
_PAIR_VALUES: Final = 50
"""Of a dimension, so many values with the most views are paired."""
_FLAGS: Final = {"true": True, "false": False}


class InsightsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which metrics, measured how, over which dimensions of which views."""

    metrics: tuple[tuple[Metric, str], ...]
    dimensions: tuple[Dimension, ...]
    span: Span
    scope: Scope
    min_views: int
    limit: int
    pairs: bool = True
    noise: bool = False
    """Whether what chance may explain is listed, too."""


def insights_question_of(values: Values, asking: Asking) -> InsightsQuestion:
    """Read a question for insights.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
        NotFound: There is no metric of that id.
    """
    check_names(values, _SINGLE, _MANY)
    query = asking.config.query
    return InsightsQuestion(
        metrics=_metrics_of(values, asking),
        dimensions=_dimensions_of(values, asking),
        span=span_in(values, asking),
        scope=scope_of(values, asking),
        min_views=whole(values, "min_views", query.min_insight_views, most=10**9 - 1),
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=query.max_groups),
        pairs=_flag(values, "pairs", default="true"),
        noise=_flag(values, "noise", default="false"),
    )


def _flag(values: Values, name: str, *, default: str) -> bool:
    found = _FLAGS.get((one(values, name) or default).lower())
    if found is None:
        raise InvalidRequest(f"'{name}' must be true or false.")
    return found


def _metrics_of(values: Values, asking: Asking) -> tuple[tuple[Metric, str], ...]:
    texts = [name for text in values.get("metric", ()) for name in text.split(",") if name]
    names = list(dict.fromkeys(texts)) or list(DEFAULT_METRICS)
    most = asking.config.query.max_insight_metrics
    if len(texts) > most:
        raise InvalidRequest(f"More than {most} metrics; the limit is query.max_insight_metrics.")
    asked = one(values, "measurement")
    if asked is not None and len(names) > 1:
        hint = "Ask for one metric, or leave 'measurement' out."
        raise InvalidRequest("A measurement is that of one metric.", hint=hint)
    found = (asking.catalogue.metric(name) for name in names)
    return tuple((metric, _measurement_of(metric, asked)) for metric in found)


def _measurement_of(metric: Metric, asked: str | None) -> str:
    """Return how a metric is measured here: as asked, else its default, else the average."""
    if metric.source != "views":
        raise InvalidRequest(f"Insights are about views; '{metric.id}' is not made from them.")
    if asked and part_sql(metric, metric.measurement(asked)):
        return asked
    found = None if asked else usual_measurement(metric)
    if found is not None:
        return found
    hint = "Averages, sums, counts and ratios have one; ask for measurement=avg or another metric."
    raise InvalidRequest(f"'{metric.id}' measured so has no impact by value.", hint=hint)


def usual_measurement(metric: Metric) -> str | None:
    """Return how a metric is measured where nobody says: its default, else the average or the sum.

    None where no measurement of it has parts that can be subtracted.
    """
    for choice in (metric.allowed()[0], "avg", "sum"):
        if choice in metric.allowed() and part_sql(metric, choice):
            return choice
    return None


def _dimensions_of(values: Values, asking: Asking) -> tuple[Dimension, ...]:
    texts = (one(values, "dimensions") or "").split(",")
    names = list(dict.fromkeys(name for name in texts if name))
    if not names:
        listed = asking.catalogue.dimensions.values()
        names = [each.id for each in listed if not each.hidden and each.id not in NOT_CAUSES]
    most = asking.config.query.max_insight_dimensions
    if len(names) > most:
        limit = "the limit is query.max_insight_dimensions"
        raise InvalidRequest(f"More than {most} dimensions; {limit}.")
    return tuple(asking.catalogue.dimension(name) for name in names)


class Insights(msgspec.Struct, frozen=True):
    """Rows, the worst first; whether there were more; of how many views one was looked at."""

    rows: list[Row]
    more: bool
    sample: int


async def insights(reader: Reader, question: InsightsQuestion) -> Insights:
    """Return a row a value and metric, the worst first.

    Several metrics are compared by their impact as a share of the metric. Fields: `metric`,
    `measurement`, `unit`, `better`, `dimension`, `value`, `dimension_2`, `value_2` (of a pair),
    `negative_impact`, `relative_impact`, `metric_value`, `overall`, `without`, `views`, `share`,
    `total_watch_time_ms`.
    """
    alone = Cut(question.dimensions, tuple((at,) for at in range(len(question.dimensions))))
    sample = await sample_of(reader, question)
    singles = await scan(reader, question, alone, sample)
    drags = [found.drags() for found in singles]
    needed = _needed(reader, question, drags)
    told, by_chance = _rows(singles, drags, needed)
    candidates = told + by_chance  # a pair may differ where both of its parts hide it
    names = dict.fromkeys(row["dimension"] for row in candidates if row["negative_impact"] > 0)
    strongest = list(names)[: reader.config.query.max_insight_pair_dimensions]
    rows = told
    if question.pairs and len(strongest) > 1:
        paired = await scan(reader, question, _pairs_cut(question, strongest, singles), sample)
        of_pairs = [found.drags() for found in paired]
        needed = _needed(reader, question, of_pairs)
        percent = reader.config.query.insight_pair_percent
        telling = [
            {key: drag for key, drag in own.items() if _is_telling(found, key, drag, of, percent)}
            for found, own, of in zip(paired, of_pairs, drags, strict=True)
        ]
        rows = sorted(told + _rows(paired, telling, needed)[0], key=_worst_first)
    return Insights(rows[: question.limit], len(rows) > question.limit, sample)


def _needed(reader: Reader, question: InsightsQuestion, drags: list[dict[Key, Drag]]) -> float:
    """Return how many standard errors a row needs, by how many are compared."""
    compared = sum(len(own) for own in drags)
    chance = reader.config.query.insight_chance_percent
    return 0.0 if question.noise else errors_needed(compared, chance)


def _rows(
    scanned: list[Found], drags: list[dict[Key, Drag]], needed: float
) -> tuple[list[Row], list[Row]]:
    """Return the rows that differ by so many standard errors, and the others; each the worst first."""
    told: list[Row] = []
    by_chance: list[Row] = []
    for found, own in zip(scanned, drags, strict=True):
        for key, drag in own.items():
            enough = found.errors(key) >= needed
            (told if enough else by_chance).append(_row(found, key, drag))
    return sorted(told, key=_worst_first), sorted(by_chance, key=_worst_first)


def _pairs_cut(question: InsightsQuestion, names: list[str], singles: list[Found]) -> Cut:
    """Return the cut into pairs of the strongest dimensions, over their values with most views."""
    dimensions = tuple(each for each in question.dimensions if each.id in names)
    views: dict[tuple[str, str], int] = {}
    for found in singles:
        for (one_key,), part in found.by_key.items():
            views[one_key] = max(views.get(one_key, 0), part.views)
    values = []
    for dimension in dimensions:
        known = [key for key in views if key[0] == dimension.id]
        known.sort(key=lambda key: (-views[key], key))
        values.append(tuple(value for _, value in known[:_PAIR_VALUES]))
    return Cut(dimensions, tuple(combinations(range(len(dimensions)), 2)), tuple(values))


def _is_telling(found: Found, key: Key, drag: Drag, singles: dict[Key, Drag], percent: int) -> bool:
    if found.parts.below is None:
        return False  # of a sum a pair never has more than its parts
    first, second = singles.get(key[:1]), singles.get(key[1:])
    return bool(first and second and says_more(drag, first, second, percent=percent))


def _worst_first(row: Row) -> tuple[bool, float, str, bool, str, str]:
    relative = row["relative_impact"]
    worst = row["negative_impact"] if relative is None else relative
    pair = row["dimension_2"] is not None
    return (relative is None, -worst, row["metric"], pair, row["dimension"], row["value"])


def _row(found: Found, key: Key, drag: Drag) -> Row:
    first = key[0]
    second = key[1] if len(key) > 1 else (None, None)
    return {
        "metric": found.metric.id,
        "measurement": found.measurement,
        "unit": found.metric.unit_of(found.measurement),
        "better": found.metric.better,
        "dimension": first[0],
        "value": first[1],
        "dimension_2": second[0],
        "value_2": second[1],
        "negative_impact": drag.impact,
        "relative_impact": drag.relative,
        "metric_value": drag.own,
        "overall": drag.overall,
        "without": drag.without,
        "views": drag.views * found.sample,
        "share": drag.share,
        "total_watch_time_ms": found.watch_ms[key],
    }
