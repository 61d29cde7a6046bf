"""What uses the space on a terminal: a table where it is wide, two lines a use where it is narrow."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from playhead.cli.report_terminal import bar, cells, cut
from playhead.query import report_words as words

Row = Mapping[str, Any]
WIDTH_LEAST: Final = 48
WIDTH_MOST: Final = 160
SMALL_PERCENT: Final = 0.5
"""Uses that take less are told together, unless all are asked for."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_BAR_CELLS: Final = 8
_NAME_CELLS: Final = 36
_KEPT_CELLS: Final = 24
"""With less room a rule would be a column of single words."""
_SHARE: Final = "Share"
_HEADS: Final = ("On disk", _SHARE, "Rows", "Parts", "Oldest", "A day")
_GAP: Final = "  "
_NONE: Final = words.MISSING
_COLOURS: Final = {"ok": "green", "warn": "yellow", "low": "red"}
_WORDS: Final = {"ok": "enough space", "warn": "warning", "low": "below the floor"}
Paint = Callable[..., str]


def lines(data: Row, *, width: int, every: bool, colours: bool) -> Iterator[str]:
    """Yield the answer of `/v1/space` line by line.

    Args:
        data: As the server answered.
        width: Cells of a line; kept from 48 to 160.
        every: Whether small uses have lines of their own.
        colours: Whether escape codes may be used.
    """
    drawn = _Drawn(max(WIDTH_LEAST, min(WIDTH_MOST, width)), colours=colours)
    yield from drawn.head(data)
    # Not the data folder's: tables of a store elsewhere are no part of it.
    whole = sum(int(one["bytes"]) for one in data["items"])
    shown, rest = _parted(data["items"], whole, every=every)
    yield ""
    yield from drawn.table(shown, whole)
    if rest:
        yield drawn.quiet(
            f"{_GAP}{len(rest)} smaller uses: {size(sum(one['bytes'] for one in rest))} (--all)"
        )
    if data["removed"]:
        yield ""
        yield "Removed because of a table's size:"
        for table, gone in sorted(data["removed"].items()):
            yield (
                f"{_GAP}{_safe(table)}: {_counted(gone['days'], 'day')} up to {gone['last_day']},"
                f" {gone['rows']:,} rows, {size(gone['bytes'])}"
            )
    if data["reason"]:
        yield ""
        yield from drawn.wrapped(f"Not complete: {_safe(str(data['reason']))}")


def size(count: float | None) -> str:
    """Return bytes as people read them: `512 B`, `1.5 GiB`; a dash where they are not known."""
    if count is None:
        return _NONE
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.{0 if not unit or abs(value) >= 100 else 1}f} {_UNITS[unit]}"


