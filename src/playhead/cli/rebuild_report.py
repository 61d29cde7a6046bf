"""What a rebuild changes, as lines of a terminal and as one JSON document."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from playhead.rebuild.progress import Progress
from playhead.rebuild.totals import Difference

_KEPT: Final = (
    ("events_gone", "their events are gone by retention"),
    ("not_final", "they are open, and the worker's"),
    ("newer", "written by the worker since the rebuild began"),
    ("not_folded", "the fold fails on their events; the log says why"),
)
"""Why views stay as they are."""
_HEAD: Final = ("METRIC", "OLD", "NEW", "CHANGE")


def progress_line(found: Progress) -> str:
    """Return how far it is, in one line."""
    if found.stage == "folding":
        day = found.plan.days[min(found.at, len(found.plan.days) - 1)]
        return (
            f"{found.at} of {len(found.plan.days)} days folded, {found.tally.views:,} views ({day})"
        )
    return f"{found.at} of {len(found.touched)} days taken over"


def lines(found: Progress, metrics: Sequence[Difference], *, color: bool = False) -> Iterator[str]:
    """Yield the report: views by what became of them, metrics that change."""
    tally, days = found.tally, found.plan.days
    if not days:
        yield "There are no views."
        return
    yield f"{tally.views:,} views of {days[0]} to {days[-1]} (UTC days of receipt)"
    yield f"  {tally.changed:>12,}  change"
    if tally.marked:
        yield f"  {tally.marked:>12,}  keep their numbers and get the mark of the newer fold"
    if tally.added or tally.removed:
        yield f"  {tally.added:>12,}  are new, and {tally.removed:,} go: their sessions are cut otherwise"
    for name, said in _KEPT:
        if count := getattr(tally, name):
            yield f"  {count:>12,}  stay as they are: {said}"
    changed = [one for one in metrics if one.is_changed]
    yield ""
    if changed:
        yield from _table(changed, color=color)
    more = len(metrics) - len(changed)
    yield f"{more} of {len(metrics)} metrics are the same before and after."


def document(found: Progress, metrics: Sequence[Difference]) -> dict[str, Any]:
    """Return the same as JSON."""
    plan, tally = found.plan, found.tally
    return {
        "id": plan.id,
        "stage": found.stage,
        "from": plan.days[0] if plan.days else None,
        "to": plan.days[-1] if plan.days else None,
        "days": len(plan.days),
        "days_changed": found.touched,
        "views": {name: getattr(tally, name) for name in tally.__struct_fields__},
        "metrics": [
            {
                "id": one.id,
                "name": one.name,
                "measurement": one.measurement,
                "unit": one.unit,
                "old": one.old,
                "new": one.new,
                "change_percent": one.change_percent,
            }
            for one in metrics
        ],
    }


def _table(changed: Sequence[Difference], *, color: bool) -> Iterator[str]:
    rows = [_HEAD, *(_cells(one) for one in changed)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    for number, row in enumerate(rows):
        name, *numbers = row
        line = "  ".join(
            [name.ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
        )
        yield f"\x1b[2m{line}\x1b[0m" if color and not number else line
    yield ""


def _cells(one: Difference) -> tuple[str, str, str, str]:
    change = one.change_percent
    said = "" if change is None else f"{change:+.2f} %"
    return f"{one.id} ({one.measurement}, {one.unit})", _number(one.old), _number(one.new), said


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3f}".rstrip("0").rstrip(".")
