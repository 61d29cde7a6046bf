"""A store for the time of one command: the one that runs, or a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from playhead.config import Config
from playhead.errors import StartupError
from playhead.runtime.location import location_of
from playhead.runtime.release import check_folder
from playhead.store.client import StoreClient
from playhead.store.location import Location

START_S: Final = 60.0
STOP_S: Final = 10.0
POLL_S: Final = 0.02
SAID_BYTES: Final = 2_000
"""How much of what a failed start said is passed on."""


@contextmanager
def store_of(config: Config, arguments: list[str]) -> Generator[Location, None, None]:
    """Yield where the data folder's store answers; start one for the block when none does.

    Args:
        config: The settings.
        arguments: Command-line options that make the child see the same settings (`--data`, …).

    Raises:
        SchemaTooNew: A newer release wrote the folder; it stays as it is.
        StartupError: It could not be started.
    """
    location = location_of(config)
    if answers(location):
        yield location
        return
    if config.store.kind != "embedded":
        raise StartupError(f"The store at {config.store.url} does not answer.")
    check_folder(config.data_dir)
    read_end, write_end = os.pipe()
    with tempfile.TemporaryFile() as said:
        process = _spawn(arguments, read_end, said)
        os.close(read_end)
        try:
            _wait(process, location, said)
            yield location
        finally:
            # The child ends with this pipe too, should this process be killed.
            os.close(write_end)
            end(process)
            _tidy(location, config.data_dir)


def _spawn(arguments: list[str], lifeline: int, said: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "playhead", "up", "--role", "store", *arguments]
    command += ["--lifeline-fd", str(lifeline)]
    return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        command,
        pass_fds=[lifeline],
        start_new_session=True,  # Ctrl-C is for the command, which then ends the store in order
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
    )


def _wait(process: subprocess.Popen[bytes], location: Location, said: IO[bytes]) -> None:
    until_s = time.monotonic() + START_S
    client = StoreClient(location)
    try:
        while not client.ping():
            if process.poll() is not None or time.monotonic() > until_s:
                raise StartupError(f"The store did not start. {_last(said)}")
            time.sleep(POLL_S)
    finally:
        client.close()


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read()[-SAID_BYTES:].decode("utf-8", "replace").strip()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process in order; by force where it takes longer than `STOP_S`."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tidy(location: Location, data_dir: Path) -> None:
    """Remove the folder of a socket that lay outside the data folder for its path's length."""
    folder = Path(location.socket).parent
    if not folder.is_relative_to(data_dir):
        with suppress(OSError):  # it is not empty: another store of this folder came meanwhile
            folder.rmdir()


def answers(location: Location) -> bool:
    """Return whether a store answers there."""
    if location.socket and not Path(location.socket).exists():
        return False
    client = StoreClient(location)
    try:
        return client.ping()
    finally:
        client.close()
