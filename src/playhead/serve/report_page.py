"""The report as a page that stands alone: one file, no script, nothing loaded from anywhere."""

import base64
import hashlib
import html
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from playhead.query import report_words as words
from playhead.serve.report_chart import NARROW, WIDE, Chart, Line, bar, drawing, sparkline

Row = dict[str, Any]
_HEADLINES: Final = {
    "views": "views", "unique_views": "unique_views", "session_duration": "session_median",
    "startup_time": "startup_median", "buffering": "rebuffer_percentage",
    "geography": "largest_share", "devices": "largest_share", "cdn": "score",
}  # fmt: skip
_DAYS_LABELLED_MS: Final = 60 * 3_600_000
"""Spans from here on name days below a chart, shorter ones hours."""
_FEW_MEASURES: Final = 3
"""A table of so many has room for each change beside its number."""


@cache
def _style() -> str:
    return files("playhead.serve").joinpath("report.css").read_text("utf-8")


@cache
def policy() -> str:
    """Return the page's content security policy: its own style by hash, and nothing else."""
    digest = hashlib.sha256(_style().encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def page(data: Row, meta: Row) -> str:
    """Return the page; `data` and `meta` are those of the answer in JSON."""
    in_file = policy().replace("; frame-ancestors 'none'", "")  # a page cannot say that of itself
    zone = ZoneInfo(meta["timezone"])
    span = f"{_moment(meta['from'], zone)} to {_moment(meta['to'], zone)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{in_file}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Report, {html.escape(span)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        f"{_head(meta, zone, span)}\n<main>\n{_body(data, meta, zone)}</main>\n"
        f"{_foot(data, meta)}\n</body>\n</html>\n"
    )


def _head(meta: Row, zone: ZoneInfo, span: str) -> str:
    previous = meta["previous"]
    earlier = f"{_moment(previous['from'], zone)} to {_moment(previous['to'], zone)}"
    asked = [*meta["filters"], *([f"video_id:{meta['video_id']}"] if meta["video_id"] else [])]
    shown = "".join(f"<li><bdi>{_text(words.harmless(one))}</bdi></li>" for one in asked)
    chips = f'<ul class="filters" aria-label="Filters">{shown}</ul>' if shown else ""
    return (
        f'<header><p class="brand">Playhead</p><h1>Viewing report</h1>'
        f'<p class="span">{_text(span)} <span class="quiet">({_text(zone.key)})</span></p>'
        f'<p class="quiet">Compared with {_text(earlier)}.</p>{chips}</header>'
    )


def _body(data: Row, meta: Row, zone: ZoneInfo) -> str:
    kpis = data["kpis"]
    if not any(value["value"] for kpi in kpis for value in kpi["values"]):
        return (
            '<p class="empty">Nobody watched in this time: there is no view that fits the span '
            "and the filters.</p>\n"
        )
    tiles = "".join(f"<li>{_tile(kpi)}</li>" for kpi in kpis)
    sections = "\n".join(_section(kpi, meta, zone) for kpi in kpis)
    return f'<ul class="tiles" aria-label="Summary">{tiles}</ul>\n{sections}\n'


def _foot(data: Row, meta: Row) -> str:
    notes = "".join(f"<li>{_text(note)}</li>" for note in data["notes"])
    provisional = (
        "<li>The span is still open: its last numbers may change.</li>"
        if meta["provisional"]
        else ""
    )
    return (
        "<footer><ul>"
        "<li>Percentages beside a number say how it differs from the period of equal length right "
        "before; arrows are coloured where one direction is better.</li>"
        "<li>Dashed: a time that is not over, or that the span cuts. Thin grey line: the period "
        "before.</li>"
        "<li>Robots and internal views are left out unless a "
        f"filter names them.</li>{provisional}{notes}</ul></footer>"
    )


def _tile(kpi: Row) -> str:
    wanted = _HEADLINES[kpi["id"]]
    value = next((one for one in kpi["values"] if one["id"] == wanted), kpi["values"][0])
    label = _label(value)
    series = kpi["series"]
    drawn = "" if series["by"] else sparkline(words.whole_ones(series["rows"]))
    return (
        f'<a href="#{kpi["id"]}"><span class="kpi">{_text(kpi["name"])}</span>'
        f'<span class="value">{_number(value)}</span>'
        f'<span class="what">{label}</span>{_change(value)}{drawn}</a>'
    )


