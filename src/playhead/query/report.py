"""The report: the eight KPIs of a video platform in one answer.

Each KPI has its numbers, compared with the period of equal length right before; a series; and what it
is cut by. A session is all views of one property with one session id (a view without one is a
session of its own); its duration is from the start of its first view in the period to the end of the
last one, pauses and the time between views included.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from playhead.query.catalogue import Catalogue
from playhead.query.filter import Filter
from playhead.query.metrics import OTHER
from playhead.query.question import (
    FILTERS,
    Asking,
    Values,
    check_names,
    one,
    scope_of,
    span_in,
    whole,
    zone_in,
)
from playhead.query.reader import Reader
from playhead.query.report_delivery import delivery
from playhead.query.report_measures import (
    SESSIONS,
    STALLED,
    STARTUPS,
    Distribution,
    Measure,
    change_of,
    of_ends,
    of_sessions,
    of_starts,
    of_viewers,
)
from playhead.query.report_rows import VIDEO, Asked, Key, Numbers, numbers
from playhead.query.span import DAY_MS, INTERVALS, Span, buckets_of, iso

REPORT_INTERVALS: Final = {
    **{name: ms for name, ms in INTERVALS.items() if name != "1d"},
    "3h": DAY_MS // 8,
    "6h": DAY_MS // 4,
    "1d": DAY_MS,
}
_SINGLE: Final = frozenset({"from", "to", "timezone", "interval", "video_id", "limit"})
_DEFAULT_FROM: Final = "-7d"
_DEFAULT_LIMIT: Final = 10
_SERIES_SHOWN: Final = 5
"""Groups that have a series of their own; all others are one."""
_BY_VIEWS: Final = ("views", "watch_time", "startup_median", "rebuffer_percentage",
                    "playback_failure_percentage", "weighted_bitrate")  # fmt: skip
Row = dict[str, Any]


class ReportQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which report."""

    asked: Asked
    zone: ZoneInfo
    video_id: str | None
    filters: tuple[str, ...]
    """As they were given."""

    @property
    def previous(self) -> Span:
        """Return the period compared with."""
        span = self.asked.span
        return Span(span.from_ms - span.length_ms, span.from_ms)


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a KPI shows: measures, the one its series draws, and cuts with their measures."""

    id: str
    name: str
    definition: str
    values: tuple[str, ...]
    drawn: str
    drawn_by: str = ""
    cuts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    distribution: tuple[Distribution, str, str] | None = None
    """With what is counted, and what its ranges are ranges of."""


_PLANS: Final = (
    _Plan(
        id="views", name="Views", drawn="views",
        definition="Attempts to play a video, whether or not a picture came.",
        values=("views", "watch_time", "watch_time_per_view"),
        cuts=((VIDEO, ("views", "watch_time", "watch_time_per_view")),),
    ),
    _Plan(
        id="unique_views", name="Unique views", drawn="unique_views",
        definition="Unique viewers: different viewer ids. Unique views: different pairs of viewer "
        "and video, so a viewer who plays one video again counts once. Views without a viewer id "
        "are left out.",
        values=("unique_views", "unique_viewers", "views_per_viewer"),
        cuts=((VIDEO, ("unique_viewers",)),),
    ),
    _Plan(
        id="session_duration", name="Session duration", drawn="session_median",
        definition="From the start of a session's first view in the period to the end of its last, "
        "pauses and the time between views included. A session is all views with one session id; "
        "a view without one is a session of its own.",
        values=("session_median", "session_average", "sessions", "views_per_session",
                "watch_time_per_session"),
        distribution=(SESSIONS, "sessions", "Duration"),
    ),
    _Plan(
        id="startup_time", name="Start-up time", drawn="startup_median",
        definition="From the play instruction to the first moving frame.",
        values=("startup_median", "startup_p95", "exits_before_video_start",
                "startup_failure_percentage"),
        distribution=(STARTUPS, "views", "Start-up time"),
    ),
    _Plan(
        id="buffering", name="Buffering", drawn="rebuffer_percentage",
        definition="Time stalled after the first frame as a share of watch time; seeking is no stall.",
        values=("rebuffer_percentage", "rebuffer_frequency", "rebuffer_count",
                "playback_failure_percentage"),
        distribution=(STALLED, "views", "Share of time stalled"),
    ),
    _Plan(
        id="geography", name="Geography", drawn="views", drawn_by="country",
        definition="Where viewers were, by the country of their address.",
        values=("countries",), cuts=(("country", _BY_VIEWS),),
    ),
    _Plan(
        id="devices", name="Devices", drawn="views", drawn_by="device_class",
        definition="What viewers watched on.",
        values=(),
        cuts=tuple((by, _BY_VIEWS) for by in ("device_class", "os", "browser", "player_name")),
    ),
    _Plan(
        id="cdn", name="CDN quality of service", drawn="rebuffer_percentage", drawn_by="cdn",
        definition="How views fared by the CDN their player named, beside what the CDNs' own logs "
        "say of their requests.",
        values=("cdns", "weighted_bitrate", "score"),
        cuts=(("cdn", (*_BY_VIEWS[:4], "startup_failure_percentage", *_BY_VIEWS[4:])),),
    ),
)  # fmt: skip
CUT_NAMES: Final = {
    VIDEO: "Video", "country": "Country", "device_class": "Device", "os": "Operating system",
    "browser": "Browser", "player_name": "Player", "cdn": "CDN",
}  # fmt: skip


def report_question_of(values: Values, asking: Asking) -> ReportQuestion:
    """Read a question for a report.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    query = asking.config.query
    zone = zone_in(values)
    span = span_in(values, asking, _DEFAULT_FROM)
    interval = one(values, "interval") or "auto"
    buckets = buckets_of(
        span,
        interval,
        zone,
        limit=query.max_report_buckets,
        setting="query.max_report_buckets",
        intervals=REPORT_INTERVALS,
    )
    scope = scope_of(values, asking)
    video_id = one(values, "video_id")
    if video_id is not None:
        chosen = Filter(asking.catalogue.dimension("video_id"), (video_id,))
        scope = msgspec.structs.replace(scope, filters=(*scope.filters, chosen))
    limit = whole(values, "limit", _DEFAULT_LIMIT, most=query.max_series)
    return ReportQuestion(
        asked=Asked(span=span, buckets=buckets, scope=scope, limit=limit),
        zone=zone,
        video_id=video_id,
        filters=tuple(text for name in sorted(FILTERS) for text in values.get(name, ())),
    )


