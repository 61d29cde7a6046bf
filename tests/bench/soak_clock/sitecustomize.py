"""A clock that the soak can move: Python finds this file first when its folder is on PYTHONPATH.

The product reads the wall clock in one place, by `time.time_ns`; here that is moved by the seconds in
the file `SOAK_CLOCK_FILE`, while the process runs. So the product needs no door for tests in its own
clock. Monotonic time goes on as it is, and so does the engine's own `now()`.
"""

import os
import time
from pathlib import Path
from typing import Final

LOOK_EVERY_NS: Final = 200_000_000
_real_ns, _monotonic_ns = time.time_ns, time.monotonic_ns
_file = os.environ.get("SOAK_CLOCK_FILE", "")
_looked_ns = -LOOK_EVERY_NS
_offset_ns = 0


def time_ns() -> int:
    """Return UTC nanoseconds since 1970, moved."""
    global _looked_ns, _offset_ns  # noqa: PLW0603 (a clock for the whole process)
    now_ns = _monotonic_ns()
    if now_ns - _looked_ns >= LOOK_EVERY_NS:
        _looked_ns = now_ns
        try:
            _offset_ns = int(float(Path(_file).read_text()) * 1e9)
        except (OSError, ValueError):
            _offset_ns = 0
    return _real_ns() + _offset_ns


def now_s() -> float:
    """Return UTC seconds since 1970, moved."""
    return time_ns() / 1e9


if _file:
    time.time_ns, time.time = time_ns, now_s
