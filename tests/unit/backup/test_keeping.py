from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playhead.backup.keeping import check, prune
from playhead.backup.manifest import (
    Entry,
    Manifest,
    Summary,
    read_summaries,
    whole,
    write_manifest,
    write_marker,
    write_summary,
)
from playhead.backup.restoring import find_backup
from playhead.clock import ManualClock
from playhead.connect.buckets.bucket import Kept
from playhead.connect.buckets.folder import Folder
from playhead.errors import BackupDamaged, NotFound, SchemaTooNew


def entry(key: str, content: bytes = b"x", sha256: str = "") -> Entry:
    return Entry(
        kind="part", root="store", key=key, form="tar", sha256=sha256, bytes=len(content),
        content_bytes=1,
    )  # fmt: skip


async def add(folder: Folder, id_: str, *keys: str) -> Summary:
    entries = tuple(entry(key) for key in keys)
    for one in entries:
        await folder.put(one.path, whole(b"x"))
    digest = await write_manifest(folder, Manifest(id=id_, entries=entries))
    summary = Summary(
        id=id_, taken_at=1, ended_at=2, release="0", source="s", position=0, log_next=0, tables=0,
        packs=len(keys), content_bytes=1, stored_bytes=1, sent_packs=1, sent_bytes=1, held_ms=1,
        manifest_sha256=digest,
    )  # fmt: skip
    await write_summary(folder, summary)
    return summary


async def blobs(folder: Folder) -> set[str]:
    return {file.path.split("/")[-1] async for file in folder.listed("blobs")}


async def test_the_newest_stay_with_what_they_hold(tmp_path: Path) -> None:
    folder = Folder(tmp_path, private=True)
    for number in range(4):
        await add(folder, f"2026010{number}T000000Z-a", "shared", f"own{number}")
    pruned = await prune(folder, ManualClock(), keep=2)
    assert (pruned.backups, pruned.files) == (["20260101T000000Z-a", "20260100T000000Z-a"], 2)
    assert await blobs(folder) == {"shared.tar", "own2.tar", "own3.tar"}


async def test_nothing_goes_while_a_backup_is_being_made(tmp_path: Path) -> None:
    folder, clock = Folder(tmp_path), ManualClock()
    await add(folder, "20260101T000000Z-a", "one")
    await folder.put(entry("unnamed").path, whole(b"x"))
    await write_marker(folder, "another", clock.now_ms(), [])
    assert (await prune(folder, clock, keep=1)).waits
    clock.advance(2 * 86_400_000)
    assert (await prune(folder, clock, keep=1)).files == 1
    assert await blobs(folder) == {"one.tar"}


async def test_a_backup_without_its_summary_is_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await add(folder, "20260101T000000Z-a", "one")
    await write_manifest(folder, Manifest(id="20260102T000000Z-b", entries=()))
    assert [one.id for one in await read_summaries(folder)] == ["20260101T000000Z-a"]
    with pytest.raises(NotFound, match="no backup"):
        await find_backup(folder, "20260102T000000Z-b")


async def test_a_damaged_manifest_and_a_newer_format_are_said(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    summary = await add(folder, "20260101T000000Z-a", "one")
    path = tmp_path / "backups" / summary.id
    (path / "manifest.json").write_text('{"id":"20260101T000000Z-a","entries":[]}')
    with pytest.raises(BackupDamaged, match="not as it was written"):
        await check(folder, summary)
    (path / "summary.json").write_text('{"format": 99}')
    with pytest.raises(SchemaTooNew, match="format 99; this release reads 1"):
        await find_backup(folder)


async def test_what_is_missing_and_what_was_changed_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    summary = await add(folder, "20260101T000000Z-a", "one", "two")
    (tmp_path / entry("two").path).unlink()
    assert len((await check(folder, summary, quick=True)).damaged) == 1
    damaged = (await check(folder, summary)).damaged
    assert "blobs/on/one.tar is not as it was sent" in damaged[0]
    assert "blobs/tw/two.tar is missing" in damaged[1]


async def test_a_name_that_is_a_path_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no backup"):
        await find_backup(Folder(tmp_path), "../../etc")
    with pytest.raises(NotFound, match="no whole backup"):
        await find_backup(Folder(tmp_path))


async def test_a_backup_that_ends_while_files_are_looked_at_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock = Folder(tmp_path), ManualClock()
    await add(folder, "20260101T000000Z-a", "one")
    real = folder.listed

    async def listed(prefix: str) -> AsyncIterator[Kept]:
        if prefix == "blobs":  # another backup is made just now, from beginning to end
            await add(folder, "20260102T000000Z-b", "two")
        async for file in real(prefix):
            yield file

    monkeypatch.setattr(folder, "listed", listed)
    assert (await prune(folder, clock, keep=5)).waits
    assert {file.name for file in (tmp_path / "blobs").glob("*/*")} == {"one.tar", "two.tar"}


async def test_one_damaged_summary_hides_no_other_and_removes_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await add(folder, "20260101T000000Z-a", "one")
    await add(folder, "20260102T000000Z-b", "two")
    (tmp_path / "backups" / "20260102T000000Z-b" / "summary.json").write_text("?")
    assert (await find_backup(folder)).id == "20260101T000000Z-a"
    with pytest.raises(BackupDamaged):
        await prune(folder, ManualClock(), keep=1)
    assert await blobs(folder) == {"one.tar", "two.tar"}
