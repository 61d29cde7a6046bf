"""A job's commands in the log: each appended once, whatever was cut off, and waited for."""

import asyncio

import msgspec

from playhead.errors import Conflict
from playhead.jobs.work import LOOK_EVERY_S, Work
from playhead.log.base import Entry
from playhead.model.command import DOOR, Command
from playhead.process.commands import NOTE, Failure

_READ_RECORDS = 1_000
_READ_BYTES = 16 * 1024 * 1024
_ENDS = ("done", "failed")


async def commanded(work: Work, command: Command) -> None:
    """Send a command through the log, if it was not sent, and wait until the worker has done it.

    A job sends its commands one after the other and keeps nothing of it: what the worker has
    counted, and what lies before it in the log, says how far the job was. `kept["commands"]` is how
    many of them are over.

    Raises:
        Conflict: It could not be done; the sentence says why. Nothing was changed.
    """
    over = int(work.kept.get("commands", 0))
    if await asyncio.to_thread(_ended, work) <= over and not await asyncio.to_thread(_sent, work):
        await work.desk.append(
            Entry(
                door=DOOR,
                key=f"{command.workspace}/{command.datasource}",
                events=0,
                meta=b"{}",
                body=msgspec.json.encode(command),
            )
        )
    failed = int(work.kept.get("failed", 0))
    while await asyncio.to_thread(_ended, work) <= over:  # noqa: ASYNC110 (another process tells)
        await asyncio.sleep(LOOK_EVERY_S)
    counts = await asyncio.to_thread(work.desk.ledger.job_counts, work.job.id)
    now_failed = counts.get("failed", 0)
    await work.keep(commands=over + 1, failed=now_failed)
    if now_failed > failed:
        raise Conflict(await asyncio.to_thread(_reason, work))


def _ended(work: Work) -> int:
    counts = work.desk.ledger.job_counts(work.job.id)
    return sum(counts.get(name, 0) for name in _ENDS)


def _sent(work: Work) -> bool:
    """Return whether a command of the job lies before the worker."""
    if work.job.runs <= 1:
        return False  # it was never cut off
    job = work.job.id.encode()
    at = work.desk.ledger.position()
    while records := work.desk.log.read(at, max_records=_READ_RECORDS, max_bytes=_READ_BYTES):
        if any(record.door == DOOR and job in record.body for record in records):
            return True
        at = records[-1].offset + 1
    # It may have been done since the first look.
    return _ended(work) > int(work.kept.get("commands", 0))


def _reason(work: Work) -> str:
    said = work.desk.ledger.notes().get(NOTE, "")
    try:
        failure = msgspec.json.decode(said, type=Failure)
    except msgspec.DecodeError:
        failure = Failure("", "")
    if failure.job == work.job.id:
        return failure.reason
    return "The store refused it; see the worker's log. Nothing was changed."
