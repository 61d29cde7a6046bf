from pathlib import Path

import msgspec
import pytest

from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.errors import SchemaTooNew, StartupError
from playhead.runtime.formats import FORMATS, found_in
from playhead.runtime.release import FILE, check_folder, read_release, this_release, write_release
from playhead.runtime.store_process import store_of
from playhead.runtime.supervisor import Supervisor
from support.data_folder import JSON, SQLITE, everything, make_folder, raise_version


def test_every_format_is_found_in_a_folder_and_read_by_this_release(tmp_path: Path) -> None:
    make_folder(tmp_path)
    found = check_folder(tmp_path)
    assert {one.format for one in found} == {one.name for one in FORMATS}
    assert {one.path for one in found} == {*SQLITE, *JSON} - {FILE}
    assert all(one.version == one.reads == 1 for one in found)


@pytest.mark.parametrize("name", [*SQLITE, *JSON])
def test_a_file_of_a_newer_release_is_refused_by_name_and_nothing_changes(
    tmp_path: Path, name: str
) -> None:
    make_folder(tmp_path)
    raise_version(tmp_path / name)
    before = everything(tmp_path)
    config = load(env={}, overrides={"data.dir": str(tmp_path), "server.port": 0}).config
    with pytest.raises(SchemaTooNew) as refused:
        Supervisor(config, [], ManualClock()).start()
    assert f"{tmp_path / name}" in refused.value.message
    assert "2" in refused.value.message
    assert everything(tmp_path) == before


def test_no_command_starts_the_store_of_a_newer_folder(tmp_path: Path) -> None:
    make_folder(tmp_path)
    raise_version(tmp_path / "jobs.db")
    before = everything(tmp_path)
    config = load(env={}, overrides={"data.dir": str(tmp_path)}).config
    with pytest.raises(SchemaTooNew), store_of(config, ["--data", str(tmp_path)]):
        pass
    assert everything(tmp_path) == before


def test_tables_that_a_newer_release_has_migrated_are_refused(tmp_path: Path) -> None:
    newer = this_release()
    newer.formats["store"] += 1
    (tmp_path / FILE).write_bytes(msgspec.json.encode(newer))
    with pytest.raises(SchemaTooNew, match=f"migration {newer.formats['store']}"):
        check_folder(tmp_path)
    newer.formats["store"] -= 1
    newer.formats["something new"] = 1
    (tmp_path / FILE).write_bytes(msgspec.json.encode(newer))
    with pytest.raises(SchemaTooNew, match="something new"):
        check_folder(tmp_path)


def test_the_file_is_written_once_a_release(tmp_path: Path) -> None:
    clock = ManualClock()
    write_release(tmp_path, clock)
    clock.advance(1_000)
    write_release(tmp_path, clock)
    assert read_release(tmp_path) == this_release(clock.now_ms() - 1_000)
    earlier = msgspec.structs.replace(this_release(5), release="0.0.1")
    (tmp_path / FILE).write_bytes(msgspec.json.encode(earlier))
    write_release(tmp_path, clock)
    assert read_release(tmp_path) == this_release(clock.now_ms())


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(StartupError, match="not what a release writes"):
        check_folder(tmp_path)
    assert list(found_in(tmp_path / "nowhere")) == []
