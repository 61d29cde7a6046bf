import stat
from pathlib import Path

import msgspec
import pytest

from playhead.build.manifest import Built, is_live, read_built, write_live
from playhead.project.manifest import Manifest


def test_live_is_written_whole_and_for_this_user_only(tmp_path: Path) -> None:
    write_live(tmp_path, Manifest(files={"a.pipe": "x"}, secrets={"k": "s"}), Built(digest="d"))
    path = tmp_path / "project" / "live.json"
    assert msgspec.json.decode(path.read_bytes())["files"] == {"a.pipe": "x"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in (tmp_path / "project").glob(".*")] == []


def test_the_state_of_builds_is_read_back(tmp_path: Path) -> None:
    built = Built(digest="d", tables={"plays": "1"}, views={"v": "2"})
    write_live(tmp_path, Manifest(), built)
    assert read_built(tmp_path) == built


def test_a_damaged_state_is_none(tmp_path: Path) -> None:
    assert read_built(tmp_path) == Built()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "built.json").write_text("{")
    assert read_built(tmp_path) == Built()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2}', '{"files": {"a": 1}}', '{"x":' + "[" * 100_000]
)
def test_what_the_server_cannot_read_is_not_live(tmp_path: Path, text: str) -> None:
    assert not is_live(tmp_path)
    write_live(tmp_path, Manifest(), Built())
    assert is_live(tmp_path)
    (tmp_path / "project" / "live.json").write_text(text)
    assert not is_live(tmp_path)
