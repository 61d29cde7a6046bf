"""Answers about metrics as operations."""

from typing import Final

from playhead.config import Config
from playhead.query.catalogue import catalogue
from playhead.query.compare import PERIODS
from playhead.query.filter import row_value
from playhead.query.histogram import STEPS
from playhead.query.source import SOURCES
from playhead.query.span import INTERVALS
from playhead.serve.openapi.operations import JSON, Operation, loose, row, rows_of
from playhead.serve.openapi.parameters import (
    FAULTS_OF_ONE,
    FORMAT,
    SPAN,
    choice,
    group_by,
    known,
    narrowed,
    path,
    required,
    text,
    whole,
)

_NUMBERS: Final = loose(value="number?", group="string", time="time")
_MEASURED: Final = text("measurement", "How it is measured: one of the metric's `measurements`.")


def _spread() -> list[str]:
    """Return the metrics that have a histogram."""
    return [one.id for one in catalogue().metrics.values() if row_value(one) is not None]


def operations(config: Config) -> tuple[Operation, ...]:
    """Return the answers about metrics."""
    return (*_asked(config), *_spread_and_compared(config), *_dimensions(config), *_live(config))


def _asked(config: Config) -> tuple[Operation, ...]:
    """Return the three forms of a metric, and their list."""
    metric = path("metric", "Id of the metric.", enum=list(catalogue().metrics))
    common = (metric, *SPAN, *narrowed(*SOURCES), FORMAT, _MEASURED)
    order = choice(
        "order", "Order of the groups.", "value:desc", "value:asc", "group:asc", "group:desc"
    )
    return (
        Operation(
            path="/v1/metrics", tag="Metrics", forms=JSON,
            said="List every metric, dimension and interval.",
            data=row(metrics=rows_of(loose(id="string")), dimensions=rows_of(loose(id="string"))),
        ),
        Operation(
            path="/v1/metrics/{metric}/overall", tag="Metrics", faults=FAULTS_OF_ONE, data=_NUMBERS,
            said="A metric as one number.", parameters=common,
        ),
        Operation(
            path="/v1/metrics/{metric}/timeseries", tag="Metrics", faults=FAULTS_OF_ONE,
            said="A metric as a series, a bucket a row.", data=rows_of(_NUMBERS),
            parameters=(
                *common, group_by(*SOURCES),
                choice("interval", "Width of the buckets.", *INTERVALS, "auto", default="auto"),
                whole("limit", "Most groups.", most=config.query.max_series),
            ),
        ),
        Operation(
            path="/v1/metrics/{metric}/breakdown", tag="Metrics", faults=FAULTS_OF_ONE,
            said="A metric by a dimension.", data=rows_of(_NUMBERS),
            parameters=(
                *common, required(group_by(*SOURCES)), order,
                whole("limit", "Most groups.", most=config.query.max_groups, default=50),
            ),
        ),
    )  # fmt: skip


def _spread_and_compared(config: Config) -> tuple[Operation, ...]:
    """Return what looks at a metric more closely."""
    return (
        Operation(
            path="/v1/metrics/{metric}/histogram", tag="Metrics", faults=FAULTS_OF_ONE,
            said="How the rows of a metric are spread: a bucket a row.",
            data=rows_of(loose(group="string", percentage="number?")),
            parameters=(
                path("metric", "Id of a metric that each row has a value of.", enum=_spread()),
                *SPAN, *narrowed(*SOURCES), FORMAT, group_by(*SOURCES),
                whole("limit", "Most groups.", most=config.query.max_series, default=5),
                choice("steps", "Named edges; without them, those that suit the metric.", *STEPS),
            ),
        ),
        Operation(
            path="/v1/compare", tag="Metrics", faults=FAULTS_OF_ONE,
            said="A metric over two periods, or for several values of a dimension.",
            data=rows_of(loose(value="number?")),
            parameters=(
                required(choice("metric", "Id of the metric; it may be repeated.", *catalogue().metrics)), *SPAN,
                *narrowed(*SOURCES), FORMAT, _MEASURED, group_by(*SOURCES),
                whole("limit", "Most groups.", most=config.query.max_series, default=10),
                choice("compare", "The other period.", *PERIODS, default=PERIODS[0]),
            ),
        ),
    )  # fmt: skip


def _dimensions(config: Config) -> tuple[Operation, ...]:
    """Return what says which dimensions and values there are."""
    return (
        Operation(
            path="/v1/dimensions", tag="Metrics",
            said="Every dimension, and the custom keys of a span.",
            data=rows_of(loose(id="string", description="string")),
            parameters=(
                *SPAN, *narrowed("views"), FORMAT,
                whole("limit", "Most custom keys.", most=config.query.max_groups, default=100),
            ),
        ),
        Operation(
            path="/v1/dimensions/{dimension}", tag="Metrics", faults=FAULTS_OF_ONE,
            said="The values of a dimension, most rows first.",
            data=rows_of(loose(value="string")),
            parameters=(
                path("dimension", "Id of the dimension.", enum=known("views")), *SPAN,
                *narrowed("views"), FORMAT, text("q", "Only values that hold this text."),
                choice("match", "Whether `q` stands anywhere or begins the value.", "contains", "prefix"),
                choice("source", "Whose rows are counted.", "views"),
                whole("limit", "Most values.", most=config.query.max_groups, default=100),
            ),
        ),
    )  # fmt: skip


def _live(config: Config) -> tuple[Operation, ...]:
    """Return what says what goes on now."""
    return (
        Operation(
            path="/v1/live", tag="Metrics",
            said="The last minutes in buckets of five seconds.",
            data=rows_of(loose(time="time", concurrent_viewers="integer", failures="integer")),
            parameters=(
                whole("minutes", "How far back.", most=config.query.max_live_minutes, default=30),
                group_by("views"), whole("limit", "Most groups.", most=config.query.max_series),
                *narrowed("views"), FORMAT,
            ),
        ),
        Operation(
            path="/v1/live/stream", tag="Metrics", forms=("text/event-stream",), bare=True,
            said="The same as server-sent events: the window, then every second what changed in it.",
            data={"type": "string"},
            parameters=(
                whole("minutes", "How far back.", most=config.query.max_live_minutes, default=30),
                group_by("views"), whole("limit", "Most groups.", most=config.query.max_series),
                *narrowed("views"),
                text("last_event_id", "Where a listener left off; as the header `Last-Event-ID`."),
                text("ask", "A question as it would stand in the address; several may be asked."),
            ),
        ),
    )  # fmt: skip
