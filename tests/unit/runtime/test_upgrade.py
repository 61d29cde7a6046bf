from pathlib import Path

import msgspec

from playhead.runtime.release import FILE, this_release
from playhead.runtime.upgrade import lines_of, upgrade_of
from support.data_folder import everything, make_folder


def test_a_folder_of_this_release_changes_in_nothing(tmp_path: Path) -> None:
    make_folder(tmp_path)
    before = everything(tmp_path)
    assert upgrade_of(tmp_path).changes == ()
    assert everything(tmp_path) == before


def test_there_is_nothing_to_say_of_no_folder(tmp_path: Path) -> None:
    found = upgrade_of(tmp_path / "none")
    assert (found.is_new, lines_of(found)) == (True, [])


def test_migrations_fold_and_release_of_an_earlier_folder_are_told(tmp_path: Path) -> None:
    make_folder(tmp_path)
    earlier = msgspec.structs.replace(this_release(), release="0.0.1", fold_version=1)
    earlier.formats["store"] -= 2
    (tmp_path / FILE).write_bytes(msgspec.json.encode(earlier))
    found = upgrade_of(tmp_path)
    assert [one.what for one in found.changes] == ["store", "store", "views", FILE]
    assert "0.0.1" in lines_of(found)[0]


def test_a_folder_from_before_the_file_is_asked_of_its_store(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / FILE).unlink()
    newest = this_release().formats["store"]
    assert [one.what for one in upgrade_of(tmp_path).changes] == ["store", FILE]
    assert [one.what for one in upgrade_of(tmp_path, newest).changes] == [FILE]
