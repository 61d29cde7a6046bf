"""Streams of encoders: which were seen, and one of them second by second.

An encoder reports one record a frame or one a second; which of the two is told by the typical (median)
distance of a stream's records. A record is awaited for one and a half times its distance: 1.5 x
1000 / fps where there is one a frame and the rate is known, else 1.5 s. Silence beyond that, up to the
next record, is a gap. Silence before the first and after the last record of a span is none.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from playhead.errors import NotFound
from playhead.query.metrics import bucket_sql, where_sql
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
from playhead.query.source import SOURCES
from playhead.query.span import INTERVALS, Buckets, Span, buckets_of, iso
from playhead.query.statement import Params

FRAMES: Final = SOURCES["frames"].table
STREAM_INTERVALS: Final = {"1s": 1_000, "5s": 5_000, "10s": 10_000, "30s": 30_000, **INTERVALS}
PATIENCE: Final = 1.5
"""How many times its distance a record is awaited before silence is a gap."""
_PER_FRAME_MS: Final = 500
"""Records that typically lie closer than this are one a frame."""
_SINGLE = frozenset({"from", "to", "timezone", "limit"})
_SINGLE_OF_ONE = frozenset({"from", "to", "timezone", "interval"})
_DEFAULT_FROM = "-1h"
_DEFAULT_FROM_OF_ONE = "-10m"
_DEFAULT_LIMIT = 100
Row = dict[str, Any]


class StreamsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Streams with records in a span; of one, `stream_id` and the buckets."""

    span: Span
    scope: Scope
    limit: int = 1
    stream_id: str | None = None
    buckets: Buckets | None = None


def streams_question_of(values: Values, asking: Asking) -> StreamsQuestion:
    """Read a question for the streams of a span.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    return StreamsQuestion(
        span=span_in(values, asking, _DEFAULT_FROM),
        scope=scope_of(values, asking, "frames"),
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=asking.config.query.max_groups),
    )


def stream_question_of(stream_id: str, values: Values, asking: Asking) -> StreamsQuestion:
    """Read a question for one stream.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE_OF_ONE, FILTERS)
    span = span_in(values, asking, _DEFAULT_FROM_OF_ONE)
    interval = one(values, "interval") or "1s"
    zone = ZoneInfo("UTC")  # buckets of one width: the SQL counts them
    limit = asking.config.query.max_buckets
    return StreamsQuestion(
        span=span,
        scope=scope_of(values, asking, "frames"),
        stream_id=stream_id,
        buckets=buckets_of(span, interval, zone, limit=limit, intervals=STREAM_INTERVALS),
    )


async def streams(reader: Reader, question: StreamsQuestion) -> tuple[list[Row], bool]:
    """Return a row a stream, the one heard last first, and whether there were more.

    Fields: `stream_id`, `property`, `first_seen_at`, `last_seen_at`, `records`, `per_frame`,
    `resolution` (the last one named), `bitrate_kbps`, `fps` (frames counted where records are one a
    frame, else as reported), `dropped_frames`, `gap_ms`, `gaps`.
    """
    params = Params()
    where = _where(reader, question, params)
    per_frame = f"typical < {_PER_FRAME_MS}"
    over_frame = f"spacing - {_awaited('true')}"
    over_second = f"spacing - {_awaited('false')}"
    sql = (
        "SELECT stream_id, property, min(ms) AS first_ms, max(ms) AS last_ms, count() AS records, "
        "quantileTDigestOrNull(0.5)(spacing) AS typical, "
        f"ifNull({per_frame}, false) AS per_frame, "
        "argMaxIf(resolution, ms, resolution != '') AS shown, "
        "avg(bitrate_kbps) AS kbps, avg(fps) AS reported, "
        "ifNull(sum(dropped_frames), 0) AS dropped, "
        f"sumIf({over_frame}, {over_frame} > 0) AS frame_gap, countIf({over_frame} > 0) AS frame_gaps, "
        f"sumIf({over_second}, {over_second} > 0) AS second_gap, "
        f"countIf({over_second} > 0) AS second_gaps "
        f"FROM ({_spaced_sql(where)}) GROUP BY stream_id, property "
        f"ORDER BY last_ms DESC, stream_id, property LIMIT {params.add('UInt32', question.limit + 1)}"
    )
    rows = await reader.about(question, sql, params)
    return [_stream(row) for row in rows[: question.limit]], len(rows) > question.limit


def _stream(row: Row) -> Row:
    per_frame = bool(row["per_frame"])
    first, last = int(row["first_ms"]), int(row["last_ms"])
    counted = 1000 * (row["records"] - 1) / (last - first) if last > first else None
    kind = "frame" if per_frame else "second"
    return {
        "stream_id": row["stream_id"],
        "property": row["property"],
        "first_seen_at": iso(first),
        "last_seen_at": iso(last),
        "records": row["records"],
        "per_frame": per_frame,
        "resolution": row["shown"],
        "bitrate_kbps": row["kbps"],
        "fps": counted if per_frame else row["reported"],
        "dropped_frames": row["dropped"],
        "gap_ms": row[f"{kind}_gap"] or 0,
        "gaps": row[f"{kind}_gaps"],
    }


