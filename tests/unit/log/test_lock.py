import errno
import os
from pathlib import Path

import pytest

from playhead.errors import DataDirBusy
from playhead.log.lock import SharedLock, WriterLock, gate_of


def test_only_one_holds_it(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "log" / "writer.lock")
    with pytest.raises(DataDirBusy, match=str(os.getpid())):
        WriterLock(tmp_path / "log" / "writer.lock")
    lock.release()


def test_released_it_can_be_taken_again(tmp_path: Path) -> None:
    first = WriterLock(tmp_path / "writer.lock")
    first.release()
    first.release()
    WriterLock(tmp_path / "writer.lock").release()


def test_many_share_it_and_a_writer_waits_for_all(tmp_path: Path) -> None:
    path = tmp_path / "build.lock"
    first, second = SharedLock(path), SharedLock(path)
    first.release()
    with pytest.raises(DataDirBusy):
        WriterLock(path)
    second.release()
    WriterLock(path).release()


def test_nobody_shares_it_once_a_writer_waits(tmp_path: Path) -> None:
    path = tmp_path / "build.lock"
    shared = SharedLock(path)
    gate = WriterLock(gate_of(path))
    with pytest.raises(DataDirBusy):
        SharedLock(path)
    gate.release()
    SharedLock(path).release()
    shared.release()


def test_a_lock_that_cannot_be_opened_is_not_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("playhead.log.lock.os.open", failing)
        with pytest.raises(DataDirBusy, match="Too many open files"):
            SharedLock(tmp_path / "build.lock")
    SharedLock(tmp_path / "build.lock").release()


def test_a_lock_in_a_folder_that_is_gone_does_not_make_it(tmp_path: Path) -> None:
    with pytest.raises(DataDirBusy):
        SharedLock(tmp_path / "gone" / "project" / "build.lock")
    assert not (tmp_path / "gone").exists()
