"""Commands of the log: what is done to tables exactly between the rows before it and after it.

A range that holds a command holds nothing else, so a repeated one finds the tables as they were, or
as it left them; each is written such that doing it twice does no more than once.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from playhead.errors import RequestError, StoreError
from playhead.log.base import Record
from playhead.log.offsets import JOB, Ledger
from playhead.model.command import DOOR, Command, Place
from playhead.observe import counter, logger
from playhead.process.forgetting import Done, Forgetting
from playhead.process.patience import Patience
from playhead.process.swapping import PASSING, Swapping
from playhead.project.homes import folder_of
from playhead.project.manifest import STAGING_FILE
from playhead.project.table import qualified
from playhead.store.client import StoreClient

NOTE = "command_failed"
"""The ledger's note on the last command that failed: a `Failure` as JSON."""
_LOG = logger("commands")
_DONE = counter(
    "commands", "Commands of the log, by what they do and how they ended", ("op", "end")
)


class Failure(msgspec.Struct, frozen=True):
    """Why a command was not done."""

    job: str
    reason: str


def cut_at_commands(records: Sequence[Record]) -> list[Record]:
    """Return the beginning of a range that is one command, or holds none."""
    for at, record in enumerate(records):
        if record.door == DOOR:
            return list(records[: max(at, 1)])
    return list(records)


class Commands:
    """Carries out commands; builds must be held off meanwhile."""

    def __init__(
        self,
        data_dir: Path,
        store: StoreClient,
        ledger: Ledger,
        patience: Patience,
        forgetting: Forgetting | None = None,
    ) -> None:
        self.forgotten: Done | None = None
        """What the newest command made the worker forget; None if it was another one."""
        self._forgetting = forgetting
        self._data_dir = data_dir
        self._store = store
        self._ledger = ledger
        self._patience = patience
        self._swapping = Swapping(store, patience)

    def run(self, record: Record) -> dict[str, int]:
        """Do what a record says; return what to count for its job.

        Raises:
            Stopped: The worker is stopping.
        """
        try:
            command = msgspec.json.decode(record.body, type=Command)
        except msgspec.DecodeError as error:
            _LOG.error("command_unreadable", offset=record.offset, reason=str(error))
            return {}
        name = f"{JOB}{command.job}:"
        found: dict[str, int] = {}
        self.forgotten = None
        reason = self._patience.until_done(lambda: self._attempt(command, record, found))
        _DONE.labels(command.op, "failed" if reason else "done").inc()
        if not reason:
            return {f"{name}done": 1} | {f"{name}{what}": count for what, count in found.items()}
        _LOG.error(NOTE, job=command.job, op=command.op, reason=reason)
        said = msgspec.json.encode(Failure(command.job, reason)).decode()
        self._patience.until_done(lambda: self._ledger.note(**{NOTE: said}))
        return {f"{name}failed": 1}

    def finish(self) -> None:
        """Tidy up behind commands to forget, once their ranges are stored."""
        if self._forgetting is not None:
            self._patience.until_done(self._forgetting.finish)

    def _forget(self, command: Command, record: Record, found: dict[str, int]) -> str:
        if self._forgetting is None or command.forget is None:
            return "This process forgets nobody. Nothing was deleted."
        done = self._forgetting.run(command.forget, at_ms=record.received_at, offset=record.offset)
        self.forgotten = done
        found.update(events=done.events, views=done.views)
        return ""

    def _attempt(self, command: Command, record: Record, found: dict[str, int]) -> str:
        """Do it; return why it can never be done, "" when it is done."""
        try:
            if command.op == "forget":
                return self._forget(command, record, found)
            if (folder_of(self._data_dir, command.workspace) / STAGING_FILE).exists():
                return (
                    "A deployment is staged; its tables would keep the rows. Nothing was changed."
                )
            if command.op == "truncate":
                for place in command.tables:
                    self._store.command(f"TRUNCATE TABLE {_named(place)}")
            elif command.op == "delete":
                for place in command.tables:
                    self._store.command(
                        f"ALTER TABLE {_named(place)} DELETE WHERE {command.condition}",
                        settings={"mutations_sync": "0"},
                    )
            elif command.op == "replace":
                self._swapping.exchange(command.swaps)
            else:
                return self._swapping.replace_partitions(command.swaps)
        except PASSING:
            raise
        except (StoreError, RequestError) as error:
            return error.message
        return ""


def _named(place: Place) -> str:
    return qualified(place.database, place.table)
