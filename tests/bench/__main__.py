"""`make bench`: the budget table, measured end to end on this machine.

    python -m tests.bench [--only NAME …] [--quick] [--fuzz N] [--out FILE]
    python -m tests.bench --soak SECONDS [--report FILE] [--source FOLDER]

Every scenario starts a server of its own on an empty folder and sends from a process of its own.
Nothing here asserts: it prints what it measured beside the budget. A soak in which something does not
hold ends with status 1.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import scenarios, soak
from bench.fuzz import fuzz
from bench.lines import Line
from bench.soak_report import report_of


def machine() -> str:
    """What the figures were measured on."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{os.cpu_count()} x {names[0] if names else platform.machine()}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def main() -> None:
    """Run the scenarios and print the table."""
    parser = argparse.ArgumentParser(description="measure the budget table")
    parser.add_argument("--only", nargs="*", choices=list(scenarios.ALL), help="these alone")
    parser.add_argument("--quick", action="store_true", help="a few seconds each: a smoke test")
    parser.add_argument("--soak", type=float, default=0, help="mixed load for so many seconds")
    parser.add_argument(
        "--steady", action="store_true", help="soak without faults: what memory does"
    )
    parser.add_argument("--report", type=Path, help="write what the soak found as a page")
    parser.add_argument("--source", type=Path, help="soak this code: a folder that holds playhead")
    parser.add_argument("--fuzz", type=int, default=0, help="so many hostile inputs at the doors")
    parser.add_argument("--out", type=Path, help="write the lines here as JSON")
    options = parser.parse_args()
    names = options.only or list(scenarios.ALL)
    print(machine(), flush=True)
    lines: list[Line] = []
    if options.fuzz:
        lines += _shown(fuzz(options.fuzz))
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as folder:
        if options.soak:
            outcome = soak.soak(
                Path(folder) / "soak",
                seconds=options.soak,
                source=options.source,
                steady=options.steady,
            )
            lines += _shown(soak.lines(outcome))
            if options.report:
                options.report.write_text(report_of(outcome, machine()), "utf-8")
        elif not options.fuzz:
            for name in names:
                found = scenarios.ALL[name](Path(folder) / name, quick=options.quick)
                lines += _shown(found)
    if options.out:
        options.out.write_text(json.dumps([line._asdict() for line in lines], indent=1))
    if any(line.budget == soak.BROKEN for line in lines):
        sys.exit(1)


def _shown(lines: list[Line]) -> list[Line]:
    for line in lines:
        print(f"| {line.what} | {line.measured} | {line.budget} |", flush=True)
    return lines


if __name__ == "__main__":
    main()
