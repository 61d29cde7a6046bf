"""Charts of the report as inline SVG: columns and lines from zero, axes with units, no script.

Colours come from classes of the page. A bucket that is not over, or that the span cuts, is drawn
dashed; the period before is a thin line behind.
"""

import html
import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

MARGIN_LEFT: Final = 46
MARGIN_RIGHT: Final = 8
MARGIN_TOP: Final = 22
MARGIN_BOTTOM: Final = 24
TICKS: Final = 4
_UNITS_OF_TIME: Final = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"))
_STEPS: Final = (1, 2, 2.5, 5, 10)


class Size(msgspec.Struct, frozen=True):
    """A drawing's width and height in its own units, and how many times are written below it."""

    name: str
    width: int
    height: int
    times: int


WIDE: Final = Size("wide", 920, 230, 8)
NARROW: Final = Size("narrow", 330, 200, 3)
"""Its text is as large on a phone as that of the wide one on a desk."""


class Line(msgspec.Struct, frozen=True):
    """One series; None is a gap."""

    name: str
    values: Sequence[float | None]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn; all lines have one value for each of the buckets."""

    kind: Literal["columns", "lines"]
    title: str
    unit: str
    form: str
    lines: Sequence[Line]
    previous: Sequence[float | None] = ()
    buckets: Sequence[str]
    """What each bucket is called."""
    times: Sequence[tuple[int, str]]
    """Which buckets have a word below them."""
    open: Sequence[bool]
    """Which are not whole."""


class Axis(msgspec.Struct, frozen=True):
    """The vertical axis: `top` is the value at its upper end, `scale` the values in one unit."""

    top: float
    ticks: tuple[float, ...]
    unit: str
    scale: float

    def label(self, value: float) -> str:
        """Return the text at a tick."""
        number = value / self.scale
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(number) >= size:
                return f"{number / size:g}{letter}"
        return f"{number:g}"


def axis_of(most: float, unit: str, form: str) -> Axis:
    """Return an axis from zero to a round number at or above the largest value."""
    scale, name = 1.0, unit
    if form == "duration":
        found = next((one for one in _UNITS_OF_TIME if most >= one[0]), (1, "ms"))
        scale, name = float(found[0]), found[1]
    most = most / scale if most > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(most / TICKS))
    step = next(size * power for size in _STEPS if size * power * TICKS >= most)
    if unit not in {"%", ""} and form != "duration" and most >= 1:
        step = max(1.0, step)  # no half views
    ticks = [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]
    ticks = ticks if len(ticks) > 1 else [0.0, step]
    return Axis(ticks[-1] * scale, tuple(tick * scale for tick in ticks), name, scale)


def drawing(chart: Chart, size: Size, texts: Sequence[Sequence[str]]) -> str:
    """Return the chart as one `<svg>`; `texts` has what is said of each bucket, a line each."""
    plot = _Plot(chart, size)
    body = [*plot.grid(), *plot.times()]
    body += plot.columns() if chart.kind == "columns" else plot.lines()
    body += [*plot.earlier(), *plot.hints(texts)]
    return (
        f'<svg class="chart {size.name}" viewBox="0 0 {size.width} {size.height}" role="img" '
        f'aria-label="{html.escape(chart.title)}">{"".join(body)}</svg>'
    )


class _Plot:
    """One drawing in the making."""

    def __init__(self, chart: Chart, size: Size) -> None:
        self._chart = chart
        self._size = size
        self._count = max(1, len(chart.buckets))
        self._wide = (size.width - MARGIN_LEFT - MARGIN_RIGHT) / self._count
        self._axis = axis_of(_most(chart), chart.unit, chart.form)
        self._floor = size.height - MARGIN_BOTTOM

    def x(self, index: float) -> float:
        """Return the left edge of a bucket."""
        return MARGIN_LEFT + index * self._wide

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return self._floor - value / self._axis.top * (self._floor - MARGIN_TOP)

    def grid(self) -> list[str]:
        """Return the axis: lines, numbers and the unit."""
        right = self._size.width - MARGIN_RIGHT
        found = [f'<text class="axis" x="2" y="12">{html.escape(self._axis.unit)}</text>']
        for tick in self._axis.ticks:
            y = self.y(tick)
            kind = "grid" if tick else "floor"
            found.append(
                f'<line class="{kind}" x1="{MARGIN_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            label = self._axis.label(tick)
            found.append(
                f'<text class="axis end" x="{MARGIN_LEFT - 6}" y="{y + 4:.1f}">{label}</text>'
            )
        return found

    def times(self) -> list[str]:
        """Return the words below the axis."""
        every = max(1, math.ceil(len(self._chart.times) / self._size.times))
        found = []
        for index, text in self._chart.times[::every]:
            x = self.x(index)
            y = self._floor
            found.append(f'<line class="floor" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}"/>')
            late = x > self._size.width - MARGIN_RIGHT - 56
            found.append(
                f'<text class="axis{" end" if late else ""}" x="{x:.1f}" y="{y + 17}">'
                f"{html.escape(text)}</text>"
            )
        return found

    def columns(self) -> list[str]:
        """Return stacked columns, the first line at the bottom."""
        gap = min(3.0, self._wide * 0.2)
        found = []
        for index in range(len(self._chart.buckets)):
            below = 0.0
            for number, line in enumerate(self._chart.lines):
                value = line.values[index]
                if not value:
                    continue
                top, bottom = self.y(below + value), self.y(below)
                found.append(
                    f'<rect class="f{number}{self._open(index)}" x="{self.x(index) + gap / 2:.1f}" '
                    f'y="{top:.1f}" width="{self._wide - gap:.1f}" height="{bottom - top:.1f}"/>'
                )
                below += value
        return found

    def lines(self) -> list[str]:
        """Return lines; the way to a bucket that is not whole is dashed, a lonely one is a dot."""
        return [part for n, line in enumerate(self._chart.lines) for part in self._line(n, line)]

    def _line(self, number: int, line: Line) -> list[str]:
        found = []
        for index, value in enumerate(line.values):
            if value is None:
                continue
            x, y = self.x(index + 0.5), self.y(value)
            before = line.values[index - 1] if index else None
            after = line.values[index + 1] if index + 1 < len(line.values) else None
            if before is not None:
                dashed = self._open(index) or self._open(index - 1)
                found.append(
                    f'<line class="l{number}{dashed}" x1="{self.x(index - 0.5):.1f}" '
                    f'y1="{self.y(before):.1f}" x2="{x:.1f}" y2="{y:.1f}"/>'
                )
            if self._open(index) or (before is None and after is None):
                found.append(f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        return found

    def earlier(self) -> list[str]:
        """Return the period before as a thin line."""
        parts, pen = [], "M"
        for index, value in enumerate(self._chart.previous):
            if value is None:
                pen = "M"
                continue
            parts.append(f"{pen}{self.x(index + 0.5):.1f} {self.y(value):.1f}")
            pen = "L"
        return [f'<path class="earlier" d="{"".join(parts)}"/>'] if parts else []

    def hints(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Return invisible columns that say their numbers to whoever points at them."""
        height = self._floor - MARGIN_TOP
        return [
            f'<rect class="hint" x="{self.x(index):.1f}" y="{MARGIN_TOP}" '
            f'width="{self._wide:.1f}" height="{height}"><title>'
            f"{html.escape(chr(10).join(told))}</title></rect>"
            for index, told in enumerate(texts)
        ]

    def _open(self, index: int) -> str:
        return " open" if self._chart.open[index] else ""


def _most(chart: Chart) -> float:
    if chart.kind == "columns":
        sums = [
            sum(v or 0 for v in at) for at in zip(*(o.values for o in chart.lines), strict=True)
        ]
    else:
        sums = [v for line in chart.lines for v in line.values if v is not None]
    return max([*sums, *(v for v in chart.previous if v is not None)], default=0)


def sparkline(values: Sequence[float | None]) -> str:
    """Return a small line without axes, from zero; empty where there are no numbers."""
    known = [value for value in values if value is not None]
    if not known or max(known) <= 0:
        return ""
    most, last = max(known), max(1, len(values) - 1)
    parts, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{120 * index / last:.1f} {30 - 28 * value / most:.1f}")
        pen = "L"
    return (
        '<svg class="spark" viewBox="0 0 120 32" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="l0" d="{"".join(parts)}"/></svg>'
    )


def bar(percent: float | None) -> str:
    """Return a share as a small bar; the number stands beside it."""
    if percent is None:
        return ""
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/>'
        f'<rect class="f0" width="{min(100.0, max(0.0, percent)):.1f}" height="8"/></svg>'
    )