async def report(reader: Reader, question: ReportQuestion) -> Row:
    """Return `{kpis, notes}`.

    A KPI: `id`, `name`, `definition`, `values` (`id`, `name`, `unit`, `format`, `better`, `value`,
    `previous`, `change` in %), `series` (`measure`, `unit`, `format`, `by`, `rows`) and `breakdowns`
    (`by`, `name`, `measures`, `rows`). Notes are sentences on what could not be told.

    Raises:
        QueryTimeout: It took longer than `query.report_timeout_ms`.
    """
    reader = reader.patient(reader.config.query.report_timeout_ms)
    sent = await delivery(reader, question.asked)
    found = await numbers(reader, question.asked)
    made = _Making(reader, question.asked, found)
    kpis = [made.kpi(plan) for plan in _PLANS]
    _add_largest(kpis)
    sent.add_to(kpis[-1])
    notes = [*sent.notes]
    if not found.exact:
        notes.append("Medians and p95 are within 1 %: there are very many views.")
    return {"kpis": kpis, "notes": notes}


def _add_largest(kpis: list[Row]) -> None:
    """Add to geography and devices which group has most views, as a share of them."""
    for kpi in kpis:
        if kpi["id"] not in {"geography", "devices"}:
            continue
        breakdown = kpi["breakdowns"][0]
        rows = [row for row in breakdown["rows"] if not row["other"] and row["group"]]
        first = rows[0] if rows else None
        kpi["values"].insert(0, {
            "id": "largest_share", "name": f"Largest {breakdown['name'].lower()}",
            "group": first["group"] if first else None, "unit": "%", "format": "number",
            "better": "neutral", "value": first["share"] if first else None,
            "previous": None, "change": None,
        })  # fmt: skip


