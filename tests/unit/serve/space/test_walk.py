import os
import subprocess
from pathlib import Path

from playhead.serve.space.walk import walk

UUID = "0a1b2c3d-0000-4000-8000-000000000001"


def written(path: Path, size: int = 10_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def data_folder(tmp_path: Path) -> Path:
    written(tmp_path / "log" / "00.db")
    written(tmp_path / "worker.db")
    written(tmp_path / "worker.db-wal")
    written(tmp_path / "store.xml", 10)
    written(tmp_path / "store" / "metadata" / "playhead.sql", 10)
    written(tmp_path / "store" / "store" / UUID[:3] / UUID / "all_1_1_0" / "data.bin", 50_000)
    written(tmp_path / "store" / "store" / UUID[:3] / UUID / "detached" / "broken" / "data.bin")
    return tmp_path


def du(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def test_the_sum_is_what_du_says(tmp_path: Path) -> None:
    found = walk(data_folder(tmp_path))
    assert found.bytes == du(tmp_path)
    assert found.is_whole


def test_a_table_is_known_by_its_uuid_and_what_was_set_aside_is_told_apart(tmp_path: Path) -> None:
    found = walk(data_folder(tmp_path))
    assert 50_000 <= found.tables[UUID] < 80_000
    assert found.detached >= 10_000


def test_a_file_and_its_companions_are_one_entry(tmp_path: Path) -> None:
    found = walk(data_folder(tmp_path))
    assert found.entries["worker.db"] >= 20_000
    assert sorted(found.entries) == [".", "log", "worker.db"]


def test_what_a_backup_has_frozen_counts_with_the_part_that_is_live(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    before = walk(folder)
    live = folder / "store" / "store" / UUID[:3] / UUID / "all_1_1_0" / "data.bin"
    shadow = folder / "store" / "shadow" / "backup" / "data.bin"
    shadow.parent.mkdir(parents=True)
    os.link(live, shadow)
    frozen = walk(folder)
    live.unlink()
    alone = walk(folder)
    assert (frozen.tables, frozen.frozen < 20_000) == (before.tables, True)
    assert (alone.frozen > 50_000, alone.bytes) == (True, du(folder))


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, other = data_folder(tmp_path / "data"), tmp_path / "other"
    written(other / "large", 1_000_000)
    (folder / "elsewhere").symlink_to(other)
    assert walk(folder).bytes == du(folder) < 500_000


def test_a_walk_that_ends_early_says_so(tmp_path: Path) -> None:
    assert not walk(data_folder(tmp_path), files_max=5).is_whole
    assert walk(tmp_path / "nothing").bytes == 0


def test_what_a_backup_under_way_holds_counts_with_what_is_live(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    held = folder / "run" / "backup" / "data.bin"
    held.parent.mkdir(parents=True)
    os.link(folder / "log" / "00.db", held)
    found = walk(folder)
    assert (found.entries["log"] >= 10_000, found.entries["run"] < 10_000) == (True, True)
    assert found.bytes == du(folder)
