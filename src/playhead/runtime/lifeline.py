"""A child must not outlive its supervisor: it holds the read end of a pipe that closes with it."""

import os
import signal
import threading


def hold(fd: int) -> None:
    """Watch the pipe in the background; when the supervisor is gone, end this process in order."""

    def watch() -> None:
        while True:
            try:
                if os.read(fd, 1):
                    continue
            except OSError:
                pass
            os.kill(os.getpid(), signal.SIGTERM)
            return

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
