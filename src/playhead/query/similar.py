"""Titles of similar length: how a title's curve stands among theirs.

Curves of different lengths are compared at a hundred places, each a hundredth of the length of the
title. A view is laid on them by the length its own player told.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Final

import msgspec

from playhead.query import curve
from playhead.query.metrics import where_sql
from playhead.query.reader import Asked, Reader
from playhead.query.statement import Params
from playhead.query.watched import BEGAN, UNKNOWN, VIEWS, bins_sql

PLACES: Final = 100
_BAND: Final = (0.25, 0.75)
"""The middle half of the titles is what is typical."""
_COUNT: Final = -1
"""The bin of the edge that counts a view."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A title among others: at each of a hundred places its rank (0 to 1) and the typical share.

    `reason`: why there is none, then the lists are empty.
    """

    titles: int = 0
    ranks: tuple[float, ...] = ()
    typical_low: tuple[float, ...] = ()
    typical_high: tuple[float, ...] = ()
    reason: str | None = None

    def at(self, place: float) -> dict[str, float | None]:
        """Return the fields of a point at a share (0 to 1) of the length."""
        if not self.ranks:
            return {"relative": None, "typical_low": None, "typical_high": None}
        index = min(PLACES - 1, int(place * PLACES))
        return {
            "relative": round(self.ranks[index], 4),
            "typical_low": round(self.typical_low[index], 6),
            "typical_high": round(self.typical_high[index], 6),
        }


def band_of(length_s: float, percent: int) -> tuple[float, float]:
    """Return the shortest and the longest length that is similar."""
    return length_s * (1 - percent / 100), length_s * (1 + percent / 100)


async def standing(reader: Reader, asked: Asked, *, video_id: str, length_s: float) -> Standing:
    """Return how a title's share of views present stands among titles of similar length."""
    query = reader.config.query
    others = await _others(reader, asked, video_id=video_id, length_s=length_s)
    if len(others) < query.min_similar_titles:
        reason = (
            f"{len(others)} {'title' if len(others) == 1 else 'titles'} within {query.similar_length_percent} % of its length with "
            f"{query.min_retention_views} views or more; {query.min_similar_titles} are needed"
        )
        return Standing(titles=len(others), reason=reason)
    curves = await _curves(reader, asked, titles=[video_id, *others], length_s=length_s)
    own = curves.pop(video_id, None)
    if own is None:
        return Standing(titles=len(curves), reason="no view of it told its length")
    columns = list(zip(*curves.values(), strict=True))
    return Standing(
        titles=len(curves),
        ranks=tuple(curve.rank(mine, their) for mine, their in zip(own, columns, strict=True)),
        typical_low=tuple(curve.quantile(their, _BAND[0]) for their in columns),
        typical_high=tuple(curve.quantile(their, _BAND[1]) for their in columns),
    )


def _within(reader: Reader, length_s: float, params: Params) -> str:
    low, high = band_of(length_s, reader.config.query.similar_length_percent)
    low_sql, high_sql = params.add("Float64", low), params.add("Float64", high)
    return f"duration_s BETWEEN {low_sql} AND {high_sql} AND ({BEGAN}) AND NOT ({UNKNOWN})"


async def _others(reader: Reader, asked: Asked, *, video_id: str, length_s: float) -> list[str]:
    """Return the titles to compare with, those with the most views."""
    query = reader.config.query
    params = Params()
    own = params.add("Array(String)", ["", video_id])
    where = where_sql(reader, asked.scope, asked.span, "started_at", params)
    least = params.add("UInt32", query.min_retention_views)
    sql = (
        f"SELECT CAST(video_id, 'String') AS title, count() AS n FROM {VIEWS} WHERE {where} "
        f"AND {_within(reader, length_s, params)} AND video_id NOT IN {own} GROUP BY title "
        f"HAVING n >= {least} ORDER BY n DESC, title "
        f"LIMIT {params.add('UInt32', query.max_similar_titles)}"
    )
    rows = await reader.about(asked, sql, params)
    return [row["title"] for row in rows]


async def _curves(
    reader: Reader, asked: Asked, *, titles: list[str], length_s: float
) -> dict[str, tuple[float, ...]]:
    """Return the share of views present at each place, by title."""
    params = Params()
    where = where_sql(reader, asked.scope, asked.span, "started_at", params)
    where += f" AND video_id IN {params.add('Array(String)', titles)}"
    where += f" AND {_within(reader, length_s, params)}"
    pieces = (
        "arrayFilter(p -> p.2 > p.1, arrayMap(r -> (greatest(r.1, 0.), "
        "least(r.2, assumeNotNull(duration_s))), arrayZip(watched_from_s, watched_to_s)))"
    )
    width = f"(assumeNotNull(duration_s) / {PLACES})"
    rows_sql = bins_sql(pieces, width, f"{VIEWS} WHERE {where}", columns="video_id, ")
    edges = (
        f"arrayConcat([(toInt32({_COUNT}), 1)], "
        "arrayMap(low -> (low, 1), arrayFilter((low, before) -> low > before, lows, befores)), "
        "arrayMap(high -> (high, -1), arrayFilter((high, after) -> after > high, highs, afters)))"
    )
    sql = (
        "SELECT CAST(video_id, 'String') AS title, edge.1 AS bin, sum(edge.2) AS change FROM ("
        f"SELECT video_id, {edges} AS edges FROM ({rows_sql})) ARRAY JOIN edges AS edge "
        "GROUP BY title, bin"
    )
    found: dict[str, dict[int, int]] = {}
    for row in await reader.about(asked, sql, params):
        found.setdefault(row["title"], {})[int(row["bin"])] = int(row["change"])
    return {title: _shares(changes) for title, changes in found.items()}


def _shares(changes: dict[int, int]) -> tuple[float, ...]:
    views = changes[_COUNT]
    level = 0
    shares = []
    for place in range(PLACES):
        level += changes.get(place, 0)
        shares.append(level / views)
    return tuple(shares)