async def stream(reader: Reader, question: StreamsQuestion) -> tuple[Row, list[Row]]:
    """Return one stream's row and a row a bucket, empty ones too.

    Fields of a bucket: `time`, `records`, `bitrate_kbps` (mean), `fps` (frames counted in the part of
    the bucket inside the span, where records are one a frame, else the mean of those reported),
    `dropped_frames`, `gap_ms` (silence that lies within the bucket). Where several properties
    use the same id, the one heard last is meant.

    Raises:
        NotFound: No record of the stream in the span, or none the token may see.
    """
    assert question.buckets is not None  # noqa: S101 (one stream has them: stream_question_of)
    found, _ = await streams(reader, question)
    if not found:
        hint = "GET /v1/streams lists the streams of a span."
        raise NotFound("There is no record of that stream in the span.", hint=hint)
    summary = found[0]
    params = Params()
    sql = _buckets_sql(reader, question, summary, params)
    rows = {int(row["bucket"]): row for row in await reader.about(question, sql, params)}
    buckets, span = question.buckets, question.span
    seen = []
    for index, start in enumerate(buckets.starts):
        begin, end = buckets.edges(index)
        width_ms = min(end, span.to_ms) - max(begin, span.from_ms)
        seen.append({"time": iso(start)} | _bucket(rows.get(start), summary, width_ms))
    return summary, seen


def _bucket(row: Row | None, summary: Row, width_ms: int) -> Row:
    records = row["records"] if row else 0
    reported = row["reported"] if row else None
    return {
        "records": records,
        "bitrate_kbps": row["kbps"] if row else None,
        "fps": 1000 * records / width_ms if summary["per_frame"] else reported,
        "dropped_frames": row["dropped"] if row else 0,
        "gap_ms": row["gap"] if row else 0,
    }


def _buckets_sql(reader: Reader, question: StreamsQuestion, summary: Row, params: Params) -> str:
    """Return the SELECT of the buckets: each record stands in its own, its gap in all it touches."""
    assert question.buckets is not None  # noqa: S101 (one stream has them: stream_question_of)
    where = _where(reader, question, params)
    where += f" AND property = {params.add('String', summary['property'])}"
    per_frame = params.add("Bool", summary["per_frame"])
    first = params.add("Int64", question.buckets.starts[0])
    width = params.add("Int64", question.buckets.width_ms)
    own = bucket_sql("ms", question.buckets, params)
    return (
        "SELECT bucket, countIf(own) AS records, avgIf(bitrate_kbps, own) AS kbps, "
        "avgIf(fps, own) AS reported, ifNull(sumIf(dropped_frames, own), 0) AS dropped, "
        "sum(gap) AS gap FROM ("
        f"SELECT {own} AS bucket, true AS own, bitrate_kbps, fps, dropped_frames, toInt64(0) AS gap "
        f"FROM ({_records_sql(where)}) UNION ALL "
        "SELECT begin AS bucket, false AS own, NULL, NULL, NULL, "
        f"least(high, begin + {width}) - greatest(low, begin) AS gap "
        f"FROM (SELECT {first} + toInt64(number) * {width} AS begin, low, high FROM ("
        f"SELECT ms + {_awaited(per_frame)} AS low, assumeNotNull(ms + spacing) AS high "
        f"FROM ({_spaced_sql(where)}) WHERE high > low) "
        f"ARRAY JOIN range(toUInt64(intDiv(low - {first}, {width})), "
        f"toUInt64(intDiv(high - 1 - {first}, {width})) + 1) AS number)"
        ") GROUP BY bucket"
    )


def _awaited(per_frame: str) -> str:
    """Return SQL of how long, whole ms, the record after one is awaited."""
    rate = f"if({per_frame} AND fps > 0, fps, 1.)"
    return f"toInt64(round({PATIENCE} * 1000 / {rate}))"


def _records_sql(where: str) -> str:
    return (
        "SELECT stream_id, CAST(property, 'String') AS property, "
        "toUnixTimestamp64Milli(at) AS ms, resolution, bitrate_kbps, fps, dropped_frames "
        f"FROM {FRAMES} WHERE {where}"
    )


def _spaced_sql(where: str) -> str:
    """Return a SELECT of records, each with `spacing`: the ms to the next one, NULL at the last."""
    following = (
        "leadInFrame(toNullable(ms)) OVER (PARTITION BY property, stream_id ORDER BY ms "
        "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
    )
    return f"SELECT *, {following} - ms AS spacing FROM ({_records_sql(where)})"


def _where(reader: Reader, question: StreamsQuestion, params: Params) -> str:
    where = where_sql(reader, question.scope, question.span, "at", params)
    if question.stream_id is None:
        return where
    return f"{where} AND stream_id = {params.add('String', question.stream_id)}"
