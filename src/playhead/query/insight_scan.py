"""The scan behind insights: what each value of each dimension gives each metric, in one statement.

Of very many views a sample is scanned: those of which a digest of the id falls into one of `sample` equal
parts. Shares and ratios are those of the sample; what is counted or summed is multiplied.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import math
from typing import Any, Final, Protocol

import msgspec

from playhead.query.catalogue import Dimension, Metric
from playhead.query.impact import Drag, Part, PartSql, drag_of, errors_of, part_sql
from playhead.query.metrics import where_sql
from playhead.query.reader import Asked, Reader
from playhead.query.source import SOURCES
from playhead.query.statement import Params

Row = dict[str, Any]
_VIEWS: Final = SOURCES["views"].rows()
Key = tuple[tuple[str, str], ...]
"""Dimensions and their values: one, or two of a pair; none for all views."""


class Scanned(Asked, Protocol):
    """A question: which metrics, measured how; values with fewer views are left out."""

    @property
    def metrics(self) -> tuple[tuple[Metric, str], ...]:
        """Return each metric with its measurement."""
        ...

    @property
    def min_views(self) -> int:
        """Return the fewest views of a value."""
        ...


class Cut(msgspec.Struct, frozen=True):
    """How one scan cuts views: sets of dimensions, given by their numbers in the list.

    `values`: of each dimension the values that are told apart; None: all of them.
    """

    dimensions: tuple[Dimension, ...]
    sets: tuple[tuple[int, ...], ...]
    values: tuple[tuple[str, ...], ...] | None = None

    def mask(self, chosen: tuple[int, ...]) -> int:
        """Return the engine's number of a set: bits of the dimensions it does not group by."""
        most = len(self.dimensions)
        return sum(1 << (most - 1 - at) for at in range(most) if at not in chosen)

    def key_sql(self, at: int, params: Params) -> str:
        """Return what a dimension is grouped by: itself, or the number of a value from 1 (0: others)."""
        column = self.dimensions[at].sql(params)
        if self.values is None:
            return column
        known = params.add("Array(String)", list(self.values[at]))
        return f"toUInt16(indexOf({known}, toString({column})))"

    def key_of(self, row: Row) -> Key | None:
        """Return the dimensions and values of a row: no one for all views, None for a value untold."""
        chosen = next((one_set for one_set in self.sets if self.mask(one_set) == row["mask"]), ())
        picks = [(at, row["picks"][at]) for at in chosen]
        if self.values is None:
            return tuple((self.dimensions[at].id, pick) for at, pick in picks)
        if any(pick == "0" for _, pick in picks):
            return None
        return tuple((self.dimensions[at].id, self.values[at][int(pick) - 1]) for at, pick in picks)


class Found(msgspec.Struct):
    """What scans gave a metric: all views, those of each key, and the watch time of these."""

    metric: Metric
    measurement: str
    parts: PartSql
    sample: int = 1
    """One of so many views was looked at."""
    total: Part = Part(0, 0, 0)
    by_key: dict[Key, Part] = {}
    watch_ms: dict[Key, float] = {}

    def drags(self) -> dict[Key, Drag]:
        """Return how each key drags the metric, where it has a metric without it."""
        found = {
            key: drag_of(self.metric, self.parts, total=self.total, part=part)
            for key, part in self.by_key.items()
        }
        return {key: drag for key, drag in found.items() if drag is not None}

    def errors(self, key: Key) -> float:
        """Return how many standard errors a key lies from the rest; of counts and sums: without end."""
        errors = errors_of(self.parts, total=self.total, part=self.by_key[key])
        return math.inf if errors is None else errors


async def sample_of(reader: Reader, question: Scanned) -> int:
    """Return of how many views one is looked at, so that a scan has at most `query.max_insight_views`.

    1 = every view.
    """
    params = Params()
    column = question.metrics[0][0].column()
    where = where_sql(reader, question.scope, question.span, column, params)
    rows = await reader.about(question, f"SELECT count() AS n FROM {_VIEWS} WHERE {where}", params)
    return max(1, math.ceil(int(rows[0]["n"]) / reader.config.query.max_insight_views))


async def scan(reader: Reader, question: Scanned, cut: Cut, sample: int) -> list[Found]:
    """Return what each metric has by the sets of a cut: one statement for each column of time."""
    found = []
    for metric, measurement in question.metrics:
        parts = part_sql(metric, measurement)
        assert parts is not None  # noqa: S101 (checked when the question was read)
        found.append(Found(metric, measurement, parts, sample, by_key={}, watch_ms={}))
    for column in dict.fromkeys(each.metric.column() for each in found):
        params = Params()
        ours = [each for each in found if each.metric.column() == column]
        sql = _scan_sql(reader, question, cut, column=column, ours=ours, params=params)
        for row in await reader.about(question, sql, params):
            key = cut.key_of(row)
            if key is not None:
                _take(row, key, ours, question.min_views)
    return found


def _take(row: Row, key: Key, ours: list[Found], min_views: int) -> None:
    for number, found in enumerate(ours):
        squares = (row[f"aa{number}"] or 0, row[f"ab{number}"] or 0, row[f"bb{number}"] or 0)
        # Counts and sums are told for all views; how sure a ratio is, is a matter of those looked at.
        times = found.sample if found.parts.below is None else 1
        above, below = (row[f"a{number}"] or 0) * times, row[f"b{number}"] or 0
        part = Part(above, below, row[f"n{number}"], squares)
        if not key:
            found.total = part
        elif part.views * found.sample >= min_views:
            found.by_key[key] = part
            found.watch_ms[key] = row["watched"] * found.sample


def _scan_sql(
    reader: Reader, question: Scanned, cut: Cut, *, column: str, ours: list[Found],
    params: Params,
) -> str:  # fmt: skip
    """Return a SELECT of `mask, picks, watched`, and of each metric `a`, `b`, `n` and the squares."""
    numbers = range(len(cut.dimensions))
    keys = [f"k{at}" for at in numbers]
    picks = ", ".join(f"toString({key})" for key in keys)
    sets = ", ".join(f"({', '.join(f'k{at}' for at in chosen)})" for chosen in cut.sets)
    named = ", ".join(f"{cut.key_sql(at, params)} AS k{at}" for at in numbers)
    sums = ", ".join(
        f"{each.parts.above} AS a{at}, {each.parts.below or '0'} AS b{at}, "
        f"{each.parts.counted} AS n{at}, {_squares_sql(each.parts, at)}"
        for at, each in enumerate(ours)
    )
    where = where_sql(reader, question.scope, question.span, column, params)
    sample = ours[0].sample
    if sample > 1:
        where = f"{where} AND cityHash64(view_id) % {params.add('UInt64', sample)} = 0"
    whole_mask = params.add("UInt64", cut.mask(()))
    least = params.add("UInt64", math.ceil(question.min_views / sample))
    most = params.add("UInt32", reader.config.query.max_groups)
    return (
        f"SELECT grouping({', '.join(keys)}) AS mask, [{picks}] AS picks, "
        f"sum(watch_ms) AS watched, {sums}, {named} FROM {_VIEWS} WHERE {where} "
        f"GROUP BY GROUPING SETS ({sets}, ()) "
        f"HAVING mask = {whole_mask} OR count() >= {least} "
        f"ORDER BY count() DESC, picks LIMIT {most} BY mask"
    )


def _squares_sql(parts: PartSql, at: int) -> str:
    known = parts.squares if parts.below is not None else ("0", "0", "0")
    return ", ".join(
        f"{sql} AS {name}{at}" for sql, name in zip(known, ("aa", "ab", "bb"), strict=True)
    )
