"""What the report counts: each measure as parts that the store sums, and how they make a number.

Definitions are those of the catalogue; where a metric is a ratio or a mean its two sums are asked
for. Of very many views (`query.report_exact_views`) medians and p95 come from a sketch (DDSketch),
within 1 % of the value at that rank: the report cuts one reading of the views by many things at once,
and exact ones would need all of them in memory.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from playhead.query.catalogue import FINER, RELATIVE_ERROR, Catalogue, Metric

Kind = Literal["sum", "ratio", "number", "distinct"]
Better = Literal["higher", "lower", "neutral"]
Format = Literal["number", "duration"]
_RANKS: Final = {"median": 0.5, "p95": 0.95}


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One number of the report; `parts` is SQL of ours, one expression, or two where a ratio."""

    id: str
    name: str
    unit: str
    kind: Kind
    parts: tuple[str, ...]
    better: Better = "neutral"
    format: Format = "number"
    scale: float = 1.0

    def columns(self) -> list[str]:
        """Return the SELECT columns of the parts."""
        return [f"{sql} AS {name}" for name, sql in zip(self._names(), self.parts, strict=True)]

    def value(self, row: Mapping[str, Any]) -> float | None:
        """Return the number of a row made with `columns`; None where there is nothing to say."""
        found = [row[name] for name in self._names()]
        if self.kind == "ratio":
            above, below = found
            return self.scale * above / below if below and above is not None else None
        value: float | None = found[0]
        return value

    @property
    def empty(self) -> int | None:
        """Return the number of no rows at all."""
        return 0 if self.kind in {"sum", "distinct"} else None

    def _names(self) -> list[str]:
        return [f"{self.id}_{number}" for number in range(len(self.parts))]


def measure_of(
    catalogue: Catalogue, metric_id: str, measurement: str = "", *, exact: bool = True, **named: str
) -> Measure:  # fmt: skip
    """Return a metric of the catalogue, measured so, as a measure; `named` replaces its id or name."""
    metric = catalogue.metric(metric_id)
    how = measurement or metric.allowed()[0]
    kind, parts = _parts(metric, how, exact=exact)
    scale = metric.scale if metric.kind in {"ratio", "weighted"} else 1.0
    return Measure(
        id=named.get("id", metric.id), name=named.get("name", metric.name), unit=metric.unit,
        kind=kind, parts=parts, better=metric.better, format=metric.format, scale=scale,
    )  # fmt: skip


def _parts(metric: Metric, how: str, *, exact: bool) -> tuple[Kind, tuple[str, ...]]:
    value, valid = metric.value, metric.valid
    known = f"({valid}) AND {value} IS NOT NULL"
    told = value if valid == "true" else f"if({valid}, {value}, NULL)"
    forms: dict[tuple[str, str], tuple[Kind, tuple[str, ...]]] = {
        ("value", "sum"): ("sum", (f"ifNull(sumIf({value}, {valid}), 0)",)),
        ("value", "avg"): ("ratio", (f"sumIf({value}, {known})", f"countIf({known})")),
        ("count", "count"): ("sum", (f"countIf({value})",)),
        ("distinct", "count"): ("distinct", (metric.aggregate(how),)),
    }
    if how in _RANKS:
        return "number", (rank_sql(told, how, exact=exact),)
    sums = metric.sums(how)
    if sums is not None and sums.below is not None:
        return "ratio", (sums.above, sums.below)
    return forms.get((metric.kind, how), ("number", (metric.aggregate(how),)))


def rank_sql(value: str, how: str, *, exact: bool) -> str:
    """Return SQL of the median or p95, exact or by a sketch; NaN, which is none, without values.

    Both ask for both: the same aggregate written twice is computed once.
    """
    ranks = ", ".join(str(rank) for rank in _RANKS.values())
    place = 1 + list(_RANKS).index(how)
    if exact:
        return f"quantilesExactInclusive({ranks})({value})[{place}]"
    return f"quantilesDD({RELATIVE_ERROR}, {ranks})({FINER} * ({value}))[{place}] / {FINER}"


def of_starts(catalogue: Catalogue) -> tuple[Measure, ...]:
    """Return what counts at the start of a view."""
    watched = catalogue.metric("watch_time").value
    return (
        measure_of(catalogue, "views"),
        measure_of(catalogue, "watch_time", "sum"),
        Measure(
            id="watch_time_per_view", name="Watch time per view", unit="ms", format="duration",
            kind="ratio", parts=(f"sum({watched})", "count()"), better="higher",
        ),
    )  # fmt: skip


