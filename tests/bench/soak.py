"""`make soak`: an hour of mixed load while everything that can happen to a server happens to it.

Two hundred kills of all processes, clock jumps, full disks, a store that stands still for ten minutes.
The senders keep a book of what was acknowledged; at the end, and after every phase, the store is
compared with it, item by item.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.lines import Line
from bench.soak_audit import audit_at_the_end, audit_under_load
from bench.soak_book import SHOWN_MAX, Book, read_book
from bench.soak_disk import own_disk
from bench.soak_plan import Step, plan
from bench.soak_server import SOURCE, SoakServer
from bench.soak_watch import ROLES, Growth, Look, Watch, growth

ROOT: Final = Path(__file__).parents[2]
SENDERS: Final = Path(__file__).parent / "soak_senders.py"
FINISH_S: Final = 180.0
GROWTH_MAX_MB: Final = 32.0
"""What a process may grow by in the steady part: the engine's caches and a day's parts fill up."""
GROWTH_MAX_SHARE: Final = 0.15
WARM_S: Final = 420.0
"""A closed view stays in the worker for five minutes, and its events for one: until then it fills up.
Of a short steady part, half is left out."""
SEED: Final = 11
BROKEN: Final = "BROKEN"


class Deed(NamedTuple):
    """A step as it was done."""

    at_s: float
    phase: str
    action: str
    said: str


class Verdict(NamedTuple):
    """One thing that must hold."""

    what: str
    holds: bool
    said: str


class Outcome(msgspec.Struct):
    """Everything a run has found."""

    seconds: float
    seed: int
    code: str
    """What was run: a commit, or the name of a folder."""
    disk: str
    deeds: list[Deed]
    book: Book
    wrong: dict[str, list[str]]
    """Sentences by phase; `end` is the last look at everything."""
    events: dict[str, object]
    """The counts of the status at the end."""
    growths: list[Growth]
    looks: list[Look]
    cpu: dict[str, float]
    ended: int
    """Times the supervisor ended without having been killed."""
    faults: dict[str, int]
    """Lines of the server's log at error level, by event."""

    def kills(self) -> Counter[str]:
        """Return how many kills there were, by target."""
        return Counter(deed.said.split(",")[0] for deed in self.deeds if deed.action == "kill")


def soak(
    folder: Path,
    *,
    seconds: float,
    seed: int = SEED,
    source: Path | None = None,
    steady: bool = False,
) -> Outcome:
    """Run everything.

    Args:
        folder: Empty; holds data, disk and book.
        seconds: How long the load lasts; the looks at the books come on top.
        seed: Of kills and load.
        source: The folder that holds the package to run; the checkout when None.
        steady: Load alone, without faults.

    Raises:
        SystemExit: The server cannot be brought up again, or the harness itself has failed.
    """
    folder.mkdir(parents=True)
    code = commit() if source is None else source.name
    with own_disk(folder) as disk, SoakServer(folder, disk, source or SOURCE) as server:
        server.build(folder)
        book_file = folder / "book.json"
        with (
            _sending(server, folder, seed) as senders,
            Watch(server.data, server.url, server.token, lambda: server.supervisor) as watch,
        ):
            deeds, wrong = _carry_out(
                plan(seconds, seed, steady=steady), server, book_file, senders
            )
            senders.terminate()
            if senders.wait(FINISH_S):
                raise SystemExit("the senders failed; what they said is above")
            book = read_book(book_file)
            wrong["end"] = audit_at_the_end(server, book)
            events = server.status()["events"]
        began_s = next(deed.at_s for deed in deeds if deed.phase == "steady")
        warm_s = began_s + min(WARM_S, (deeds[-1].at_s - began_s) / 2)
        growths = [growth(watch.samples, role, warm_s) for role in ROLES]
        return Outcome(
            seconds=seconds, seed=seed, code=code, disk=disk.kind, deeds=deeds, book=book, wrong=wrong,
            events=events, growths=growths, looks=watch.looks,
            cpu={role: watch.cpu_share(role) for role in ROLES},
            ended=server.ended, faults=faults_in(server.data / "server.log"),
        )  # fmt: skip


