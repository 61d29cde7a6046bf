"""Answers about CDN requests and streams of encoders as operations."""

from playhead.config import Config
from playhead.query.span import INTERVALS
from playhead.query.streams import STREAM_INTERVALS
from playhead.serve.openapi.operations import Operation, loose, rows_of
from playhead.serve.openapi.parameters import (
    FAULTS_OF_ONE,
    FORMAT,
    SPAN,
    choice,
    group_by,
    narrowed,
    path,
    whole,
)


def operations(config: Config) -> tuple[Operation, ...]:
    """Return the answers about CDN requests and encoders."""
    return (
        Operation(
            path="/v1/cdn/kpis", tag="CDN",
            said="KPIs of CDN requests by time and group.",
            data=rows_of(loose(time="time", requests="integer", bytes="number")),
            parameters=(
                *SPAN, *narrowed("cdn"), FORMAT,
                choice("interval", "Width of the buckets; `all` is the whole span.", *INTERVALS, "auto", "all"),
                choice("group_by", "Groups, joined by commas, or `none`.", "owner", "pop", "cdn", "host",
                       "country", "property", "cdn,pop", "owner,cdn", "none"),
                whole("limit", "Most rows.", most=10_000, default=10_000),
            ),
        ),
        Operation(
            path="/v1/cdn/views", tag="CDN",
            said="How views fared, by what served most of their bytes.",
            data=rows_of(loose(group="string", views="integer")),
            parameters=(
                *SPAN, *narrowed("cdn"), FORMAT, group_by("cdn"),
                whole("limit", "Most groups.", most=config.query.max_groups, default=50),
            ),
        ),
        Operation(
            path="/v1/streams", tag="Streams",
            said="Streams of encoders with records in a span.",
            data=rows_of(loose(stream_id="string", records="integer")),
            parameters=(
                *SPAN, *narrowed("frames"), FORMAT,
                whole("limit", "Most streams.", most=config.query.max_groups, default=100),
            ),
        ),
        Operation(
            path="/v1/streams/{stream_id}", tag="Streams", faults=FAULTS_OF_ONE,
            said="One stream second by second.",
            data=rows_of(loose(time="time", records="integer")),
            parameters=(
                path("stream_id", "Id of the stream."), *SPAN, *narrowed("frames"), FORMAT,
                choice("interval", "Width of the buckets.", *STREAM_INTERVALS, "auto", default="1s"),
            ),
        ),
    )  # fmt: skip
