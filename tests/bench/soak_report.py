"""The report of a soak, as a page of the documentation: what was done, what held, what did not."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from bench.soak import WARM_S, Deed, Outcome, verdicts
from bench.soak_book import SPAN_S
from bench.soak_plan import PHASES

DOORS: Final = ("telemetry", "cmcd", "cdn", "rows", "imports", "queries", "live")
SENTENCES_MAX: Final = 5
_PLACE: Final = re.compile(r"/\S+?/data/")
"""The data folder of this machine, which is nobody else's business."""
_HEAD: Final = """# The soak

`make soak` runs Playhead for an hour under mixed load while everything that can happen to a server
happens to it, and compares afterwards, item by item, what was acknowledged with what is in the store.
This page is written by the run itself (`tests/bench/soak_report.py`); it is the last one that was
checked in, not a promise about other machines.
"""
_LOAD: Final = """## What is sent

From a process of its own, every body repeated until it is acknowledged: 60 views at a time (batches of
20 events every six seconds), CMCD records of 40 views (with and without `Idempotency-Key`), lines of a
CDN's log, rows for a data source with a materialized view behind it (half of the senders wait until
they can be queried, and count them at once), a CSV import every half minute, two questions a second,
three listeners of the live stream.
"""
_FOUND: Final = """## What it has found so far

- A line of the log that could not be written, to a file on the very disk that was full, ended the
  worker and the supervisor with it, and so the whole server. Such lines are now counted and left out.
- On a disk full to the last byte a merge can leave a part of empty files behind; the store starts anew
  to set it aside. One that had itself just started waited for half a minute, and meanwhile answered 500
  with a path of the data folder. Such reads are now answered 503 with `Retry-After`.
- A store that stood still altogether made some questions end with 408 `query_timeout`, which advises a
  shorter range. They are now answered 503 with `Retry-After`.
- An event of a view that had ended stayed in the worker for five minutes instead of one.
- A run before the one above said that the store's memory was not flat: 390 MB became 476 and then 561. It had counted
  the pages of the engine's library by the number of servers that shared them, and two others on the machine ended
  two minutes earlier. Memory is now counted without mapped files, and the hour above, run again, is flat.
- An hour of load alone (`make soak ARGS=--steady`, 1,456,530 items, none lost or doubled) began with 397, 404,
  419 MB of the store a five minutes and ended with 421, 411, 419; `web` went from 98 to 134 MB within forty
  minutes and stayed there; the worker stood at 195 MB from the sixth minute to the thirtieth, when a debugger was
  attached to it that kept hold of 70,000 events, which ended its part of that run.
"""
_LIMITS: Final = """## What this does not show

- The clock is moved for the processes' Python (`tests/bench/soak_clock`), by 45 seconds and by twenty
  minutes each way. The engine's own `now()` does not move with it. Idempotency keys are remembered
  by the wall clock: a jump by more than `collect.idempotency_ms` forgets them all.
- A kill ends processes, not the machine: what the kernel had taken it still writes. That a power cut
  loses nothing rests on `fsync` before the answer, which no test here takes away.
- The load is modest, so that processes are killed at every stage of their work rather than under
  pressure; [Performance](performance.md) says what the machine takes.
"""


