"""Rights of a data folder, and the disk below it."""

from pathlib import Path

from playhead.clock import SystemClock
from playhead.config.file import load
from playhead.doctor.finding import Findings, Level
from playhead.doctor.folder import look_at_disk, look_at_folder, look_at_space
from playhead.doctor.patient import Patient


def patient(folder: Path, **settings: object) -> Patient:
    config = load(env={}, overrides={"data.dir": str(folder), **settings}).config
    return Patient(url="http://127.0.0.1:1", config=config, clock=SystemClock(), folder=folder)


def levels(findings: Findings) -> dict[str, Level]:
    return {one.check: one.level for one in findings.found}


def test_a_private_folder_is_fine_and_an_open_one_is_not(tmp_path: Path) -> None:
    token = tmp_path / "admin.token"
    token.write_text("secret")
    token.chmod(0o600)
    tmp_path.chmod(0o700)
    fine, bad = Findings(), Findings()
    assert look_at_folder(patient(tmp_path), fine)
    assert set(levels(fine).values()) == {Level.OK}
    tmp_path.chmod(0o755)
    token.chmod(0o644)
    look_at_folder(patient(tmp_path), bad)
    assert levels(bad) == {"folder": Level.BAD, "token file": Level.BAD, "owner": Level.OK}
    assert any(one.remedy == f"chmod 600 {token}" for one in bad.found)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    findings = Findings()
    assert not look_at_folder(patient(tmp_path / "none"), findings)
    assert "No such file" in findings.found[0].found


def test_the_disk_is_tried_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    findings = Findings()
    full = patient(tmp_path, **{"log.free_space_floor_bytes": 1 << 60})
    look_at_space(full, findings)
    look_at_disk(full, findings)
    assert [one.check for one in findings.found] == ["disk", "fsync"]
    assert findings.found[0].level is Level.BAD
    assert list(tmp_path.iterdir()) == []