def of_viewers(catalogue: Catalogue) -> tuple[Measure, ...]:
    """Return what is counted by viewer, also at the start of a view; not a sum of its groups."""
    viewers = catalogue.metric("unique_viewers")
    pair = f"cityHash64({viewers.value}, video_id)"
    return (
        measure_of(catalogue, "unique_viewers"),
        Measure(
            id="unique_views", name="Unique views", unit="views", kind="distinct", better="higher",
            parts=(f"uniqIf({pair}, {viewers.valid})",),
        ),
        Measure(
            id="views_per_viewer", name="Views per viewer", unit="views", kind="ratio",
            parts=(f"countIf({viewers.valid})", viewers.aggregate("count")), better="higher",
        ),
        Measure(
            id="countries", name="Countries", unit="countries", kind="distinct",
            parts=("uniqIf(country, country != '')",),
        ),
        Measure(id="cdns", name="CDNs", unit="CDNs", kind="distinct", parts=("uniqIf(cdn, cdn != '')",)),
    )  # fmt: skip


def of_ends(catalogue: Catalogue, *, exact: bool = True) -> tuple[Measure, ...]:
    """Return what counts at the end of a view: how it went."""
    return (
        measure_of(catalogue, "startup_time", "median", exact=exact, id="startup_median", name="Start-up time, median"),
        measure_of(catalogue, "startup_time", "p95", exact=exact, id="startup_p95", name="Start-up time, p95"),
        measure_of(catalogue, "exits_before_video_start"),
        measure_of(catalogue, "startup_failure_percentage"),
        measure_of(catalogue, "playback_failure_percentage"),
        measure_of(catalogue, "rebuffer_percentage"),
        measure_of(catalogue, "rebuffer_frequency"),
        measure_of(catalogue, "rebuffer_count", "avg"),
        measure_of(catalogue, "weighted_bitrate"),
        measure_of(catalogue, "score", "avg"),
    )  # fmt: skip


def of_sessions(*, exact: bool = True) -> tuple[Measure, ...]:
    """Return what is counted over sessions; their rows have `ms`, `views` and `watched`."""
    return (
        Measure(
            id="session_median", name="Median", unit="ms", format="duration", kind="number",
            parts=(rank_sql("ms", "median", exact=exact),), better="higher",
        ),
        Measure(
            id="session_average", name="Average", unit="ms", format="duration", kind="ratio",
            parts=("sum(ms)", "count()"), better="higher",
        ),
        Measure(id="sessions", name="Sessions", unit="sessions", kind="sum", parts=("count()",), better="higher"),
        Measure(
            id="views_per_session", name="Views per session", unit="views", kind="ratio",
            parts=("sum(views)", "count()"), better="higher",
        ),
        Measure(
            id="watch_time_per_session", name="Watch time per session", unit="ms",
            format="duration", kind="ratio", parts=("sum(watched)", "count()"), better="higher",
        ),
    )  # fmt: skip


class Distribution(msgspec.Struct, frozen=True):
    """Rows by how large a number of theirs is; `edges` rise, a row is below the first it fits."""

    expression: str
    valid: str
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    """One more than edges."""

    def sql(self) -> str:
        """Return an aggregate: how many rows in each range, in order."""
        counts = [f"countIf({self.valid} AND {self.expression} < {edge})" for edge in self.edges]
        return f"[{', '.join([*counts, f'countIf({self.valid})'])}]"

    def ranges(self, cumulative: list[int]) -> list[int]:
        """Return how many lie in each range from what `sql` gave."""
        return [here - before for before, here in zip([0, *cumulative], cumulative, strict=False)]


STARTUPS: Final = Distribution(
    "startup_ms", "startup_ms IS NOT NULL", (500, 1_000, 2_000, 3_000, 5_000, 10_000),
    ("under 0.5 s", "0.5 to 1 s", "1 to 2 s", "2 to 3 s", "3 to 5 s", "5 to 10 s", "10 s and more"),
)  # fmt: skip
STALLED: Final = Distribution(
    "100 * rebuffer_ms / watch_ms", "watch_ms > 0", (1e-9, 1, 2, 5, 10),
    ("none", "under 1 %", "1 to 2 %", "2 to 5 %", "5 to 10 %", "10 % and more"),
)  # fmt: skip
SESSIONS: Final = Distribution(
    "ms", "true", tuple(60_000.0 * minutes for minutes in (1, 5, 15, 30, 60, 120)),
    ("under 1 min", "1 to 5 min", "5 to 15 min", "15 to 30 min", "30 to 60 min", "1 to 2 h",
     "2 h and more"),
)  # fmt: skip


def change_of(now: float | None, before: float | None) -> float | None:
    """Return by how many percent a number changed; None where there was none, or zero, before."""
    return None if now is None or not before else 100 * (now - before) / before
