"""The server that `playhead dev` builds for: the one that runs, or one of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Final

from playhead.config import Config
from playhead.errors import StartupError
from playhead.runtime.location import location_of
from playhead.runtime.store_process import answers, end

START_S: Final = 60.0
POLL_S: Final = 0.05
LOG_FILE: Final = "dev.log"
_NO_SHIPPED: Final = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "false"}
"""The folder that is watched is the project; none other is to be built beside it."""


@contextmanager
def server_of(config: Config, arguments: list[str]) -> Generator[str, None, None]:
    """Yield what to say of the server of a data folder; start one for the block when none runs.

    Args:
        config: The settings.
        arguments: Command-line options that make the child see the same settings.

    Raises:
        StartupError: It could not be started.
    """
    if answers(location_of(config)):
        yield f"The server of {config.data_dir} runs already."
        return
    config.data_dir.mkdir(parents=True, exist_ok=True)
    read_end, write_end = os.pipe()
    log_path = config.data_dir / LOG_FILE
    with log_path.open("wb") as log:
        process = _spawn(arguments, read_end, log)
        os.close(read_end)
        try:
            _wait(process, config)
            token = config.data_dir / "admin.token"
            host, port = config.server.host, config.server.port
            yield f"Playhead listens on http://{host}:{port} (admin token: {token})"
        finally:
            os.close(write_end)  # ends the child, should this process be killed here
            end(process)


def _spawn(arguments: list[str], lifeline: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "playhead", "up", *arguments]
    command += ["--lifeline-fd", str(lifeline)]
    return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        command,
        env={**_NO_SHIPPED, **os.environ},
        pass_fds=[lifeline],
        start_new_session=True,  # Ctrl-C is for the command, which then ends the server in order
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def _wait(process: subprocess.Popen[bytes], config: Config) -> None:
    location, log = location_of(config), config.data_dir / LOG_FILE
    until_s = time.monotonic() + START_S
    while not answers(location):
        if process.poll() is not None or time.monotonic() > until_s:
            said = log.read_text("utf-8", "replace").strip().splitlines()[:2]
            raise StartupError(f"The server did not start. {' '.join(said)}", hint=f"See {log}.")
        time.sleep(POLL_S)
