"""`make bench`: the budget table, measured end to end on this machine.

    python -m tests.bench [--only NAME …] [--quick] [--soak SECONDS] [--fuzz N] [--out FILE]

Every scenario starts a server of its own on an empty folder and sends from a process of its own.
Nothing here asserts: it prints what it measured beside the budget.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import scenarios
from bench.fuzz import fuzz
from bench.lines import Line


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
            found = scenarios.soak(Path(folder) / "soak", seconds=options.soak)
            lines += _shown(found)
        elif not options.fuzz:
            for name in names:
                found = scenarios.ALL[name](Path(folder) / name, quick=options.quick)
                lines += _shown(found)
    if options.out:
        options.out.write_text(json.dumps([line._asdict() for line in lines], indent=1))


def _shown(lines: list[Line]) -> list[Line]:
    for line in lines:
        print(f"| {line.what} | {line.measured} | {line.budget} |", flush=True)
    return lines


if __name__ == "__main__":
    main()