def report_of(outcome: Outcome, machine: str) -> str:
    """Return the page, as Markdown."""
    parts = [
        _HEAD,
        *_run(outcome, machine),
        "## What held",
        *_table(("what", "", "measured"), _held(outcome)),
        *_wrong(outcome),
        _LOAD,
        "## What happened",
        *_table(("phase", "from", "", "done to it", "kills"), _phases(outcome)),
        "Kills by target: " + _counted(outcome.kills()) + ".",
        "",
        "## What was answered",
        "",
        (
            "Requests by phase and door; what is not 2xx was refused with a sentence and `Retry-After`,"
            " or the connection broke off, and was sent again."
        ),
        *_table(("phase", "door", "answers"), _answers(outcome)),
        "Slowest answers: "
        + ", ".join(f"{door} {s:.1f} s" for door, s in sorted(outcome.book.slowest_s.items()))
        + ".",
        "",
        "## Memory and processor",
        *_table(
            ("process", "at most", "steady part, begin", "end", "slope", "of a core", "lives"),
            _memory(outcome),
        ),
        (
            f"Memory of its own, without mapped files, in the last phase, without kills. Open views at the end:"
            f" {outcome.looks[-1].open_views if outcome.looks else 0}; most events that waited to be"
            f" stored: {max((look.pending for look in outcome.looks), default=0):,}. What a process fills up"
            f" within {WARM_S:.0f} s is left out of begin, end and slope; its whole course, in MB, in"
            " twelve even parts of its life:"
        ),
        "",
        *[f"- {one.role}: {_numbers(one.course_mb)}" for one in outcome.growths],
        "",
        "Lines of the log at level error, by event: " + (_counted(outcome.faults) or "none") + ".",
        "",
        _FOUND,
        _LIMITS,
    ]
    return "\n".join(parts).rstrip() + "\n"


def _run(outcome: Outcome, machine: str) -> Iterator[str]:
    book = outcome.book
    yield "## The run"
    yield ""
    yield f"- {outcome.seconds:,.0f} seconds, seed {outcome.seed}, of {outcome.code}"
    yield f"- {machine}"
    yield f"- data on: {outcome.disk}"
    yield "- acknowledged: " + ", ".join(
        f"{book.items(door):,} of {door}" for door in sorted(book.promises)
    )
    yield ""


def _held(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for one in verdicts(outcome):
        yield one.what, "holds" if one.holds else "**does not hold**", one.said.replace("|", "\\|")


def _wrong(outcome: Outcome) -> Iterator[str]:
    for phase, some in outcome.wrong.items():
        for sentence in some[:SENTENCES_MAX]:
            yield f"- wrong at {phase}: {sentence}"
    for one in outcome.book.dishonest[:SENTENCES_MAX]:
        yield f"- at {one.at_s:.0f} s, {one.door}: `{_PLACE.sub('…/', one.what)[:200].replace('`', '')}`"
    yield ""


def _phases(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for phase in PHASES:
        deeds = [deed for deed in outcome.deeds if deed.phase == phase.name]
        kills = sum(deed.action == "kill" for deed in deeds)
        done = [
            f"{deed.action} {deed.said}".strip()
            for deed in deeds
            if deed.action not in {"kill", "phase", "end"}
        ]
        began_s = deeds[0].at_s if deeds else 0.0
        yield phase.name, f"{began_s:,.0f} s", phase.what, "; ".join(done), str(kills)


def _answers(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    ends = list(_ends(outcome.deeds))
    for (phase, since_s), (_, until_s) in itertools.pairwise(ends):
        for door in DOORS:
            counts: Counter[str] = Counter()
            for span, doors in outcome.book.answers.items():
                if since_s <= span * SPAN_S < until_s:
                    counts.update(doors.get(door, {}))
            if counts:
                yield phase, door, _counted(counts)


def _ends(deeds: Iterable[Deed]) -> Iterator[tuple[str, float]]:
    """Yield where each phase begins, and at last where all ends."""
    for deed in deeds:
        if deed.action == "phase":
            yield deed.phase, deed.at_s
    yield "", float("inf")


def _memory(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    for one in outcome.growths:
        yield (
            one.role, f"{one.peak_mb:.0f} MB", f"{one.first_mb:.0f} MB", f"{one.last_mb:.0f} MB",
            f"{one.slope_mb_per_h:+.1f} MB/h", f"{outcome.cpu.get(one.role, 0) * 100:.1f} %",
            str(one.processes),
        )  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _counted(counts: "Counter[str] | dict[str, int]") -> str:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)