def _label(value: Row) -> str:
    name = _text(value["name"])
    group = value.get("group")
    return f"{name}: <bdi>{_text(words.name_of(group, other=False))}</bdi>" if group else name


def _number(value: Row) -> str:
    number, unit = words.number_and_unit(value["value"], value["unit"], value["format"])
    small = f' <span class="unit">{_text(unit)}</span>' if unit.endswith(("/s", "/min")) else ""
    return f"{_text(number)}{small}"


def _change(value: Row) -> str:
    percent = value["change"]
    if percent is None:
        return ""
    verdict = words.verdict(percent, value["better"])
    said = {"better": " (better)", "worse": " (worse)"}.get(verdict, "")
    return (
        f'<span class="change {verdict}"><span aria-hidden="true">{words.arrow(percent)}</span> '
        f'{words.change(percent)}<span class="said">{said}</span></span>'
    )


def _section(kpi: Row, meta: Row, zone: ZoneInfo) -> str:
    name = kpi["id"]
    values = "".join(
        f"<div><dt>{_label(value)}</dt><dd>{_number(value)} {_change(value)}</dd></div>"
        for value in kpi["values"]
    )
    tables = "".join(_breakdown(kpi, one) for one in kpi["breakdowns"])
    return (
        f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{_text(kpi["name"])}</h2>'
        f'<p class="quiet">{_text(kpi["definition"])}</p><dl>{values}</dl>'
        f"{_figure(kpi, meta, zone)}{tables}</section>"
    )


def _figure(kpi: Row, meta: Row, zone: ZoneInfo) -> str:
    series = kpi["series"]
    lines = _lines(series["rows"])
    if not any(value for line in lines for value in line.values):
        said = _text(series["name"].lower())
        return f'<p class="empty">There is nothing to draw for {said} in this time.</p>'
    first = series["rows"][: len(lines[0].values)]
    stacked = bool(series["by"]) and series["unit"] == "views"
    columns = series["unit"] in {"views", "viewers"}
    by = f" by {_by(series['by'])}" if series["by"] else ""
    title = f"{series['name']}{by} over time"
    chart = Chart(
        kind="columns" if columns or stacked else "lines", title=title,
        unit=series["unit"], form=series["format"], lines=lines,
        previous=() if series["by"] else [row["previous"] for row in first],
        buckets=[row["time"] for row in first],
        times=_times([row["time"] for row in first], zone),
        open=[row["partial"] or row["provisional"] for row in first],
    )  # fmt: skip
    texts = [_told(chart, index, row, zone) for index, row in enumerate(first)]
    drawn = drawing(chart, WIDE, texts) + drawing(chart, NARROW, texts)
    return (
        f"<figure><figcaption>{_text(title)}</figcaption>{_legend(chart)}{drawn}"
        f"{_numbers(chart, meta, texts, zone)}</figure>"
    )


def _by(dimension: str) -> str:
    return {"country": "country", "device_class": "device", "cdn": "CDN"}.get(dimension, dimension)


def _lines(rows: list[Row]) -> list[Line]:
    groups: dict[tuple[str, bool], list[float | None]] = {}
    for row in rows:
        key = (row.get("group", ""), row.get("other", False))
        groups.setdefault(key, []).append(row["value"])
    if len(groups) == 1 and "group" not in (rows[0] if rows else {}):
        return [Line("", next(iter(groups.values())))]
    return [
        Line(words.name_of(name, other=other), values) for (name, other), values in groups.items()
    ]


def _legend(chart: Chart) -> str:
    found = [
        f'<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="f{number}" width="12" '
        f'height="12" rx="2"/></svg><bdi>{_text(line.name)}</bdi></li>'
        for number, line in enumerate(chart.lines)
        if line.name
    ]
    if any(value is not None for value in chart.previous):
        found.append(
            '<li><svg viewBox="0 0 12 12" aria-hidden="true"><path class="earlier" d="M0 6H12"/>'
            "</svg>period before</li>"
        )
    return f'<ul class="legend">{"".join(found)}</ul>' if found else ""


