"""Rows of fixtures, and answers written as an endpoint writes them."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

PROJECTS = Path(__file__).parents[1] / "projects"
Row = dict[str, Any]
K = TypeVar("K", bound=Hashable)


def events(project: str, fixture: str) -> list[Row]:
    """Return the objects of an `.ndjson` fixture."""
    text = (PROJECTS / project / fixture).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def cells(project: str, fixture: str, *names: str) -> list[Row]:
    """Return the rows of a CSV fixture under these names; a header line is left out."""
    with (PROJECTS / project / fixture).open(newline="") as file:
        rows = [dict(zip(names, row, strict=True)) for row in csv.reader(file) if row]
    return [row for row in rows if row[names[0]] != names[0]]


def at(text: str) -> datetime:
    """Return a moment of a fixture, UTC and without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def grouped(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, list[Row]]:
    """Return rows by a key, in the order of rows."""
    found: dict[K, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def shown(value: Any) -> Any:
    """Return a value as it stands in an answer: whole floats without a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [shown(one) for one in value]
    return value


def lines(rows: Iterable[Row]) -> str:
    """Return rows as NDJSON."""
    return "\n".join(
        json.dumps(
            {name: shown(value) for name, value in row.items()},
            separators=(",", ":"),
            ensure_ascii=False,
        ).replace("/", "\\/")
        for row in rows
    )


def csv_text(rows: Iterable[Row]) -> str:
    """Return rows as CSV: texts in quotes, numbers without."""
    some = list(rows)
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(some[0])
    writer.writerows([_cell(value) for value in row.values()] for row in some)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return str(shown(value)).replace(", ", ",")
    return shown(value)


def table(rows: Sequence[Row]) -> str:
    """Return rows as `tb sql` prints them: between lines of dashes, numbers to the right."""
    texts = [list(rows[0]), *([str(_cell(value)) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    numbers = [isinstance(value, int) for value in rows[0].values()]
    line = "-" * (sum(widths) + 3 * len(widths) + 1)
    printed = []
    for place, row in enumerate(texts):
        padded = [
            text.rjust(width) if right and place else text.ljust(width)
            for text, width, right in zip(row, widths, numbers, strict=True)
        ]
        printed.append(f"| {' | '.join(padded)} |")
    return "\n".join([line, printed[0], line, *printed[1:], line, ""])


def quantile(values: Sequence[float], level: float) -> float:
    """Return a quantile, between two values in proportion."""
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
