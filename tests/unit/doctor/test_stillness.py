"""What is left of a server that does not run."""

import json
from pathlib import Path

from playhead.clock import ManualClock
from playhead.config import Config
from playhead.doctor.finding import Findings, Level
from playhead.doctor.patient import Patient
from playhead.doctor.stillness import look_at_stillness, processes_in
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog


def test_the_log_is_read_and_a_clock_that_went_back_is_said(tmp_path: Path) -> None:
    clock = ManualClock()
    log = SegmentLog(tmp_path / "log", Config().log, clock, writable=True)
    log.append([Entry(door="telemetry", key="k", events=1, meta=b"{}", body=b"[]")])
    log.close()
    clock.advance(-120_000)
    (tmp_path / "store/store/abc/def/detached/broken-on-start_all_1").mkdir(parents=True)
    findings = Findings()
    patient = Patient(url="http://127.0.0.1:1", config=Config(), clock=clock, folder=tmp_path)
    look_at_stillness(patient, {}, findings)
    found = {one.check: one for one in findings.found}
    assert found["log"].found.startswith("1 batches in the log, 1 of them not in the store")
    assert found["clock"].found.startswith("The newest record is 2 min ahead")
    assert found["parts"].level is Level.WARN
    assert found["release"].level is Level.OK


def test_a_folder_of_a_newer_release_is_said(tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text('{"version": 99, "release": "9.0"}')
    findings = Findings()
    patient = Patient(url="u", config=Config(), clock=ManualClock(), folder=tmp_path)
    look_at_stillness(patient, {"web": 1}, findings)
    found = {one.check: one for one in findings.found}
    assert found["release"].level is Level.BAD
    assert "9.0" in found["release"].found
    assert found["processes"].level is Level.BAD


def test_processes_of_others_are_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    listed = {"web": {"pid": 2**22 + 1}, "store": {"pid": None}}
    (tmp_path / "run" / "processes.json").write_text(json.dumps(listed))
    assert processes_in(tmp_path) == {}
    assert processes_in(tmp_path / "none") == {}
