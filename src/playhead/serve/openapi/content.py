"""What viewers watch of a title, and what drags the metrics, as operations."""

from typing import Final

from playhead.config import Config
from playhead.query.catalogue import catalogue
from playhead.query.insights import usual_measurement
from playhead.query.span import DAY_MS
from playhead.serve.openapi.operations import Operation, loose, rows_of
from playhead.serve.openapi.parameters import (
    FAULTS_OF_ONE,
    FORMAT,
    SPAN,
    Parameter,
    choice,
    narrowed,
    path,
    text,
    whole,
)

_POINT: Final = loose(
    start_s="number", end_s="number", views="integer", absolute="number?",
    audience_watch_ratio="number?", rewatches="number", started_watching="integer",
    stopped_watching="integer", relative="number?", typical_low="number?", typical_high="number?",
)  # fmt: skip
_INSIGHT: Final = loose(
    metric="string", measurement="string", unit="string", dimension="string", value="string",
    negative_impact="number", views="integer", share="number",
)  # fmt: skip


def operations(config: Config) -> tuple[Operation, ...]:
    """Return the answers about content and about what drags the metrics."""
    query = config.query
    filters = narrowed("views")
    measured = [
        metric.id
        for metric in catalogue().metrics.values()
        if metric.source == "views" and usual_measurement(metric)
    ]
    metric = Parameter(
        name="metric", said=f"Id of a metric made from views; up to {query.max_insight_metrics}.",
        schema={"type": "string", "enum": measured}, many=True,
        most=query.max_insight_metrics,
    )  # fmt: skip
    known = "|".join(sorted(catalogue().dimensions))
    return (
        Operation(
            path="/v1/insights", tag="Metrics", faults=FAULTS_OF_ONE,
            said="What drags the metrics: values by what a metric would be without them.",
            data=rows_of(_INSIGHT),
            parameters=(
                *SPAN, *filters, FORMAT, metric,
                text("measurement", "How the one metric asked for is measured: no percentile."),
                text("dimensions", "Only these dimensions, separated by commas.",
                     pattern=f"^({known})(,({known}))?$"),
                whole("min_views", "Values with fewer views are left out.",
                      most=10**9 - 1, default=query.min_insight_views),
                whole("limit", "Most rows.", most=query.max_groups, default=50),
                choice("pairs", "Look at pairs of values, too.", "true", "false", default="true"),
                choice("noise", "List what chance may explain, too.", "true", "false",
                       default="false"),
            ),
        ),
        Operation(
            path="/v1/retention/{video_id}", tag="Content", faults=FAULTS_OF_ONE,
            said="How many viewers each second of a title holds.",
            data=rows_of(_POINT),
            parameters=(
                path("video_id", "Id of the title."), *SPAN, *filters, FORMAT,
                whole("resolution", "Seconds of a point.", most=DAY_MS // 1000, default=1),
                choice("axis", "Positions in the content, or wall time of a stream.",
                       "auto", "content", "wall", default="auto"),
            ),
        ),
    )  # fmt: skip
