"""Run every conformance case and print the score: `PYTHONPATH=tests python -m conformance [AREA]`."""

import sys
from collections import Counter

from conformance import suite


def main(only: str = "") -> int:
    """Print each case that does not hold, then the score by area; return the exit code."""
    held: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for case in suite.cases():
        if only and case.area != only:
            continue
        every[case.area] += 1
        try:
            suite.run(case)
            held[case.area] += 1
        except Exception as error:  # noqa: BLE001 (a score goes on after a case that fails)
            print(f"FAILED {case.name}: {type(error).__name__}: {error}")
    suite.close()
    for area, count in every.items():
        print(f"{area:12} {held[area]:5} of {count}")
    print(f"{'all':12} {held.total():5} of {every.total()}")
    return 0 if held == every else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