class _Drawn:
    """Draws for one width."""

    def __init__(self, width: int, *, colours: bool) -> None:
        self._width = width
        self._paint: Paint = click.style if colours else lambda text, **_: text

    def head(self, data: Row) -> Iterator[str]:
        """Yield how the disk fares."""
        disk = data["disk"]
        state = self._paint(_WORDS[disk["state"]], fg=_COLOURS[disk["state"]], bold=True)
        yield f"{self._paint('Space', bold=True)}: {state}"
        yield from self.wrapped(
            f"The data folder takes {size(data['data_bytes'])}; {size(disk['free_bytes'])} of"
            f" {size(disk['total_bytes'])} are free (floor {size(disk['floor_bytes'])}, warning"
            f" below {size(disk['warning_bytes'])})."
        )
        yield from self.wrapped(_course(disk))
        if disk["remedy"]:
            yield from self.wrapped(disk["sentence"])
            yield from self.wrapped(disk["remedy"])

    def table(self, items: Sequence[Row], whole: int) -> Iterator[str]:
        """Yield the uses, largest first: a line each where their rules have room beside them."""
        texts = [_cells(item, whole) for item in items]
        wide = [max(map(cells, column)) for column in zip(_HEADS, *texts, strict=True)]
        names = [cut(_name(item), _NAME_CELLS) for item in items]
        longest = max([4, *map(cells, names)])
        used = longest + len(_GAP) * 7 + _BAR_CELLS + 1 + sum(wide)
        if self._width - used < _KEPT_CELLS:
            yield from self._narrow(items, whole)
            return
        head = _left("What", longest) + "".join(
            _GAP + _right(text, count + (_BAR_CELLS + 1 if text == _SHARE else 0))
            for text, count in zip(_HEADS, wide, strict=True)
        )
        yield self._paint(f"{head}{_GAP}Kept", dim=True)
        for item, name, row in zip(items, names, texts, strict=True):
            line = _left(name, longest)
            for title, text, count in zip(_HEADS, row, wide, strict=True):
                line += _GAP + _right(text, count)
                if title == _SHARE:
                    line += " " + self._bar(item, whole)
            first, *more = _wrapped(_safe(item["kept"]), self._width - used)
            yield f"{line}{_GAP}{self._paint(first, dim=True)}"
            for text in more:
                yield " " * used + self._paint(text, dim=True)

    def _narrow(self, items: Sequence[Row], whole: int) -> Iterator[str]:
        for item in items:
            on_disk, share, rows, _, oldest, growth = _cells(item, whole)
            room = min(_NAME_CELLS + 8, self._width - 10 - 8 - _BAR_CELLS - 1 - 3 * len(_GAP))
            name = cut(_name(item), max(12, room))
            yield (
                f"{_left(name, max(12, room))}{_GAP}{_right(on_disk, 10)}{_GAP}{_right(share, 7)}"
                f" {self._bar(item, whole)}"
            ).rstrip()
            facts = [_safe(item["kept"])]
            facts += [f"{rows} rows"] if rows != _NONE else []
            facts += [f"from {oldest}"] if oldest != _NONE else []
            facts += [f"{growth} a day"] if growth != _NONE else []
            for text in _wrapped(" · ".join(facts), self._width - 4):
                yield self._paint(f"    {text}", dim=True)

    def _bar(self, item: Row, whole: int) -> str:
        return self._paint(bar(_percent(item, whole), _BAR_CELLS), fg="blue")

    def quiet(self, text: str) -> str:
        """Return a text of less weight."""
        return self._paint(text, dim=True)

    def wrapped(self, text: str) -> Iterator[str]:
        """Yield a sentence, cut to the width by words."""
        yield from _wrapped(text, self._width)


def _parted(items: Sequence[Row], whole: int, *, every: bool) -> tuple[list[Row], list[Row]]:
    """Return the uses that are shown, and those too small for a line."""
    if every or len(items) <= 1:
        return list(items), []
    large = [one for one in items if _percent(one, whole) >= SMALL_PERCENT]
    small = [one for one in items if _percent(one, whole) < SMALL_PERCENT]
    return (large, small) if len(small) > 1 else (list(items), [])


def _percent(item: Row, whole: int) -> float:
    return 100 * float(item["bytes"]) / whole if whole else 0.0


def _cells(item: Row, whole: int) -> tuple[str, ...]:
    growth = item["growth_bytes_per_day"]
    return (
        size(item["bytes"]),
        f"{_percent(item, whole):.1f} %",
        _NONE if item["rows"] is None else f"{item['rows']:,}",
        _NONE if item["parts"] is None else f"{item['parts']:,}",
        str(item["oldest"])[:10] if item["oldest"] else _NONE,
        _NONE if growth is None else f"{'+' if growth > 0 else ''}{size(growth)}",
    )


def _name(item: Row) -> str:
    name = _safe(str(item["name"]))
    return f"{name} ({_safe(str(item['workspace']))})" if item["workspace"] else name


def _course(disk: Row) -> str:
    growth, days = disk["growth_bytes_per_day"], disk["full_in_days"]
    if growth is None:
        return "How fast it fills is known after an hour."
    if growth <= 0:
        return "It does not fill: there is as much free as a day ago, or more."
    until = "it is full in more than ten years" if days is None else (
        f"it is full in {'less than a day' if days < 1 else _counted(int(days), 'day')}"
    )  # fmt: skip
    return f"The disk fills by {size(growth)} a day; at this rate {until}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _wrapped(text: str, room: int) -> list[str]:
    found, line = [], ""
    for word in text.split():
        if line and cells(f"{line} {word}") > room:
            found.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*found, line]


def _safe(text: str) -> str:
    """Return a text without what would move the cursor: names of tables come from projects."""
    return "".join(one if unicodedata.category(one)[0] != "C" else "?" for one in text)


def _left(text: str, room: int) -> str:
    return text + " " * max(0, room - cells(text))


def _right(text: str, room: int) -> str:
    return " " * max(0, room - cells(text)) + text
