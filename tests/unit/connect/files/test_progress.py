from pathlib import Path

import pytest

from playhead.connect.files import progress
from playhead.connect.files.progress import FileState, State
from playhead.errors import InvalidRequest


def test_a_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    state = State(job="j", accepted=3, files={"/a": FileState("i", done=7, after=70, shift_ms=-1)})
    progress.save(tmp_path / "s.json", state)
    assert progress.load(tmp_path / "s.json") == state


def test_writing_leaves_nothing_else_behind(tmp_path: Path) -> None:
    for _ in range(2):
        progress.save(tmp_path / "s.json", State())
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_there_may_be_none(tmp_path: Path) -> None:
    assert progress.load(tmp_path / "s.json") is None


@pytest.mark.parametrize("text", ["", "{", '{"version": 99}', '{"files": 1}'])
def test_another_file_is_no_state_and_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InvalidRequest, match=r"s\.json"):
        progress.load(tmp_path / "s.json")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written"):
        progress.save(tmp_path / "gone" / "s.json", State())


def test_the_name_is_of_the_paths_in_any_order(tmp_path: Path) -> None:
    assert progress.default_path(["a", "b"], "j") == progress.default_path(["b", "./a"], "j")
    assert progress.default_path(["a"], "j") != progress.default_path(["a"], "k")
