import fcntl
import os
from hashlib import sha256
from pathlib import Path

import pytest

from playhead.backup.manifest import (
    Entry,
    Manifest,
    Summary,
    whole,
    write_manifest,
    write_summary,
)
from playhead.backup.pack import Pack, file_of, key_of, packed
from playhead.backup.restoring import restore
from playhead.backup.unfinished import check_started
from playhead.connect.buckets.folder import Folder
from playhead.errors import BackupDamaged, Conflict, StartupError

ID = "20260101T000000000Z-a"
UUID = "0123abcd-0000-4000-8000-000000000000"


async def kept(tmp_path: Path, root: str = "", link: str = f"../store/012/{UUID}") -> Folder:
    """A backup of one file, one link and one empty folder."""
    source = tmp_path / "token"
    source.write_text("secret")
    pack = Pack(kind="bundle", root=root, files=(file_of(source, "admin.token"),))
    blob = b"".join(packed(pack))
    entry = Entry(
        kind="bundle", root=root, key=key_of(pack), form=pack.form, content_bytes=6,
        sha256=sha256(blob).hexdigest(), bytes=len(blob),
    )  # fmt: skip
    folder = Folder(tmp_path / "kept")
    await folder.put(entry.path, whole(blob))
    links = (("store/metadata/project", link),)
    manifest = Manifest(id=ID, entries=(entry,), links=links, folders=("store/store/012/tmp",))
    await write_summary(folder, summary_of(await write_manifest(folder, manifest)))
    return folder


def summary_of(digest: str) -> Summary:
    return Summary(
        id=ID, taken_at=1, ended_at=2, release="0", source="s", position=0, log_next=0, tables=0,
        packs=1, content_bytes=6, stored_bytes=6, sent_packs=1, sent_bytes=6, held_ms=1,
        manifest_sha256=digest,
    )  # fmt: skip


async def restored(folder: Folder, data: Path) -> None:
    content = b"".join([chunk async for chunk in folder.get(f"backups/{ID}/manifest.json")])
    await restore(folder, summary_of(sha256(content).hexdigest()), data)


async def test_files_links_and_empty_folders_come_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "lost+found").mkdir(parents=True)
    await restored(await kept(tmp_path), data)
    assert (data / "admin.token").read_text() == "secret"
    assert (data / "admin.token").stat().st_mode & 0o777 == 0o600
    assert str((data / "store" / "metadata" / "project").readlink()) == f"../store/012/{UUID}"
    assert list((data / "store" / "store" / "012" / "tmp").iterdir()) == []
    check_started(data)
    with pytest.raises(Conflict, match="is not empty"):
        await restored(Folder(tmp_path / "kept"), data)


async def test_one_that_was_cut_off_while_it_was_moved_is_finished(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", await kept(tmp_path)
    await restored(folder, data)
    content = data / ".restore" / "content"  # as after a kill between two moves
    content.mkdir(parents=True)
    (data / "store").rename(content / "store")
    (data / ".restore" / "whole").write_text(ID)
    with pytest.raises(StartupError, match="was cut off"):
        check_started(data)
    await restored(folder, data)
    assert sorted(path.name for path in data.iterdir()) == ["admin.token", "run", "store"]
    assert list((data / "run").iterdir()) == []
    (data / ".restore").mkdir()
    (data / ".restore" / "whole").write_text("another")
    with pytest.raises(Conflict, match="The restore of another"):
        await restored(folder, data)


async def test_two_restores_into_one_folder_are_held_apart(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", await kept(tmp_path)
    data.mkdir()
    other = os.open(data, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(Conflict, match="goes on"):
        await restored(folder, data)
    os.close(other)
    (data / ".restore").mkdir()
    (data / "mine").write_text("mine")
    with pytest.raises(Conflict, match="is not empty"):
        await restored(folder, data)
    assert (data / "mine").read_text() == "mine"


@pytest.mark.parametrize("link", ["/etc", "../../../etc", f"../store/012/{UUID}/../../../.."])
async def test_a_link_that_leads_away_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(BackupDamaged, match="none of the store"):
        await restored(await kept(tmp_path, link=link), tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


async def test_a_place_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupDamaged, match="outside"):
        await restored(await kept(tmp_path, root="../away"), tmp_path / "data")
    assert not (tmp_path / "away").exists()
