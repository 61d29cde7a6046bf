"""Reports as operations."""

from playhead.config import Config
from playhead.query.report import REPORT_INTERVALS
from playhead.serve.openapi.operations import ROWS, Operation, loose, rows_of
from playhead.serve.openapi.parameters import FORMAT, SPAN, choice, group_by, narrowed, text, whole


def operations(config: Config) -> tuple[Operation, ...]:
    """Return the reports."""
    return (
        Operation(
            path="/v1/report", tag="Metrics", forms=(*ROWS, "text/html"),
            said="The eight KPIs of a video platform, compared with the period before.",
            data=loose(kpis=rows_of(loose(id="string")), notes=rows_of({"type": "string"})),
            parameters=(
                *SPAN, *narrowed("views"), choice("format", "The form of the answer.", "json", "csv", "ndjson", "parquet", "html"),

                choice("interval", "Width of the buckets.", *REPORT_INTERVALS, "auto", default="auto"),
                text("video_id", "Only views of this video."),
                whole("limit", "Most groups of a table.", most=config.query.max_series, default=10),
            ),
        ),
        Operation(
            path="/v1/reports/cta2066", tag="Views",
            said="The aggregates of CTA-2066 of the sessions that ended in a span.",
            data=rows_of(loose(sessions="integer", playbackFailurePercentage="number?")),
            parameters=(
                *SPAN, *narrowed("views"), FORMAT, group_by("views"),
                whole("limit", "Most groups.", most=config.query.max_groups, default=50),
            ),
        ),
    )  # fmt: skip
