import os
from pathlib import Path

import pytest

from playhead.errors import DataDirBusy
from playhead.log.lock import WriterLock


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
