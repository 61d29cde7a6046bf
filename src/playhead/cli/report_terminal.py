"""The report on a terminal: aligned numbers, small bars and lines of bars, as wide as it is."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from playhead.query import report_words as words

Row = dict[str, Any]
WIDTH_LEAST: Final = 60
WIDTH_MOST: Final = 120
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_SPARK_CELLS: Final = 56
_BAR_CELLS: Final = 10
_NAME_CELLS: Final = (14, 32)
_GAP: Final = "  "
_COLOURS: Final = {"better": "green", "worse": "red"}
Paint = Callable[..., str]


def lines(data: Row, meta: Row, *, width: int, colours: bool) -> Iterator[str]:
    """Yield the report line by line.

    Args:
        data: As the server answered.
        meta: The same.
        width: Cells of a line; kept from 60 to 120.
        colours: Whether escape codes may be used.
    """
    drawn = _Terminal(max(WIDTH_LEAST, min(WIDTH_MOST, width)), colours=colours)
    yield from drawn.head(meta)
    if not any(value["value"] for kpi in data["kpis"] for value in kpi["values"]):
        yield "Nobody watched in this time: no view fits the span and the filters."
        return
    for kpi in data["kpis"]:
        yield ""
        yield from drawn.kpi(kpi)
    yield ""
    if meta["provisional"]:
        yield from drawn.quiet("The span is still open: its last numbers may change.")
    for note in data["notes"]:
        yield from drawn.quiet(note)


class _Terminal:
    """Writes for one width."""

    def __init__(self, width: int, *, colours: bool) -> None:
        self._width = width
        self._paint: Paint = click.style if colours else lambda text, **_: text

    def head(self, meta: Row) -> Iterator[str]:
        """Yield what the report is about."""
        zone = ZoneInfo(meta["timezone"])
        span, before = (f"{_at(one['from'], zone)} to {_at(one['to'], zone)}"
                        for one in (meta, meta["previous"]))  # fmt: skip
        yield self._paint("Viewing report", bold=True)
        yield f"{span} ({zone.key})"
        yield from self.quiet(f"compared with {before}")
        asked = [*meta["filters"], *([f"video_id:{meta['video_id']}"] if meta["video_id"] else [])]
        if asked:
            yield from self.quiet("only " + ", ".join(map(words.harmless, asked)))

    def quiet(self, text: str) -> Iterator[str]:
        """Yield a text of less weight, cut to the width by words."""
        line = ""
        for word in text.split():
            if line and cells(f"{line} {word}") > self._width:
                yield self._paint(line, dim=True)
                line = ""
            line = f"{line} {word}".strip()
        yield self._paint(line, dim=True)

    def kpi(self, kpi: Row) -> Iterator[str]:
        """Yield one KPI: its name, its numbers, its series and what it is cut by."""
        name = kpi["name"]
        yield self._paint(f"{name} {'─' * (self._width - cells(name) - 1)}", bold=True)
        yield from self._values(kpi["values"])
        if not kpi["series"]["by"]:
            yield from self._series(kpi["series"])
        for breakdown in kpi["breakdowns"]:
            yield ""
            yield from self._breakdown(breakdown)

    def _values(self, values: list[Row]) -> Iterator[str]:
        labels = [_label(value) for value in values]
        numbers = [_number(value) for value in values]
        wide, long = max(map(cells, labels)), max(map(cells, numbers))
        for value, label, number in zip(values, labels, numbers, strict=True):
            change = self._change(value["change"], value["better"])
            yield f"{_GAP}{_left(label, wide)}{_GAP}{_right(number, long)}{_GAP}{change}".rstrip()

    def _change(self, percent: float | None, better: str) -> str:
        if percent is None:
            return ""
        text = f"{words.arrow(percent)} {words.change(percent)}"
        colour = _COLOURS.get(words.verdict(percent, better))
        return self._paint(text, fg=colour) if colour else self._paint(text, dim=True)

    def _series(self, series: Row) -> Iterator[str]:
        values = words.whole_ones(series["rows"])
        known = [value for value in values if value is not None]
        if len(values) < 2 or not any(known):
            return
        most = words.shown(max(known), series["unit"], series["format"])
        label = f"{_GAP}over time, from 0 to {most}"
        room = min(_SPARK_CELLS, self._width - cells(label) - len(_GAP))
        yield f"{label}{_GAP}{self._paint(spark(values, room), fg='blue')}"

    def _breakdown(self, breakdown: Row) -> Iterator[str]:
        rows = breakdown["rows"]
        if not rows:
            yield from self.quiet(f"{_GAP}{breakdown['name']}: nothing to list.")
            return
        names = [words.name_of(row["group"], other=row["other"]) for row in rows]
        longest = max(cells(one) for one in (*names, breakdown["name"]))
        wide = max(_NAME_CELLS[0], min(_NAME_CELLS[1], longest))
        if self._width < 80:
            wide = min(wide, 20)
        shared = any(row["share"] is not None for row in rows)
        used = len(_GAP) + wide + (len(_GAP) + 8 + _BAR_CELLS if shared else 0)
        columns, left = self._columns(breakdown, rows, self._width - used)
        head = _GAP + _left(breakdown["name"], wide)
        head += f"{_GAP}{_right('Share', 7)} {' ' * _BAR_CELLS}" if shared else ""
        yield self._paint(head + "".join(_GAP + _right(c[0], c[1]) for c in columns), dim=True)
        for index, (row, name) in enumerate(zip(rows, names, strict=True)):
            line = _GAP + _left(cut(name, wide), wide)
            line += self._share(row["share"]) if shared else ""
            yield (line + "".join(_GAP + c[2][index] for c in columns)).rstrip()
        if left:
            more = "1 more column" if left == 1 else f"{left} more columns"
            yield from self.quiet(f"{more} in a wider terminal, or by --html or --json")

    def _share(self, share: float | None) -> str:
        text = words.shown(share, "%", "number") if share is not None else words.MISSING
        return f"{_GAP}{_right(text, 7)} {self._paint(bar(share, _BAR_CELLS), fg='blue')}"

    def _columns(
        self, breakdown: Row, rows: list[Row], room: int
    ) -> tuple[list[tuple[str, int, list[str]]], int]:  # fmt: skip
        """Return the columns that fit, as (title, width, cells), and how many do not."""
        found: list[tuple[str, int, list[str]]] = []
        for measure in breakdown["measures"]:
            texts = [
                words.shown(row[measure["id"]], measure["unit"], measure["format"]) for row in rows
            ]
            changes = [row["change"].get(measure["id"]) for row in rows]
            said = [words.change(one) for one in changes]
            number, change = max(map(cells, texts)), max(map(cells, said))
            wide = max(cells(measure["name"]), number + 1 + change)
            room -= len(_GAP) + wide
            if room < 0 and found:
                break
            found.append((measure["name"], wide, [
                " " * (wide - number - change - 1) + _right(text, number) + " "
                + self._said(_right(told, change), percent, measure["better"])
                for text, told, percent in zip(texts, said, changes, strict=True)
            ]))  # fmt: skip
        return found, len(breakdown["measures"]) - len(found)

    def _said(self, text: str, percent: float | None, better: str) -> str:
        colour = _COLOURS.get(words.verdict(percent, better))
        return self._paint(text, fg=colour) if colour else self._paint(text, dim=True)


def spark(values: Sequence[float | None], room: int) -> str:
    """Return values as bars from zero to the largest, means where there are more than room."""
    per = -(-len(values) // max(1, room))
    means = []
    for start in range(0, len(values), per):
        known = [value for value in values[start : start + per] if value is not None]
        means.append(sum(known) / len(known) if known else None)
    most = max((mean for mean in means if mean is not None), default=0)
    if most <= 0:
        return ""
    return "".join(" " if m is None else _SPARKS[min(7, int(m / most * 7.999))] for m in means)


def bar(percent: float | None, room: int) -> str:
    """Return a share as a bar of eighths of cells, as wide as the room."""
    if percent is None or percent <= 0:
        return " " * room
    eighths = max(1, min(room * 8, round(percent / 100 * room * 8)))
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest - 1] if rest else "")).ljust(room)


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, room: int) -> str:
    """Return a text that takes no more cells than there is room."""
    if cells(text) <= room:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells_of(character)
        if used > room:
            break
        kept += character
    return kept.rstrip() + "…"


def _left(text: str, room: int) -> str:
    return text + " " * (room - cells(text))


def _right(text: str, room: int) -> str:
    return " " * (room - cells(text)) + text


def _label(value: Row) -> str:
    group = value.get("group")
    name: str = value["name"]
    return f"{name}: {cut(words.name_of(group, other=False), 24)}" if group else name


def _number(value: Row) -> str:
    number, unit = words.number_and_unit(value["value"], value["unit"], value["format"])
    return f"{number} {unit}" if unit.endswith(("/s", "/min")) else number


def _at(text: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at.day} {at:%b %Y, %H:%M}"
