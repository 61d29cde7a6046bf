"""What a backup says of itself: a manifest of its packs, and a summary, which makes it visible.

- `blobs/<2>/<name>.tar[.zst]`: packs, named by what they hold
- `backups/<id>/manifest.json`: which packs a backup is made of
- `backups/<id>/summary.json`: written last; without it there is no backup
- `running/<source>.json`: what a backup that is not whole yet has sent
"""

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from playhead.connect.buckets.bucket import Archive
from playhead.errors import BackupDamaged, NotFound, SchemaTooNew
from playhead.observe import logger

FORMAT: Final = 1
BLOBS: Final = "blobs"
BACKUPS: Final = "backups"
RUNNING: Final = "running"
DOCUMENT_MAX_BYTES: Final = 512 << 20
"""Longest manifest that is read."""
_SUMMARY: Final = "summary.json"
_MANIFEST: Final = "manifest.json"
_ID_CHARS_MAX: Final = 60
T = TypeVar("T")
_LOG = logger("backup")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A pack as it was sent. `bytes` of the blob, `content_bytes` of its files."""

    kind: str
    root: str
    key: str
    form: str
    sha256: str
    bytes: int
    content_bytes: int
    stamp: str = ""

    @property
    def path(self) -> str:
        """Return where its blob is."""
        return f"{BLOBS}/{self.key[:2]}/{self.key}.{self.form}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a backup is made of."""

    format: int = FORMAT
    id: str
    entries: tuple[Entry, ...]
    links: tuple[tuple[str, str], ...] = ()
    """Symbolic links below the data folder: where, and to what."""
    folders: tuple[str, ...] = ()
    """Folders that must be there, empty or not."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A backup in short. Times are UTC ms."""

    format: int = FORMAT
    id: str
    taken_at: int
    """The moment it holds."""
    ended_at: int
    release: str
    source: str
    """Which data folder it is of."""
    position: int
    """Everything in the log before this offset is in the tables."""
    log_next: int
    """The log is held up to here."""
    tables: int
    packs: int
    content_bytes: int
    stored_bytes: int
    """Of all its packs, as they are sent."""
    sent_packs: int
    sent_bytes: int
    """Of those that were not there yet."""
    held_ms: int
    """How long the worker and builds stood still for it."""
    manifest_sha256: str


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup that is not whole yet has sent."""

    source: str
    at: int
    entries: tuple[Entry, ...] = ()


async def read_ids(archive: Archive) -> list[str]:
    """Return the ids of the backups that are whole, newest first; raises as `Archive.listed`."""
    found = []
    async for file in archive.listed(BACKUPS):
        parts = file.path.split("/")
        if len(parts) == 3 and parts[2] == _SUMMARY:
            found.append(parts[1])
    return sorted(found, reverse=True)


async def read_summaries(
    archive: Archive, *, most: int | None = None, strict: bool = False
) -> list[Summary]:
    """Return the backups that are whole, newest first.

    Args:
        archive: Where they are.
        most: So many of the newest are read; None = all.
        strict: One that cannot be read is an error, else it is left out and logged.

    Raises:
        SchemaTooNew: A newer release wrote one of them.
        BackupDamaged: One cannot be read, and `strict` is set.
    """
    found = []
    for id_ in (await read_ids(archive))[:most]:
        try:
            found.append(await read_summary(archive, id_))
        except NotFound:  # pruned meanwhile
            continue
        except BackupDamaged as error:
            if strict:
                raise
            _LOG.warning("backup_not_read", id=id_, reason=error.message)
    return found


async def read_summary(archive: Archive, id_: str) -> Summary:
    """Return a backup in short.

    Raises:
        NotFound: There is none of this id, or it is not whole.
        SchemaTooNew: A newer release wrote it.
        BackupDamaged: It cannot be read.
    """
    if not id_ or len(id_) > _ID_CHARS_MAX or not id_.replace("-", "").isalnum():
        raise NotFound(f"There is no backup '{id_[:80]}'.", hint="'playhead backup ls' lists them.")
    try:
        content = await read(archive, f"{BACKUPS}/{id_}/{_SUMMARY}")
    except NotFound:
        raise NotFound(
            f"There is no backup '{id_}' there.", hint="'playhead backup ls' lists them."
        ) from None
    return _decoded(content, Summary, f"the summary of {id_}")


async def read_manifest(archive: Archive, summary: Summary) -> Manifest:
    """Return what a backup is made of; raises BackupDamaged where it is not as it was written."""
    content = await read(archive, f"{BACKUPS}/{summary.id}/{_MANIFEST}")
    if sha256(content).hexdigest() != summary.manifest_sha256:
        raise BackupDamaged(f"The manifest of {summary.id} is not as it was written.")
    return _decoded(content, Manifest, f"the manifest of {summary.id}")


async def write_manifest(archive: Archive, manifest: Manifest) -> str:
    """Write a manifest; return its hash for the summary."""
    content = msgspec.json.encode(manifest)
    await archive.put(f"{BACKUPS}/{manifest.id}/{_MANIFEST}", whole(content))
    return sha256(content).hexdigest()


async def write_summary(archive: Archive, summary: Summary) -> None:
    """Make a backup visible."""
    content = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    await archive.put(f"{BACKUPS}/{summary.id}/{_SUMMARY}", whole(content))


async def remove_backup(archive: Archive, id_: str) -> None:
    """Remove a backup: first it is seen no more; its packs stay."""
    await archive.remove(f"{BACKUPS}/{id_}/{_SUMMARY}")
    await archive.remove(f"{BACKUPS}/{id_}/{_MANIFEST}")


async def read_markers(archive: Archive) -> list[Marker]:
    """Return what unfinished backups have sent; one that cannot be read counts as nothing."""
    found = []
    paths = [file.path async for file in archive.listed(RUNNING)]
    for path in paths:
        try:
            content = await read(archive, path)
            found.append(_decoded(content, Marker, path))
        except (NotFound, BackupDamaged):
            continue
    return found


async def write_marker(archive: Archive, source: str, at: int, entries: Iterable[Entry]) -> None:
    """Say what a backup has sent so far."""
    marker = Marker(source=source, at=at, entries=tuple(entries))
    await archive.put(marker_path(source), whole(msgspec.json.encode(marker)))


def marker_path(source: str) -> str:
    """Return where the marker of a data folder is."""
    return f"{RUNNING}/{source}.json"


async def read(archive: Archive, path: str) -> bytes:
    """Return a document as a whole; raises as `Archive.get`, and BackupDamaged for one too long."""
    held = bytearray()
    async for chunk in archive.get(path):
        held += chunk
        if len(held) > DOCUMENT_MAX_BYTES:
            raise BackupDamaged(f"{path} is longer than {DOCUMENT_MAX_BYTES} bytes.")
    return bytes(held)


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """Yield a document in one piece."""
    yield content


class _Format(msgspec.Struct):
    format: int = FORMAT


def _decoded(content: bytes, type_: type[T], name: str) -> T:
    try:
        said = msgspec.json.decode(content, type=_Format)
        if said.format > FORMAT:
            raise SchemaTooNew(
                f"The backup has format {said.format}; this release reads {FORMAT}."
                " Nothing was changed."
            )
        return msgspec.json.decode(content, type=type_)
    except msgspec.DecodeError as error:
        raise BackupDamaged(f"{name[0].upper()}{name[1:]} cannot be read ({error}).") from error
