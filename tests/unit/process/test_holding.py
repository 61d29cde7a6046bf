import errno
import os
from pathlib import Path

import msgspec
import pytest

from playhead.errors import DataDirBusy
from playhead.log.base import Record
from playhead.log.lock import WriterLock, gate_of
from playhead.model.event import Into, Meta
from playhead.process.holding import REST_FILE, admitted, has_rows
from playhead.project.manifest import LOCK_FILE

WORKSPACE = "0123456789ab"


def record(
    offset: int, into: Into | None = None, door: str = "telemetry", body: bytes = b"[]"
) -> Record:
    meta = msgspec.json.encode(Meta(into=into))
    return Record(offset, door, "", 0, 1, meta, body)


def test_events_go_on_while_a_project_is_being_built(tmp_path: Path) -> None:
    records = [record(0), record(1), record(2, Into(datasource="plays", shape="s")), record(3)]
    lock = WriterLock(tmp_path / LOCK_FILE)
    now, hold = admitted(records, tmp_path)
    assert [one.offset for one in now] == [0, 1]
    hold.release()
    lock.release()
    now, hold = admitted(records, tmp_path)
    assert len(now) == 4
    hold.release()


def test_a_build_that_waits_comes_next(tmp_path: Path) -> None:
    rows = [record(0, Into(datasource="plays", shape="s"))]
    _, hold = admitted(rows, tmp_path)
    gate = WriterLock(gate_of(tmp_path / LOCK_FILE))
    assert admitted(rows, tmp_path)[0] == []
    hold.release()
    WriterLock(tmp_path / LOCK_FILE).release()
    gate.release()


def test_another_workspace_has_a_lock_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "workspaces" / WORKSPACE
    folder.mkdir(parents=True)
    lock = WriterLock(folder / LOCK_FILE)
    main, other = (
        Into(datasource="a", shape="s"),
        Into(datasource="a", shape="s", workspace=WORKSPACE),
    )
    now, hold = admitted([record(0, main), record(1, other)], tmp_path)
    assert [one.offset for one in now] == [0]
    hold.release()
    lock.release()


def test_a_deleted_workspace_holds_nothing_up(tmp_path: Path) -> None:
    gone = record(0, Into(datasource="a", shape="s", workspace=WORKSPACE))
    now, hold = admitted([gone], tmp_path)
    assert now == [gone]
    assert not (tmp_path / "workspaces").exists()
    hold.release()


def test_commands_are_of_projects_and_events_are_not() -> None:
    command = record(0, door="commands", body=b'{"op":"truncate","workspace":""}')
    assert has_rows([record(0), command])
    assert not has_rows([record(0), record(1)])


def test_a_lock_that_cannot_be_opened_lets_rows_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.open

    def failing(path: Path, *more: int) -> int:
        if "build.lock" in path.name:
            raise OSError(errno.EMFILE, "Too many open files")
        return whole(path, *more)

    monkeypatch.setattr("playhead.log.lock.os.open", failing)
    now, hold = admitted([record(0), record(1, Into(datasource="a", shape="s"))], tmp_path)
    assert [one.offset for one in now] == [0]
    assert "Too many open files" in hold.said
    hold.release()


def test_a_backup_lets_no_range_begin_and_waits_for_the_one_in_hand(tmp_path: Path) -> None:
    now, hold = admitted([record(0)], tmp_path)
    assert [one.offset for one in now] == [0]
    gate = WriterLock(gate_of(tmp_path / REST_FILE))
    with pytest.raises(DataDirBusy):
        WriterLock(tmp_path / REST_FILE)
    assert admitted([record(1)], tmp_path)[0] == []
    hold.release()
    rest = WriterLock(tmp_path / REST_FILE)
    rest.release()
    gate.release()
    now, hold = admitted([record(1)], tmp_path)
    assert [one.offset for one in now] == [1]
    hold.release()
