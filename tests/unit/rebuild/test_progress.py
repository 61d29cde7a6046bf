from pathlib import Path

import pytest

from playhead.errors import SchemaTooNew
from playhead.rebuild.progress import FILE, FOLDER, Plan, Progress, Tally, read, write

PLAN = Plan(
    id="a", from_day="", to_day="2026-11-02", position=7, as_of_ms=9, stamp="{}", days=("2026-11-02",),
)  # fmt: skip


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    kept = Progress(plan=PLAN, stage="folded", tally=Tally(views=3, changed=1), old={"n_1": 2.5})
    write(tmp_path, kept)
    assert read(tmp_path) == kept
    assert (tmp_path / FOLDER / FILE).stat().st_mode & 0o777 == 0o600


def test_none_and_what_is_no_such_file_are_none(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text("{}")
    assert read(tmp_path) is None


def test_one_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text('{"version": 2}')
    with pytest.raises(SchemaTooNew):
        read(tmp_path)
