"""The only module that reads the wall clock; everything else is handed a `Clock`."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the product knows of time: wall time for records, monotonic time for durations."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000  # noqa: TID251 (this is the one place)

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until told otherwise: for tests, replays and frozen queries."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self.current_ms = start_ms

    def now_ms(self) -> int:
        """Return the set time in UTC milliseconds."""
        return self.current_ms

    def monotonic_s(self) -> float:
        """Return the set time in seconds."""
        return self.current_ms / 1000

    def advance(self, ms: int) -> None:
        """Move the clock forward by `ms` milliseconds."""
        self.current_ms += ms
