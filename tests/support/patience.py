"""Waiting for what happens by itself."""

import time
from collections.abc import Callable


def until(done: Callable[[], bool], within_s: float) -> bool:
    """Ask until it is so; return whether it ever was."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.05)
    return done()
