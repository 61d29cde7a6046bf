"""Asking the store until it answers: what is in the log is never given up."""

import threading
from collections.abc import Callable
from typing import TypeVar

from playhead.clock import Clock, SystemClock
from playhead.errors import BodyTooLarge, PlayheadError, QueryFailed, Unavailable
from playhead.observe import counter, logger
from playhead.process.verdicts import Verdicts, of_rows

RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0

T = TypeVar("T")
_LOG = logger("loader")
_RETRIES = counter("loader_insert_retries", "Inserts repeated because the store did not answer")


class Stopped(Exception):
    """The worker is stopping; the range stays intended and is repeated at the next start."""


class Patience:
    """Repeats what the store or the ledger refuses for the moment."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._stop = threading.Event()
        self.verdicts = Verdicts(clock or SystemClock())
        """Say what a refusal of the engine means."""
        self.said = ""
        """What was refused last; empty if nothing ever was."""
        self.troubled = False
        """Whether anything had to be repeated since somebody set it to False."""

    def stop(self) -> None:
        """Give up repeating."""
        self._stop.set()

    def until_done(
        self, act: Callable[[], T], *, lasting: Callable[[QueryFailed], bool] | None = None
    ) -> T:
        """Repeat until it is done.

        Args:
            act: What to do.
            lasting: Says whether a refusal of the engine would be the same for ever; by default
                one that is the fault of a value, or of a view behind the table.

        Raises:
            QueryFailed, BodyTooLarge: It would be refused for ever.
            Stopped: `stop` was called.
        """
        is_lasting = lasting or of_rows
        wait_s = RETRY_FIRST_S
        while True:
            try:
                return act()
            except PlayheadError as error:
                if isinstance(error, BodyTooLarge) or (
                    isinstance(error, QueryFailed) and is_lasting(error)
                ):
                    raise
                _RETRIES.inc()
                self.troubled = True
                _LOG.warning("store_refused", code=error.code, reason=error.message)
                self.said = f"{error.code}: {error.message}"
            if self._stop.wait(wait_s):
                raise Stopped
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    def until_filed(self, act: Callable[[], T], what: str) -> T:
        """Repeat what the file system refuses for the moment: no file left to open, a full disk.

        Args:
            act: What to do.
            what: The file, for the message.

        Raises:
            Stopped: `stop` was called.
        """

        def attempt() -> T:
            try:
                return act()
            except OSError as error:
                raise Unavailable(
                    f"{what}: {error}. Rows wait in the log and go on by themselves once this works."
                ) from error

        return self.until_done(attempt)