class _Making:
    """Puts the numbers of the statements where the plans want them."""

    def __init__(self, reader: Reader, asked: Asked, found: Numbers) -> None:
        self._reader = reader
        self._asked = asked
        self._names = found.names
        self._found = found.found
        self._ranges = found.ranges
        self._measures = _measures(reader.catalogue)

    def kpi(self, plan: _Plan) -> Row:
        """Return one KPI."""
        breakdowns = [self._breakdown(by, ids) for by, ids in plan.cuts]
        if plan.distribution is not None:
            breakdowns.append(self._distribution(plan.id, *plan.distribution))
        return {
            "id": plan.id,
            "name": plan.name,
            "definition": plan.definition,
            "values": [self._value(name) for name in plan.values],
            "series": self._series(plan.drawn, plan.drawn_by),
            "breakdowns": breakdowns,
        }

    def _value(self, name: str) -> Row:
        now, before = (self._at(Key(current=period), name) for period in (True, False))
        described = described_of(self._measures[name])
        return described | {"value": now, "previous": before, "change": change_of(now, before)}

    def _at(self, key: Key, name: str) -> float | None:
        values = self._found.get(key, {})
        return values.get(name, self._measures[name].empty)

    def _series(self, name: str, by: str) -> Row:
        measure = self._measures[name]
        groups: Iterable[int | None] = [None]
        if by:
            groups = range(1, 1 + min(len(self._names[by]), _SERIES_SHOWN))
        rows = [row for group in groups for row in self._line(name, by, group)]
        if by and measure.kind == "sum":
            rows += self._rest(name, by)
        return {
            "measure": name, "name": measure.name, "unit": measure.unit, "format": measure.format,
            "by": by or None, "rows": rows,
        }  # fmt: skip

    def _line(self, name: str, by: str, group: int | None) -> list[Row]:
        rows = []
        for index, start in enumerate(self._asked.buckets.starts):
            labels = {} if group is None else {"group": self._names[by][group - 1], "other": False}
            key = Key(current=True, bucket=start, by=by, number=group or 0)
            before = msgspec.structs.replace(key, current=False)
            rows.append(self._bucket(index) | labels | {
                "value": self._at(key, name) if self._has_begun(start) else None,
                "previous": self._at(before, name),
            })  # fmt: skip
        return rows

    def _rest(self, name: str, by: str) -> list[Row]:
        """Return the series of all groups beyond those shown, where their numbers can be added."""
        shown = range(1, 1 + min(len(self._names[by]), _SERIES_SHOWN))
        rows = []
        for index, start in enumerate(self._asked.buckets.starts):
            left: dict[bool, float] = {}
            for period in (True, False):
                whole_ = self._at(Key(current=period, bucket=start), name) or 0
                keys = (Key(current=period, bucket=start, by=by, number=n) for n in shown)
                left[period] = whole_ - sum(self._at(key, name) or 0 for key in keys)
            value = left[True] if self._has_begun(start) else None
            rows.append(self._bucket(index) | {
                "group": OTHER, "other": True, "value": value, "previous": left[False],
            })  # fmt: skip
        return rows if any(row["value"] or row["previous"] for row in rows) else []

    def _bucket(self, index: int) -> Row:
        span = self._asked.span
        start, end = self._asked.buckets.edges(index)
        partial = start < span.from_ms or self._full_end(index, end) > span.to_ms
        provisional = self._reader.is_open(Span(start, max(end, start + 1)))
        return {"time": iso(start), "partial": partial, "provisional": provisional}

    def _full_end(self, index: int, end: int) -> int:
        """Return where a bucket would end if the span did not cut it."""
        buckets = self._asked.buckets
        last = index + 1 == len(buckets.starts)
        return buckets.starts[index] + REPORT_INTERVALS[buckets.interval] if last else end

    def _has_begun(self, start: int) -> bool:
        return start < self._reader.now_ms()

    def _breakdown(self, by: str, ids: Sequence[str]) -> Row:
        measures = [self._measures[name] for name in ids]
        numbered = [*enumerate(self._names[by], 1), (0, OTHER)]
        rows = [self._group(by, number, name, measures) for number, name in numbered]
        return {
            "by": by, "name": CUT_NAMES[by], "measures": [described_of(one) for one in measures],
            "rows": [row for row in rows if row is not None],
        }  # fmt: skip

    def _group(self, by: str, number: int, name: str, measures: list[Measure]) -> Row | None:
        now, before = (Key(current=period, by=by, number=number) for period in (True, False))
        if number == 0 and now not in self._found:
            return None
        row: Row = {"group": name, "other": number == 0}
        lead = measures[0].id
        views, whole_ = self._at(now, lead), self._at(Key(current=True), lead)
        share = 100 * views / whole_ if views is not None and whole_ else None
        row["share"] = share if measures[0].kind == "sum" else None
        row |= {one.id: self._at(now, one.id) for one in measures}
        row["change"] = {
            one.id: change_of(self._at(now, one.id), self._at(before, one.id)) for one in measures
        }
        return row

    def _distribution(self, kpi: str, distribution: Distribution, counted: str, name: str) -> Row:
        now, before = (self._ranges[kpi][period] for period in (True, False))
        whole_now, whole_before = sum(now), sum(before)
        rows = []
        for label, count, earlier in zip(distribution.labels, now, before, strict=True):
            share = 100 * count / whole_now if whole_now else None
            then = 100 * earlier / whole_before if whole_before else None
            rows.append({
                "group": label, "other": False, "share": share, counted: count,
                "change": {counted: change_of(count, earlier), "share": change_of(share, then)},
            })  # fmt: skip
        described = described_of(self._measures[counted])
        return {"by": "range", "name": name, "measures": [described], "rows": rows}


