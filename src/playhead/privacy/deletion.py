"""Deleting one viewer: through the log first, then out of every table that may name them.

What the worker does at the place of the command is exact and survives any stop. What comes after
needs the id itself, which no file may hold: it is done while the caller waits, and a call that was
cut off is made again.
"""

# ruff: noqa: S608 (names of ours, hashes and literals: an id is bound, or not there at all)

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from playhead.access.viewer_key import make_viewer_key
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import Conflict, OffsetGone, Unavailable
from playhead.log.base import Entry
from playhead.log.offsets import Ledger
from playhead.log.segments import SegmentLog
from playhead.model.command import DOOR, Command
from playhead.model.forgotten import Forget, digest_of, name_of
from playhead.privacy.leftovers import files_naming
from playhead.privacy.purge import purge
from playhead.privacy.scrub import Scrubber
from playhead.privacy.sweep import bound_for, sweep
from playhead.privacy.tables import tables_of
from playhead.privacy.viewer import Viewer
from playhead.process.commands import NOTE, Failure
from playhead.project.manifest import (
    LIVE_FILE,
    STAGING_FILE,
    UNREADABLE,
    Manifest,
    read_manifest,
)
from playhead.store.async_client import AsyncStoreClient
from playhead.store.client import Limits
from playhead.store.viewer_scope import ViewerScope

WAIT_S: Final = 300.0
"""How long a call waits for the worker."""
_LOOK_EVERY_S: Final = 0.05
_READ_RECORDS: Final = 1_000
_READ_BYTES: Final = 16 << 20
_PAUSE_S: Final = 0.002
"""Between two reads of the log: the doors of the same process come first."""
_SCOPE_MAX: Final = 1_000_000
_LIMITS: Final = Limits(timeout_ms=600_000)


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion works with."""

    config: Config
    clock: Clock
    store: AsyncStoreClient
    log: SegmentLog
    ledger: Ledger
    append: Callable[..., Awaitable[int]]
    new_id: Callable[[], str]
    """Makes the name under which the worker counts."""


class Report(msgspec.Struct, kw_only=True):
    """What was deleted. Of a viewer nobody knows all counts are 0."""

    events: int = 0
    views: int = 0
    rows: dict[str, int] = {}
    """Rows that named them in a text, by table."""
    log_records: int | None = None
    """Records of the log written anew; None = they go with their segment (`log.retention_age_ms`)."""
    partitions: int | None = None
    """Partitions of tables written anew; None = deleted rows leave the files in idle time."""
    files: list[str] = []
    """Files of the data folder that still name them: settings, a project's files, imports."""


async def delete(means: Means, viewer: Viewer, *, now: bool) -> Report:
    """Delete everything about a viewer; doing it again goes on where it was cut off.

    Args:
        means: What it works with.
        viewer: Whom; with the columns of the project that hold ids.
        now: Take them out of the files, too, not only out of every answer.

    Raises:
        InvalidRequest: A column is named that is not there; nothing was deleted.
        Conflict: It cannot be done; the sentence says why and what was done.
        Unavailable: The worker or the store does not answer; what was asked stays in the log and
            is done there, the rest needs another call.
    """
    manifest = live_manifest(means.config.data_dir)
    if viewer.columns and (means.config.data_dir / STAGING_FILE).exists():
        raise Conflict(
            "A deployment is staged; its tables would keep the rows. Nothing was deleted.",
            hint="Promote or discard it first, or leave out the columns of the project.",
        )
    found = await tables_of(means.store, viewer, manifest)
    scrubber = Scrubber(viewer)
    if now:
        await _know(means, viewer, scrubber)
    report = Report()
    counts = await _forget(means, viewer)
    report.events, report.views = counts.get("events", 0), counts.get("views", 0)
    report.rows = await sweep(means.store, viewer, found)
    if now:
        report.partitions = await purge(means.store)
        report.log_records = await _rewrite(means, scrubber)
    report.files = await asyncio.to_thread(files_naming, means.config.data_dir, viewer)
    return report


