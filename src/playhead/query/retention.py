"""Retention: how many viewers each second of a title holds.

Shares are of the views that showed content (`base`); views that played without telling where are left
out and counted. A stream without a length runs on wall time from the start of its first view, unless
the content axis is asked for.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from playhead.errors import InvalidRequest, NotFound
from playhead.query import curve
from playhead.query.curve import Grid, Moment, Step
from playhead.query.metrics import where_sql
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
from playhead.query.similar import Standing, band_of, standing
from playhead.query.span import DAY_MS, Span, iso
from playhead.query.statement import Params
from playhead.query.watched import (
    BEGAN,
    COVERED_S,
    REPEATING,
    UNKNOWN,
    VIEWS,
    Axis,
    Place,
    presence_sql,
    repeats_sql,
)

Row = dict[str, Any]
INTRO_S: Final = 30
"""Who still watches then has taken to it."""
COMPLETE: Final = 0.95
"""A view that came this far has seen the title: few wait for the last of the credits."""
_EDGE_S: Final = 30
"""Players report every ten seconds or so: who watches live now seems to have left shortly before now."""
_EPOCH_S: Final = 1e9
"""Players of live streams may count seconds since 1970; titles are not thirty years long."""
_DEFAULT_FROM: Final = "-30d"
_AXES: Final[tuple[Literal["auto", "content", "wall"], ...]] = ("auto", "content", "wall")
_SINGLE: Final = frozenset({"from", "to", "timezone", "resolution", "axis"})


class RetentionQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which title, over the views that began in which span, how fine, on which axis."""

    video_id: str
    span: Span
    scope: Scope
    resolution_s: int = 1
    axis: Literal["auto", "content", "wall"] = "auto"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What the views of a title say together; times in ms UTC, the rest in seconds of content."""

    views: int
    started: int
    unknown: int
    open: int
    duration: float | None
    """The median of what players told."""
    live: int
    nearest: float
    furthest: float
    first_ms: int
    last_ms: int
    played: float
    covered: float
    repeating: int
    """Views that watched something again."""
    intro: int
    lengthy: int
    """Views whose length is known: of these, `completed` came to the end."""
    completed: int


def retention_question_of(video_id: str, values: Values, asking: Asking) -> RetentionQuestion:
    """Read a question for a title's curve.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    asked = one(values, "axis") or "auto"
    axis = next((name for name in _AXES if name == asked), None)
    if axis is None:
        raise InvalidRequest("The axis is not known.", hint=f"Use one of {', '.join(_AXES)}.")
    return RetentionQuestion(
        video_id=video_id,
        span=span_in(values, asking, _DEFAULT_FROM),
        scope=scope_of(values, asking),
        resolution_s=whole(values, "resolution", 1, most=DAY_MS // 1000),
        axis=axis,
    )


async def retention(reader: Reader, question: RetentionQuestion) -> tuple[list[Row], Row]:
    """Return a row a bin, and the summary of the curve.

    Fields of a row: `start_s`, `end_s`, `views`, `absolute`, `audience_watch_ratio`, `rewatches`,
    `started_watching`, `stopped_watching`, `relative`, `typical_low`, `typical_high`.

    Raises:
        NotFound: No view of the title in the span, or none the token may see.
    """
    shape = await _shape(reader, question)
    place = place_of(question, shape, reader.config.query.max_retention_points)
    steps, repeats, among = await asyncio.gather(
        _presence(reader, question, place),
        _repeats(reader, question, shape, place),
        _standing(reader, question, shape, place),
    )
    counted = shape.started - (shape.unknown if place.axis == "content" else 0)
    rows = _rows(place.grid, counted, steps=steps, repeats=repeats, among=among)
    return rows, _summary(reader, shape, place, counted=counted, rows=rows, among=among)


def place_of(question: RetentionQuestion, shape: Shape, most: int) -> Place:
    """Return the axis and bins of an answer: as fine as asked, coarser where points would exceed `most`."""
    axis: Axis = "content"
    if question.axis == "wall" or (
        question.axis == "auto" and shape.duration is None and 2 * shape.live > shape.started
    ):
        axis = "wall"
    origin = float(shape.first_ms)
    length = (shape.last_ms - shape.first_ms) / 1000
    if axis == "content":
        origin = math.floor(shape.nearest) if shape.nearest > _EPOCH_S else 0.0
        length = shape.duration or max(0.0, shape.furthest - origin)
    width = max(question.resolution_s, math.ceil(length / most))
    return Place(axis=axis, origin=origin, grid=Grid(length_s=length, width_s=width))


async def _shape(reader: Reader, question: RetentionQuestion) -> Shape:
    params = Params()
    began = f"({BEGAN})"
    known = f"{began} AND NOT ({UNKNOWN})"
    lengthy = f"{known} AND duration_s > 0"
    ms = "toUnixTimestamp64Milli"
    at = params.add("Float64", INTRO_S)
    intro = f"arrayExists((a, b) -> a <= {at} AND b > {at}, watched_from_s, watched_to_s)"
    sql = (
        f"SELECT count() AS views, countIf({began}) AS started, countIf(({UNKNOWN})) AS unknown, "
        f"countIf(NOT final) AS open, countIf(stream_type = 'live' AND {began}) AS live, "
        "quantileExactInclusiveOrNullIf(0.5)(duration_s, duration_s > 0) AS duration, "
        "minIf(watched_from_s[1], notEmpty(watched_from_s)) AS nearest, "
        "max(watched_to_s[-1]) AS furthest, "
        f"minIf({ms}(started_at), {began}) AS first_ms, maxIf({ms}(ended_at), {began}) AS last_ms, "
        f"sum(content_played_s) AS played, sum({COVERED_S}) AS covered, "
        f"countIf({REPEATING}) AS repeating, "
        f"countIf({intro}) AS intro, countIf({lengthy}) AS lengthy, "
        f"countIf({lengthy} AND watched_to_s[-1] >= {COMPLETE} * duration_s) AS completed "
        f"FROM {VIEWS} WHERE {_where(reader, question, params)}"
    )
    (row,) = await reader.about(question, sql, params)
    shape = msgspec.convert(row, Shape)
    if not shape.views:
        hint = "Without 'from' the span is the last 30 days; GET /v1/views lists views."
        raise NotFound("There is no view of that video in the span.", hint=hint)
    return shape


def _where(reader: Reader, question: RetentionQuestion, params: Params) -> str:
    title = params.add("String", question.video_id)
    where = where_sql(reader, question.scope, question.span, "started_at", params)
    return f"{where} AND video_id = {title}"


Presence = dict[int, tuple[Step, int, int]]
"""By bin: its step, and how many views begin and stop watching there."""


async def _presence(reader: Reader, question: RetentionQuestion, place: Place) -> Presence:
    if not place.grid.points:
        return {}
    params = Params()
    sql = presence_sql(place, _where(reader, question, params), params)
    rows = await reader.about(question, sql, params)
    return {int(row["bin"]): (_step(row), int(row["started"]), int(row["stopped"])) for row in rows}


async def _repeats(
    reader: Reader, question: RetentionQuestion, shape: Shape, place: Place
) -> dict[int, Step]:
    if place.axis == "wall" or not place.grid.points or not shape.repeating:
        return {}  # of wall time no moment comes twice
    params = Params()
    sql = repeats_sql(place, _where(reader, question, params), params)
    rows = await reader.about(question, sql, params)
    return {int(row["bin"]): _step(row) for row in rows}


def _step(row: Row) -> Step:
    return Step(int(row["change"]), float(row["part"]))


async def _standing(
    reader: Reader, question: RetentionQuestion, shape: Shape, place: Place
) -> Standing:
    least = reader.config.query.min_retention_views
    if place.axis == "wall" or shape.duration is None:
        return Standing(reason="its length is not known")
    if shape.lengthy < least:
        return Standing(reason=f"it has fewer than {least} views")
    return await standing(reader, question, video_id=question.video_id, length_s=shape.duration)


def _rows(
    grid: Grid, counted: int, *, steps: Presence, repeats: Mapping[int, Step], among: Standing
) -> list[Row]:
    points = grid.points
    started = {index: step[1] for index, step in steps.items()}
    stopped = {index: step[2] for index, step in steps.items()}
    views = curve.present(started, stopped, points)
    once = curve.seconds({index: step[0] for index, step in steps.items()}, grid)
    again = curve.seconds(repeats, grid)
    rows = []
    for index in range(points):
        start, end = grid.edges(index)
        width = end - start
        share = width * counted
        rows.append({
            "start_s": start,
            "end_s": end,
            "views": views[index],
            "absolute": round(views[index] / counted, 6) if counted else None,
            "audience_watch_ratio":
                round((once[index] + again[index]) / share, 6) if counted else None,
            "rewatches": round(again[index] / width, 3),
            "started_watching": started.get(index, 0),
            "stopped_watching": stopped.get(index, 0),
            **among.at((start + end) / 2 / grid.length_s),
        })  # fmt: skip
    return rows


def _summary(
    reader: Reader, shape: Shape, place: Place, *, counted: int, rows: list[Row], among: Standing
) -> Row:
    """Return what the curve says as a whole; shares 0 to 1, percentages 0 to 100 (repeats: more)."""
    grid, query = place.grid, reader.config.query
    is_content = place.axis == "content"
    length = shape.duration if is_content else None
    watched_s = math.fsum(
        row["audience_watch_ratio"] * (row["end_s"] - row["start_s"]) * counted for row in rows
    ) if counted else 0.0  # fmt: skip
    intro = grid.length_s > INTRO_S
    summary: Row = {
        "axis": place.axis,
        "origin_at": None if is_content else iso(shape.first_ms),
        "origin_s": place.origin if is_content else None,
        "length_s": grid.length_s,
        "duration_s": shape.duration,
        "resolution_s": grid.width_s,
        "views": shape.views,
        "started_views": shape.started,
        "base_views": counted,
        "unknown_position_views": shape.unknown,
        "open_views": shape.open,
        "content_played_s": round(shape.played, 3),
        "rewatched_s": round(max(0.0, shape.played - shape.covered), 3),
        "average_view_duration_s": round(shape.played / counted, 3) if counted else None,
        "average_percentage_viewed":
            round(100 * watched_s / (counted * length), 3) if counted and length else None,
        "intro_retention":
            round(shape.intro / counted, 6) if counted and is_content and intro else None,
        "completion_rate":
            round(shape.completed / shape.lengthy, 6) if shape.lengthy else None,
        "similar_titles": among.titles,
        "similar_length_s": list(band_of(length, query.similar_length_percent)) if length else None,
        "relative_reason": among.reason,
    }  # fmt: skip
    edge_s = grid.length_s - (_EDGE_S if shape.open and not is_content else 0)
    return summary | _moments(reader, grid, counted, rows, edge_s=edge_s)


def _moments(reader: Reader, grid: Grid, counted: int, rows: list[Row], *, edge_s: float) -> Row:
    """Return the places worth a look: none where too few views would make them chance.

    Falls and dips count up to `edge_s` only.
    """
    query = reader.config.query
    least, most = query.min_retention_views, query.max_moments
    if counted < least:
        reason = f"it has fewer than {least} views"
        names = ("drop_offs", "spikes", "dips", "most_engaged", "least_engaged")
        return {"moments_reason": reason} | {name: [] for name in names}
    settled = sum(row["end_s"] <= edge_s for row in rows)
    shares = [row["absolute"] for row in rows[:settled]]
    watched = [row["audience_watch_ratio"] for row in rows]
    parts = curve.segments(watched)

    def shown(moments: list[Moment]) -> list[Row]:
        return [
            {"start_s": grid.edges(one.start)[0], "end_s": grid.edges(one.end - 1)[1],
             "score": round(one.score, 4)}
            for one in moments
        ]  # fmt: skip

    return {
        "moments_reason": None,
        "drop_offs": shown(curve.falls(shares, counted, least=least, most=most)),
        "spikes": shown(curve.standouts(watched, counted, most=most, above=True)),
        "dips": shown(curve.standouts(watched[:settled], counted, most=most, above=False)),
        "most_engaged": shown([one for one in parts if one.score > 1][:most]),
        "least_engaged": shown([one for one in parts[::-1] if one.score < 1][:most]),
    }
