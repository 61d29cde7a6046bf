import stat
from pathlib import Path

import pytest

from playhead.access import write_secret


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("dashboard", "dashboard.token"), ("read all endpoints", "read all endpoints.token"),
        ("../../etc/x", "%2E.%2F..%2Fetc%2Fx.token"), (".hidden", "%2Ehidden.token"), ("..", "%2E..token"),
        ("a\x00b", "a%00b.token"),
    ],
)  # fmt: skip
def test_a_secret_stays_in_its_folder(tmp_path: Path, name: str, file: str) -> None:
    path = write_secret(tmp_path, name, "ph_scoped_x")
    assert path == tmp_path / "tokens" / file
    assert path.read_text() == "ph_scoped_x\n"


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = write_secret(tmp_path, "n" * 200, "one")
    write_secret(tmp_path, "n" * 200, "two")
    assert path.read_text() == "two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_long_names_do_not_meet(tmp_path: Path) -> None:
    one, other = (write_secret(tmp_path, "ä" * 199 + last, last) for last in "ab")
    assert one.read_text() != other.read_text()
    assert len(one.name.encode()) < 255
