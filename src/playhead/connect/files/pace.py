"""When things go out: speed against real time, and the moment at which a replay begins."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from playhead.clock import Clock
from playhead.errors import InvalidRequest

TICK_S: Final = 0.25
"""What is due within one tick goes out together."""
_AGO: Final = re.compile(r"-(\d{1,6})(s|m|h|d)")
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def start_ms(text: str, now_ms: int) -> int:
    """Return the moment (UTC ms) that `now`, `-2h` or an ISO 8601 time names.

    Raises:
        InvalidRequest: It names none.
    """
    if text == "now":
        return now_ms
    if ago := _AGO.fullmatch(text):
        return now_ms - int(ago[1]) * _UNITS_MS[ago[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            f"'{text}' is no time to begin at.",
            hint="Write 2026-05-01T20:00:00Z, now, or -2h for two hours ago.",
        ) from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


class Pace:
    """Says how long to wait for a moment of the files; the first one asked for is due at once.

    Args:
        speed: Times real time; None is as fast as it goes.
        clock: Time.
        sleep: Waits for seconds.
    """

    def __init__(self, speed: float | None, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._began_s = 0.0
        self._first_ms: int | None = None

    def wait_s(self, at_ms: int | None) -> float:
        """Return the seconds until a moment is due, in whole ticks; 0 where it is."""
        if self._speed is None or at_ms is None:
            return 0.0
        if self._first_ms is None:
            self._first_ms, self._began_s = at_ms, self._clock.monotonic_s()
        due_s = (at_ms - self._first_ms) / 1000 / self._speed
        ticks = -(-due_s // TICK_S)
        return max(0.0, self._began_s + ticks * TICK_S - self._clock.monotonic_s())

    def wait(self, at_ms: int | None) -> None:
        """Wait until a moment is due."""
        while (left_s := self.wait_s(at_ms)) > 0:
            self._sleep(min(left_s, 1.0))