def _told(chart: Chart, index: int, row: Row, zone: ZoneInfo) -> list[str]:
    """Return what is said of a bucket: its time, then a number a line."""
    told = [_moment(row["time"], zone)]
    for line in chart.lines:
        number = words.shown(line.values[index], chart.unit, chart.form)
        told.append(f"{line.name}: {number}" if line.name else number)
    if chart.previous:
        earlier = chart.previous[index]
        told.append(f"period before: {words.shown(earlier, chart.unit, chart.form)}")
    if row["partial"] or row["provisional"]:
        told.append("only part of it lies in the span" if row["partial"] else "may still change")
    return told


def _numbers(chart: Chart, meta: Row, texts: Sequence[Sequence[str]], zone: ZoneInfo) -> str:
    """Return the chart as a table, folded."""
    heads = [line.name or chart.title.partition(" over ")[0] for line in chart.lines]
    heads += ["Period before"] if chart.previous else []
    rows = []
    for index, told in enumerate(texts):
        cells = [line.values[index] for line in chart.lines]
        cells += [chart.previous[index]] if chart.previous else []
        numbers = "".join(
            f"<td>{_text(words.shown(v, chart.unit, chart.form))}</td>" for v in cells
        )
        mark = " *" if chart.open[index] else ""
        rows.append(f'<tr><th scope="row">{_text(told[0])}{mark}</th>{numbers}</tr>')
    titles = "".join(f'<th scope="col"><bdi>{_text(head)}</bdi></th>' for head in heads)
    return (
        f"<details><summary>The numbers</summary>{_wide(chart.title)}"
        f'<table><thead><tr><th scope="col">From ({_text(zone.key)}; {_text(meta["interval"])})</th>'
        f"{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        "<p class=quiet>* not over, or cut by the span</p></details>"
    )


def _breakdown(kpi: Row, breakdown: Row) -> str:
    title = f"By {_by_title(breakdown)}"
    if not breakdown["rows"]:
        return f'<p class="empty">{_text(title)}: there is nothing to list.</p>'
    shared = any(row["share"] is not None for row in breakdown["rows"])
    few = ' class="few"' if len(breakdown["measures"]) <= _FEW_MEASURES else ""
    heads = "".join(f'<th scope="col">{_text(one["name"])}</th>' for one in breakdown["measures"])
    share = '<th scope="col" class="share">Share</th>' if shared else ""
    rows = "".join(_group(row, breakdown["measures"], shared=shared) for row in breakdown["rows"])
    return (
        f"{_wide(kpi['name'] + ', ' + title.lower())}<table{few}><caption>{_text(title)}</caption><thead><tr>"
        f'<th scope="col">{_text(breakdown["name"])}</th>{share}{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _by_title(breakdown: Row) -> str:
    name: str = breakdown["name"]
    return name if name.isupper() else name.lower()


def _group(row: Row, measures: list[Row], *, shared: bool) -> str:
    name = words.name_of(row["group"], other=row["other"])
    cells = []
    for one in measures:
        value = row[one["id"]]
        percent = row["change"].get(one["id"])
        shown = _text(words.shown(value, one["unit"], one["format"]))
        cells.append(f"<td>{shown}{_change({'change': percent, 'better': one['better']})}</td>")
    share = ""
    if shared:
        text = words.shown(row["share"], "%", "number")
        share = f'<td class="share"><span>{_text(text)}</span>{bar(row["share"])}</td>'
    kind = ' class="other"' if row["other"] or not row["group"] else ""
    return f'<tr{kind}><th scope="row"><bdi>{_text(name)}</bdi></th>{share}{"".join(cells)}</tr>'


def _wide(label: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(label)}">'


def _times(starts: Sequence[str], zone: ZoneInfo) -> list[tuple[int, str]]:
    """Return the buckets that begin a day, or, of a short span, those at round hours."""
    moments = [datetime.fromisoformat(start).astimezone(zone) for start in starts]
    length_ms = 1000 * (moments[-1] - moments[0]).total_seconds() if moments else 0
    if length_ms >= _DAYS_LABELLED_MS:
        days = [(i, f"{m.day} {m:%b}") for i, m in enumerate(moments) if m.hour == m.minute == 0]
        return days or [(0, f"{moments[0].day} {moments[0]:%b}")]
    hours = [(i, f"{m:%H:%M}") for i, m in enumerate(moments) if m.minute == 0]
    return hours if len(hours) > 1 else [(i, f"{m:%H:%M}") for i, m in enumerate(moments)]


def _moment(text: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at.day} {at:%b %Y}, {at:%H:%M}"


def _text(text: str) -> str:
    return html.escape(text)