def described_of(measure: Measure) -> Row:
    """Return the fields that say what a measure's numbers are."""
    return {
        "id": measure.id, "name": measure.name, "unit": measure.unit, "format": measure.format,
        "better": measure.better,
    }  # fmt: skip


def _measures(catalogue: Catalogue) -> dict[str, Measure]:
    of_all = (of_starts(catalogue), of_viewers(catalogue), of_ends(catalogue), of_sessions())
    return {measure.id: measure for some in of_all for measure in some}


def flat(kpis: list[Row]) -> list[Row]:
    """Return a row a number: `kpi`, `measure`, `by`, `group`, `value`, `unit`, `change`."""
    return [row for kpi in kpis for row in (*_flat_values(kpi), *_flat_groups(kpi))]


def _flat_values(kpi: Row) -> Iterable[Row]:
    for value in kpi["values"]:
        group = value.get("group") or ""
        yield _flat(kpi, value, ("", group), (value["value"], value["change"]))


def _flat_groups(kpi: Row) -> Iterable[Row]:
    for breakdown in kpi["breakdowns"]:
        for row in breakdown["rows"]:
            for measure in breakdown["measures"]:
                numbers_ = row[measure["id"]], row["change"].get(measure["id"])
                yield _flat(kpi, measure, (breakdown["by"], row["group"]), numbers_)


def _flat(
    kpi: Row, measure: Row, where: tuple[str, str], numbers_: tuple[float | None, float | None]
) -> Row:
    return {
        "kpi": kpi["id"], "measure": measure["id"], "by": where[0], "group": where[1],
        "value": numbers_[0], "unit": measure["unit"], "change": numbers_[1],
    }  # fmt: skip
