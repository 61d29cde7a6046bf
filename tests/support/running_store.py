"""A store process of its own for tests: started on a free folder, ended with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playhead.clock import SystemClock
from playhead.store.client import StoreClient
from playhead.store.location import Location, embedded

_SERVE = """
import sys
from playhead.config.file import load
from playhead.errors import PlayheadError
from playhead.store.server import serve
try:
    sys.exit(serve(load().config))
except PlayheadError as error:
    print(error.code, error.message, file=sys.stderr)
    sys.exit(3)
"""
START_S = 60


def now_ms() -> int:
    """Return the time for rows that must not fall to the retention at once."""
    return SystemClock().now_ms()


class RunningStore:
    """A store process; `client` is closed with it."""

    def __init__(self, data: Path, settings: dict[str, object]) -> None:
        self.data = data
        self.location: Location = embedded(data)
        self.process = launch(data, settings)
        self.client = StoreClient(self.location)
        deadline = time.monotonic() + START_S
        while not self.client.ping():
            assert self.process.poll() is None, "the store process ended while starting"
            assert time.monotonic() < deadline, "the store process did not become ready"
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


def launch(data: Path, settings: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start a store process without waiting; settings are `section__key` to value."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    env |= {f"PLAYHEAD_{name.upper()}": str(value) for name, value in settings.items()}
    env["PLAYHEAD_DATA__DIR"] = str(data)
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if settings.get("quiet") else None,
    )


@contextmanager
def running_store(data: Path, **settings: object) -> Generator[RunningStore, None, None]:
    """Yield a ready store; `store__max_threads=1` sets `[store] max_threads`."""
    store = RunningStore(data, settings)
    try:
        yield store
    finally:
        if store.process.poll() is None:
            store.process.kill()
        store.process.wait()
        store.client.close()
