from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playhead.config.jobs import Jobs
from playhead.connect.buckets.bucket import fitting
from playhead.connect.buckets.folder import Folder
from playhead.connect.buckets.opened import opened
from playhead.errors import BucketRefused, NotFound


async def content(*parts: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def test_a_file_is_written_as_a_whole(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    assert await folder.put("a/b.csv", content(b"one,", b"two")) == 7
    assert await folder.put("a/b.csv", content(b"new")) == 3
    assert [p.read_bytes() for p in (tmp_path / "out" / "a").iterdir()] == [b"new"]


async def test_what_fails_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await folder.put("a.csv", content(b"old"))
    with pytest.raises(ZeroDivisionError):
        await folder.put("a.csv", content(b"ne", then=ZeroDivisionError()))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.csv", b"old")]


async def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "away").symlink_to(tmp_path)
    with pytest.raises(BucketRefused, match="outside"):
        await Folder(tmp_path / "out").put("away/a.csv", content(b"x"))
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("path", ["", "/", "..", "a/../b", "a\0b", "a\nb", "x" * 1_001])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|longer"):
        fitting(path)


@pytest.mark.parametrize(
    ("kind", "uri", "folder"),
    [
        ("file", "file:///a", ""),
        ("file", "file:///../a", "out"),
        ("file", "file://host/a", "out"),
        ("file", "s3://a/b", "out"),
        ("kafka", "file:///a", "out"),
        ("s3", "http://a/b", ""),
    ],
)
def test_what_is_no_bucket_is_refused(kind: str, uri: str, folder: str) -> None:
    with pytest.raises(BucketRefused) as refused:
        opened(kind, uri, {}, settings=Jobs(export_dir=folder))
    assert refused.value.message.endswith(".")


async def test_a_further_workspace_writes_below_a_folder_of_its_own(tmp_path: Path) -> None:
    settings = Jobs(export_dir=str(tmp_path))
    for workspace in ("", "0123456789ab"):
        bucket = opened("file", "file:///day/", {}, settings=settings, workspace=workspace)
        await bucket.put("a.csv", content(workspace.encode()))
    found = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*.csv")}
    assert found == {"day/a.csv": "", "0123456789ab/day/a.csv": "0123456789ab"}


async def test_files_are_read_listed_and_removed(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "kept", private=True)
    await folder.put("blobs/aa/one", content(b"1", b"2"))
    assert b"".join([chunk async for chunk in folder.get("blobs/aa/one")]) == b"12"
    listed = [(file.path, file.bytes) async for file in folder.listed("blobs")]
    assert listed == [("blobs/aa/one", 2)]
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "kept").rglob("*")} == {0}
    for _ in range(2):
        await folder.remove("blobs/aa/one")
    assert list((tmp_path / "kept" / "blobs").iterdir()) == []
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in folder.get("blobs/aa/one")]
    assert (folder.free_bytes() or 0) > 0