async def _forget(means: Means, viewer: Viewer) -> dict[str, int]:
    """Send the command through the log; return what the worker counted."""
    key = await asyncio.to_thread(make_viewer_key, means.config.data_dir)
    forget = Forget(digest=digest_of(key, viewer.id), key=name_of(key), property=viewer.property)
    command = Command(op="forget", job=means.new_id(), forget=forget)
    body = msgspec.json.encode(command)
    offset = await means.append(Entry(door=DOOR, key="", events=0, meta=b"{}", body=body))
    await _until_stored(means, offset + 1)
    counts = await asyncio.to_thread(means.ledger.job_counts, command.job)
    if not counts.get("done"):
        raise Conflict(await asyncio.to_thread(_reason, means.ledger, command.job))
    return counts


async def _until_stored(means: Means, position: int) -> None:
    until_s = means.clock.monotonic_s() + WAIT_S
    while await asyncio.to_thread(means.ledger.position) < position:
        if means.clock.monotonic_s() > until_s:
            raise Unavailable(
                "The worker has not come to it yet. The deletion stands in the log and is done there;"
                " ask again to delete what names the viewer elsewhere.",
                retry_after_s=30,
            )
        await asyncio.sleep(_LOOK_EVERY_S)


async def _know(means: Means, viewer: Viewer, scrubber: Scrubber) -> None:
    """Tell the scrubber which sessions and views the store knows, before they are gone."""
    own = " AND property = {property:String}" if viewer.property else ""
    scope = ViewerScope("viewer_id = {viewer:String}" + own)
    bound = bound_for(viewer)
    sessions = await means.store.rows(
        f"SELECT property, value FROM ({scope.sessions()}) LIMIT {_SCOPE_MAX}",
        bound,
        limits=_LIMITS,
    )
    views = await means.store.rows(
        f"SELECT DISTINCT value FROM ({scope.views()} UNION DISTINCT"
        f" {scope.nameless(scope.sessions())}) LIMIT {_SCOPE_MAX}",
        bound,
        limits=_LIMITS,
    )
    if max(len(sessions.rows), len(views.rows)) >= _SCOPE_MAX:
        raise Conflict(
            f"The viewer has {_SCOPE_MAX:,} sessions or views, more than are looked for in the log at once."
            " Nothing was deleted.",
            hint="Delete without 'now': the store forgets them at once, the log with its age.",
        )
    scrubber.know(sessions.rows, (row[0] for row in views.rows))


async def _rewrite(means: Means, scrubber: Scrubber) -> int:
    """Write the log anew up to here; return how many records were changed."""
    end = await asyncio.to_thread(means.log.close_segment)
    await _until_stored(means, end)
    at = (await asyncio.to_thread(means.log.bounds)).first
    while at < end:
        at = await asyncio.to_thread(_learn, means.log, at, scrubber)
        await asyncio.sleep(_PAUSE_S)
    return await asyncio.to_thread(means.log.rewrite, scrubber.scrubbed, before=end)


def _learn(log: SegmentLog, at: int, scrubber: Scrubber) -> int:
    """Let the scrubber see the records from an offset on; return where to go on."""
    try:
        records = log.read(at, max_records=_READ_RECORDS, max_bytes=_READ_BYTES)
    except OffsetGone as gone:
        return gone.next_offset
    scrubber.learn(records)
    return records[-1].offset + 1


def live_manifest(data_dir: Path) -> Manifest:
    """Return the live project of the main workspace; an empty one where there is none."""
    try:
        return read_manifest(data_dir / LIVE_FILE)
    except UNREADABLE:
        return Manifest()


def _reason(ledger: Ledger, job: str) -> str:
    try:
        failure = msgspec.json.decode(ledger.notes().get(NOTE, ""), type=Failure)
    except msgspec.DecodeError:
        failure = Failure("", "")
    if failure.job == job:
        return failure.reason
    return "The worker could not do it; see its log. Ask again."