def _carry_out(
    steps: list[Step], server: SoakServer, book_file: Path, senders: "subprocess.Popen[bytes]"
) -> tuple[list[Deed], dict[str, list[str]]]:
    """Do every step at its time; while something takes its time, the clock of the plan stands still."""
    began_s = time.monotonic()
    paused_s = 0.0
    deeds: list[Deed] = []
    wrong: dict[str, list[str]] = {}
    for step in steps:
        while (now_s := time.monotonic()) < began_s + paused_s + step.at_s:
            server.look_after()
            if senders.poll() is not None:
                raise SystemExit("the senders have ended; what they said is above")
            time.sleep(min(0.1, began_s + paused_s + step.at_s - now_s))
        said = step.value
        if step.action == "audit":
            wrong[step.phase] = audit_under_load(server, book_file)
            said = f"{len(wrong[step.phase])} wrong"
        elif step.action not in {"phase", "end"}:
            said = server.do(step.action, step.value)
        paused_s += time.monotonic() - now_s
        deeds.append(Deed(now_s - began_s, step.phase, step.action, said))
        print(
            f"  {now_s - began_s:7.1f} s  {step.phase}: {step.action} {said}",
            file=sys.stderr,
            flush=True,
        )
    return deeds, wrong


@contextmanager
def _sending(server: SoakServer, folder: Path, seed: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, str(SENDERS), "--url", server.url, "--seed", str(seed)]
    command += ["--out", str(folder / "book.json")]
    senders = subprocess.Popen(command, env={**os.environ, "PLAYHEAD_TOKEN": server.token})
    try:
        yield senders
    finally:
        if senders.poll() is None:
            senders.kill()
            senders.wait()


def faults_in(log: Path) -> dict[str, int]:
    """Count the lines at error level by their event."""
    counts: Counter[str] = Counter()
    with log.open("rb") as file:
        for line in file:
            if b'"error"' not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("level") == "error":
                counts[str(entry.get("event"))] += 1
    return dict(counts.most_common())


def verdicts(outcome: Outcome) -> list[Verdict]:
    """Judge a run."""
    book, events = outcome.book, outcome.events
    wrong = {phase: len(some) for phase, some in outcome.wrong.items() if some}
    items = sum(book.items(door) for door in book.promises)
    dropped = events.get("dropped")
    lost = sum(dropped.values()) if isinstance(dropped, dict) else 0
    unfinished = {
        label: job for label, job in book.jobs.items() if job not in {"done", "no answer"}
    }
    orphans = [deed.said for deed in outcome.deeds if "orphans" in deed.said]
    return [
        Verdict(
            "nothing acknowledged is lost or doubled",
            not wrong,
            f"{items:,} items acknowledged, {outcome.seconds:.0f} s; wrong: {wrong or 'none'}",
        ),
        Verdict(
            "every answer is honest",
            not book.dishonest_total,
            f"{book.dishonest_total} that are not; {book.confirmed} times rows were counted at once",
        ),
        Verdict(
            "the equation of /v1/status holds at the end",
            bool(events.get("equation_holds")),
            json.dumps(events),
        ),
        Verdict(
            "what was dropped was named in an answer",
            lost == book.refused(),
            f"{lost} dropped, {book.refused()} named",
        ),
        Verdict("every import that was taken is done", not unfinished, f"{unfinished or 'all'}"),
        Verdict("the server never ends by itself", not outcome.ended, f"{outcome.ended} times"),
        Verdict("no process outlives its supervisor", not orphans, f"{len(orphans)} times"),
        *[_flat(one) for one in outcome.growths],
    ]


def _flat(one: Growth) -> Verdict:
    grown = one.last_mb - one.first_mb
    limit = max(GROWTH_MAX_MB, GROWTH_MAX_SHARE * one.first_mb)
    said = f"{one.first_mb:.0f} to {one.last_mb:.0f} MB, {one.slope_mb_per_h:+.0f} MB/h"
    return Verdict(f"memory of {one.role} is flat", one.last_mb > 0 and grown <= limit, said)


def lines(outcome: Outcome) -> list[Line]:
    """Return the verdicts as rows of the bench's table; say on stderr what is wrong."""
    for phase, some in outcome.wrong.items():
        for sentence in some[:SHOWN_MAX]:
            print(f"  wrong after {phase}: {sentence}", file=sys.stderr)
    for one in outcome.book.dishonest[:SHOWN_MAX]:
        print(f"  dishonest at {one.at_s} s: {one.door}: {one.what}", file=sys.stderr)
    return [Line(one.what, one.said, "holds" if one.holds else BROKEN) for one in verdicts(outcome)]


def commit() -> str:
    """Return the commit that was run, and whether files had been changed since."""
    name = _git("rev-parse", "--short", "HEAD") or "unknown"
    changed = _git("status", "--porcelain", "--", "src")
    return f"{name} with changes that were not committed" if changed else name


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
