"""The page of metrics and dimensions, made from the catalogue."""

from collections.abc import Iterator

from playhead.query.catalogue import Catalogue, Metric, catalogue
from playhead.query.source import SOURCES

HEAD = (
    "# Metrics and dimensions\n",
    "`GET /v1/metrics/{id}/overall|timeseries|breakdown|histogram`, see [HTTP](http.md#get-v1metrics). "
    "Bots and internal traffic are left out unless a filter names `bot` or `internal`.\n",
    "Each metric says what it counts, in words and as SQL over the columns of "
    "[a view](fields.md#a-view-v1views-table-playheadviews) or the rows of its source, and where the "
    "definitions of others differ: a variant is asked for with `measurement=NAME`. Numbers of the "
    "settings `good_…` and `apdex_…` of `[query]` stand here with their defaults. Metrics of one number "
    "a row also have every percentile from `p1` to `p99`, and `p99.9`.\n",
    "| id | unit | better | what |\n|---|---|---|---|",
)
WAYS = {"higher": "higher", "lower": "lower", "neutral": "as it is"}
WHEN = {
    "start": "at the view's start",
    "end": "at the view's end; an open view at its latest known moment",
    "interval": "throughout the view",
    "moment": "at their own moment",
}


def page() -> str:
    """Return the page as Markdown."""
    found = catalogue()
    rows = [
        f"| [`{one.id}`](#{one.id}) | {one.unit} | {WAYS[one.better]} | {one.name} |"
        for one in found.metrics.values()
    ]
    sections = [line for one in found.metrics.values() for line in _section(one)]
    return "\n".join([*HEAD, *rows, "", *sections, *_dimensions(found)]) + "\n"


def _section(metric: Metric) -> Iterator[str]:
    yield f'<a id="{metric.id}"></a>\n\n## {metric.name} — `{metric.id}`\n'
    yield f"{metric.definition}\n"
    if metric.kind != "concurrent":
        yield f"```sql\n{metric.aggregate(metric.allowed()[0])}\n```\n"
    rows = metric.of()
    yield f"- unit: {metric.unit}; better: {WAYS[metric.better]}"
    yield f"- made from: {rows.said}, counted {WHEN[metric.bucket]}"
    own = [f"`{one}`" for one in metric.allowed() if one not in metric.variants]
    yield f"- measurements: {', '.join(own)} (first is the default)"
    if metric.kind == "ratio":
        yield f"- `count` is the sum above the line, in {metric.unit_of('count')}"
    if metric.aliases:
        yield f"- also found as: {', '.join(f'`{one}`' for one in metric.aliases)}"
    for name, difference in metric.compat.items():
        yield f"- {name}: {difference}"
        if name in metric.variants:
            yield f"  - `measurement={name}`: `{metric.aggregate(name)}`"
    yield ""


def _dimensions(found: Catalogue) -> Iterator[str]:
    yield "## Dimensions\n"
    said = "; ".join(f"`{name}`: {one.said}" for name, one in SOURCES.items())
    yield f"A dimension cuts metrics of its sources, and those only. {said}.\n"
    yield "| id | meaning | of |\n|---|---|---|"
    for dimension in found.listed:
        text = dimension.description.replace("|", "\\|")
        yield f"| `{dimension.id}` | {text} | {', '.join(dimension.sources)} |"
    yield "| `custom.KEY` | Your own dimension: `custom` of the event. | views, renditions |"
